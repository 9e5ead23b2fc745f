import MailDelivery
import MailStore
import MailTestSupport
import MailVocabulary
import SubmissionServer
import Testing

@Suite("Headers of submitted messages: who has written, and what is put right")
struct HeaderTests {
    private func fixture(_ change: (inout DeliverySettings) -> Void = { _ in }) async throws -> Fixture {
        var settings = DeliverySettings()
        change(&settings)
        return try await Fixture(delivery: settings)
    }

    private func submit(
        _ message: String, to recipients: [String] = ["ned"], in fixture: Fixture, byByte: Bool = false
    ) async throws -> String {
        var driver = try await fixture.loggedIn()
        _ = await driver.send("MAIL FROM:<tim@example.com>\r\n")
        for recipient in recipients { _ = await driver.send("RCPT TO:<\(recipient)@example.com>\r\n") }
        _ = await driver.send("DATA\r\n")
        return byByte ? await driver.drip(message + "\r\n.\r\n") : await driver.send(message + "\r\n.\r\n")
    }

    private func received(_ fixture: Fixture, _ name: String = "ned") async throws -> String {
        String(decoding: withoutTrace(try #require(try await fixture.inbox(of: name).last)), as: UTF8.self)
    }

    @Test(
        "From and Sender of one's own and of granted addresses are taken",
        arguments: [
            "From: Tim <TIM@example.com>", "From: tim+x@example.com", "From: smith@bar.com\r\nSender: tim@example.com",
            "From: \"ceo@bank.example\" <tim@example.com>", "From: tim@example.com, x@bar.com",
            "From:\r\n tim@example.com", "From : tim@example.com", "Subject: none",
        ])
    func taken(_ header: String) async throws {
        #expect(try await submit(header + "\r\n\r\nx", in: try await fixture()).hasPrefix("250 2.0.0"))
    }

    @Test(
        "Nobody writes under another's name, wherever it stands",
        arguments: [
            "From: ned@example.com", "From: tim@example.com\r\nFrom: ned@example.com", "fROM : ceo@bank.example",
            "From: tim@example.com\r\nSender: ned@example.com", "From: tim@example.com, ned@example.com",
            "From:\r\n\tned@example.com", "From: friends: tim@example.com, ned@example.com;", "From: ned@[192.0.2.1]",
        ],
        [true, false])
    func refused(_ header: String, byByte: Bool) async throws {
        let fixture = try await fixture()
        let reply = try await submit(header + "\r\n\r\nx", in: fixture, byByte: byByte)
        #expect(reply.hasPrefix("550 5.7.1") || reply.hasPrefix("554 5.6.0"), "\(reply)")
        #expect(try await fixture.messageCount() == 0)
    }

    @Test(
        "A From without an address is none",
        arguments: ["From: tim", "From: undisclosed:;", "From:", "From: @example.com"])
    func malformed(_ header: String) async throws {
        let reply = try await submit(header + "\r\n\r\nx", in: try await fixture())
        #expect(reply == "554 5.6.0 From or Sender has no address, or one that is none\r\n")
    }

    @Test("Date, From and Message-ID are added where they are missing, and only there")
    func additions() async throws {
        let fixture = try await fixture()
        let identifier = try await submit("Subject: x\r\n\r\nbody", in: fixture).split(separator: " ").last?.dropLast()
        #expect(
            try await received(fixture)
                == "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nFrom: <tim@example.com>\r\n"
                + "Message-ID: <\(identifier ?? "")@mail.example.com>\r\nSubject: x\r\n\r\nbody\r\n")
        let whole = "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nFrom: tim@example.com\r\nMESSAGE-ID: <x@y>\r\n\r\nbody"
        _ = try await submit(whole, in: fixture)
        #expect(try await received(fixture) == whole + "\r\n")
    }

    @Test("Sender is added when From is a granted address or several")
    func sender() async throws {
        let fixture = try await fixture { $0.repairs = .sender }
        _ = try await submit("From: smith@bar.com\r\n\r\nx", in: fixture)
        #expect(try await received(fixture) == "Sender: <tim@example.com>\r\nFrom: smith@bar.com\r\n\r\nx\r\n")
        _ = try await submit("From: tim+x@example.com\r\n\r\nx", in: fixture)
        #expect(try await received(fixture) == "From: tim+x@example.com\r\n\r\nx\r\n")
    }

    @Test("Bcc goes, folded or not; Return-Path too")
    func blindCopies() async throws {
        let fixture = try await fixture { $0.repairs = .bcc }
        let message =
            "Bcc: dan@example.com,\r\n kvc@example.com\r\nTo: ned@example.com\r\nReturn-Path: <x@y>\r\nbcc:\r\n"
        _ = try await submit(message + "Resent-Bcc: x@y\r\n\r\nBcc: in the body\r\n", to: ["ned", "dan"], in: fixture)
        for name in ["ned", "dan"] {
            #expect(try await received(fixture, name) == "To: ned@example.com\r\n\r\nBcc: in the body\r\n\r\n")
        }
    }

    @Test("A blank line ends a header that a line of the body ends, so that all read the same fields")
    func blankLine() async throws {
        let fixture = try await fixture { $0.repairs = .blankLine }
        _ = try await submit("From: tim@example.com\r\ngarbage\r\nFrom: ceo@bank.example", in: fixture)
        #expect(
            try await received(fixture) == "From: tim@example.com\r\n\r\ngarbage\r\nFrom: ceo@bank.example\r\n")
    }

    @Test("A header that never ends is refused, and costs no more than its limit")
    func endless() async throws {
        let fixture = try await Fixture(settings: SubmissionSettings(maximumMessageSize: 8 << 20))
        let line = "X: " + String(repeating: "x", count: 997) + "\r\n"
        let reply = try await submit(String(repeating: line, count: 1100), in: fixture)
        #expect(reply == "552 5.3.4 The message's header is too large\r\n")
    }

    @Test("Nothing of the client stands in Received where the operator wants it so")
    func hidden() async throws {
        let fixture = try await fixture { $0.hidesClient = true }
        _ = try await submit("Subject: x\r\n\r\nbody", in: fixture)
        let text = String(decoding: try #require(try await fixture.inbox(of: "ned").last), as: UTF8.self)
        #expect(text.contains("Received: from client.invalid\r\n\tby mail.example.com with ESMTPSA id "))
        #expect(!text.contains("192.0.2.1") && !text.contains("client.example.net"))
    }

    @Test("A copy of what was sent goes into Sent, where the operator wants it so")
    func sentCopy() async throws {
        let fixture = try await fixture { $0.keepsSentCopy = true }
        _ = try await submit("Subject: x\r\n\r\nbody", in: fixture)
        let address = try #require(Address("tim@example.com"))
        let account = try #require(try await fixture.store.account(address))
        let sent = try #require(try await fixture.store.mailboxes(of: account.id).first { $0.specialUse == .sent })
        #expect(sent.messageCount == 1 && sent.unseenCount == 0)
        #expect(try await fixture.inbox(of: "ned").count == 1)
    }
}
