import MailStore
import MailTestSupport
import MailVocabulary
import SubmissionServer
import Testing
import WireFraming

@Suite("Senders")
struct SenderTests {
    @Test(
        "The login's own address in any spelling, with a detail, the null sender and granted addresses are taken",
        arguments: [
            "<tim@example.com>", "<TIM@Example.COM>", "<\"tim\"@example.com>", "<>", "<tim+lists@example.com>",
            "<anyone@bar.com>", "<грета@example.org> SMTPUTF8",
        ])
    func taken(_ sender: String) async throws {
        var driver = try await Fixture().loggedIn()
        let reply = await driver.send("MAIL FROM:\(sender)\r\n")
        #expect(reply == "250 2.1.0 Sender OK\r\n")
    }

    @Test(
        "Nobody sends as another, whether of this server's domains or not, whether there is such an account or not",
        arguments: [
            "<ned@example.com>", "<nobody@EXAMPLE.com>", "<\"ned\"@example.com>", "<ned@other.example>",
            "<tim@example.org>", "<ned@sub.example.com>", "<ned@[192.0.2.1]>", "<ned+tim@example.com>",
        ])
    func refused(_ sender: String) async throws {
        let fixture = try await Fixture()
        try await fixture.store.addDomain(#require(Domain("other.example")))
        var driver = try await fixture.loggedIn()
        let replies = await driver.send("MAIL FROM:\(sender)\r\nRCPT TO:<ned@example.com>\r\nRSET\r\n")
        #expect(
            replies.split(separator: "\r\n") == [
                "550 5.7.1 You may not send as this address: log in as its owner, or ask for it to be granted",
                "503 5.5.1 Send MAIL first", "250 2.0.0 OK",
            ])
        let next = await driver.send("MAIL FROM:<tim@example.com>\r\n")
        #expect(next == "250 2.1.0 Sender OK\r\n")
        let events = driver.events
        #expect(events.last == .notice("sender of another refused login=tim@example.com"))
    }
}
