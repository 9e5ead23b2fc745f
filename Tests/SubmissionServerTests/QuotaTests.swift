import MailStore
import MailTestSupport
import MailVocabulary
import SubmissionServer
import Testing

@Suite("A recipient's quota")
struct QuotaTests {
    private func limit(_ name: String, _ limits: QuotaLimits, in fixture: Fixture) async throws {
        let address = try #require(Address("\(name)@example.com"))
        let account = try #require(try await fixture.store.account(address))
        try await fixture.store.setQuota(limits, of: account.id)
    }

    @Test("A full mailbox is told of at RCPT: for now, as its owner can make room; the others get the message")
    func fullAtRcpt() async throws {
        let fixture = try await Fixture()
        try await limit("ned", QuotaLimits(messages: .limited(1)), in: fixture)
        var driver = try await fixture.loggedIn()
        for _ in 0..<2 {
            _ = await driver.send("MAIL FROM:<tim@example.com>\r\nRCPT TO:<dan@example.com>\r\n")
            _ = await driver.send("RCPT TO:<ned@example.com>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n")
        }
        #expect(try await fixture.inbox(of: "ned").count == 1)
        #expect(try await fixture.inbox(of: "dan").count == 2)
        _ = await driver.send("MAIL FROM:<tim@example.com>\r\n")
        #expect(await driver.send("RCPT TO:<ned@example.com>\r\n").hasPrefix("452 4.2.2 "))
    }

    @Test("The declared size counts; what is larger than the whole quota will never be accepted")
    func declaredSize() async throws {
        let fixture = try await Fixture()
        try await limit("ned", QuotaLimits(storage: .limited(3000)), in: fixture)
        var driver = try await fixture.loggedIn()
        _ = await driver.send("MAIL FROM:<tim@example.com> SIZE=3001\r\n")
        #expect(await driver.send("RCPT TO:<ned@example.com>\r\n").hasPrefix("552 5.2.2 "))
        _ = await driver.send("RSET\r\nMAIL FROM:<tim@example.com> SIZE=3000\r\n")
        #expect(await driver.send("RCPT TO:<ned@example.com>\r\n").hasPrefix("250"))
        _ = await driver.send("DATA\r\nSubject: x\r\n\r\n.\r\n")
        _ = await driver.send("MAIL FROM:<tim@example.com> SIZE=3000\r\n")
        #expect(await driver.send("RCPT TO:<ned@example.com>\r\n").hasPrefix("452 4.2.2 "))
        try await limit("dan", QuotaLimits(messages: .limited(0)), in: fixture)
        #expect(await driver.send("RCPT TO:<dan@example.com>\r\n").hasPrefix("552 5.2.2 "))
    }

    @Test("A message that turns out to be too large for one recipient is stored for none")
    func fullAtEnd() async throws {
        let fixture = try await Fixture()
        try await limit("ned", QuotaLimits(storage: .limited(2000)), in: fixture)
        var driver = try await fixture.loggedIn()
        _ = await driver.send("MAIL FROM:<tim@example.com>\r\n")
        #expect(await driver.send("RCPT TO:<ned@example.com>\r\n").hasPrefix("250"))
        #expect(await driver.send("RCPT TO:<dan@example.com>\r\n").hasPrefix("250"))
        let lines = String(repeating: String(repeating: "x", count: 70) + "\r\n", count: 40)
        let reply = await driver.send("DATA\r\nSubject: x\r\n\r\n\(lines).\r\n")
        #expect(reply.split(separator: "\r\n").last?.hasPrefix("452 4.2.2 ") == true)
        #expect(try await fixture.messageCount() == 0)
    }
}
