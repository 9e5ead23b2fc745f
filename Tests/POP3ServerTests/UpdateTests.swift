import MailStore
import MailTestSupport
import MailVocabulary
import POP3Server
import Testing
import WireFraming

@Suite("POP3 QUIT and what does not delete")
struct UpdateTests {
    @Test("QUIT deletes what was marked, and nothing else, before it answers")
    func quit() async throws {
        let fixture = try await Fixture(Fixture.classic + Fixture.classic)
        var driver = try await fixture.loggedIn()
        _ = await driver.send("DELE 1\r\nDELE 3\r\n")
        try await fixture.deliver(Fixture.classic, to: fixture.inbox)
        #expect(try await fixture.uids() == [1, 2, 3, 4, 5, 6])
        #expect(await driver.send("QUIT\r\n") == "+OK signing off, messages deleted\r\n")
        #expect(driver.isClosed == true)
        #expect(try await fixture.uids() == [2, 4, 5, 6])
        #expect(driver.events.last == .notice("deleted 2 messages"))
    }

    @Test("RSET, a lost connection and a timeout delete nothing", arguments: ["RSET\r\nQUIT\r\n", "", "timeout"])
    func notDeleted(_ end: String) async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        _ = await driver.send("DELE 1\r\nDELE 2\r\n")
        if end == "timeout" {
            #expect(driver.timeOut().isEmpty, "RFC 1939 §3: no response")
        } else {
            _ = await driver.send(end)
        }
        #expect(try await fixture.uids() == [1, 2])
    }

    @Test("A server that stops says nothing, and deletes nothing")
    func stopping() async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        _ = await driver.send("DELE 1\r\n")
        var output = SessionOutput()
        driver.session.stopping(&output)
        #expect(output.bytes.isEmpty)
        #expect(try await fixture.uids() == [1, 2])
    }

    @Test("A removal that fails is not called a success")
    func failure() async throws {
        let fixture = try await Fixture()
        var session = POP3Session(
            SessionContext(hostname: "h", tls: Fixture.tls), authenticator: fixture.service.authenticator)
        var output = SessionOutput()
        guard case .perform(let login) = session.send("AUTH PLAIN \(plain("", "mrose", "tanstaaf"))\r\n", &output)
        else { throw FixtureError() }
        _ = session.completed(await fixture.service.perform(login, notify: {}), &output)
        _ = session.send("DELE 2\r\n", &output)
        guard case .perform(.remove(let uids, let mailbox, _)) = session.send("QUIT\r\n", &output) else {
            throw FixtureError()
        }
        #expect(uids.description == "2" && mailbox == fixture.inbox)
        #expect(output.bytes.isEmpty, "no answer before the store's")
        let step = session.completed(.removalFailed(reason: "disk full"), &output)
        guard case .close = step else { throw FixtureError() }
        #expect(output.bytes.text == "-ERR [SYS/TEMP] some deleted messages not removed\r\n")
    }

    @Test("Unique identifiers persist, and a new message never gets an old one")
    func uniqueIDs() async throws {
        let fixture = try await Fixture()
        var first = try await fixture.loggedIn()
        let before = await first.send("UIDL\r\n").split(separator: "\r\n").dropFirst().dropLast()
        _ = await first.send("DELE 2\r\nQUIT\r\n")
        try await fixture.deliver(Fixture.classic, to: fixture.inbox)
        var second = try await fixture.loggedIn()
        let after = await second.send("UIDL\r\n").split(separator: "\r\n").dropFirst().dropLast()
        #expect(after.count == 3 && after.first == before.first)
        #expect(!after.contains { $0.dropFirst(2) == before.last?.dropFirst(2) })
        #expect(after.allSatisfy { (1...70).contains($0.dropFirst(2).utf8.count) })
    }

    @Test("Messages that arrive after login are not seen")
    func view() async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        try await fixture.deliver(Fixture.classic, to: fixture.inbox)
        #expect(await driver.send("STAT\r\n") == "+OK 2 320\r\n")
        #expect(await driver.send("RETR 3\r\n") == "-ERR no such message\r\n")
    }
}
