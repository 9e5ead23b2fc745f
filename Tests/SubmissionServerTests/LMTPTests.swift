import Foundation
import MailDelivery
import MailStore
import MailTestSupport
import MailVocabulary
import SubmissionServer
import Testing

@Suite("LMTP (RFC 2033)")
struct LMTPTests {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Transcripts/lmtp")

    static let names: [String] = {
        let found = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return found.filter { $0.hasSuffix(".transcript") }.sorted()
    }()

    @Test("The transcripts are found")
    func found() { #expect(Self.names.count >= 4) }

    static let dialogues = names.flatMap { name in
        name.contains("pipelined") ? [(name, false)] : [(name, false), (name, true)]
    }

    private func fixture() async throws -> Fixture {
        // Repairs and relaying are not for mail that is handed over.
        var delivery = DeliverySettings()
        delivery.relaysElsewhere = true
        return try await Fixture(
            settings: SubmissionSettings(role: .lmtp, maximumMessageSize: 1_000_000), delivery: delivery)
    }

    private func greeted(_ fixture: Fixture) async -> Driver {
        var driver = fixture.localConnection()
        _ = await driver.connect()
        _ = await driver.send("LHLO mx.example.net\r\n")
        return driver
    }

    @Test("A transcript is answered as it says", arguments: dialogues)
    func plays(_ name: String, byByte: Bool) async throws {
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        var driver = try await fixture().localConnection()
        try await driver.play(try Transcript(text), byByte: byByte)
    }

    @Test("What is stored is Return-Path, the trace and the message as it came")
    func stored() async throws {
        let fixture = try await fixture()
        var driver = await greeted(fixture)
        _ = await driver.send("MAIL FROM:<ann@else.example>\r\nRCPT TO:<ned@example.com>\r\nDATA\r\n")
        let message = "Return-Path: <old@x>\r\nFrom: ann@else.example\r\nBcc: x@y\r\n\r\n.stuffed\r\n"
        let reply = await driver.send(message.replacing("\r\n.", with: "\r\n..") + ".\r\n")
        let identifier = reply.dropFirst("250 2.0.0 Message accepted as ".count).dropLast(1)
        let text = String(decoding: try #require(try await fixture.inbox(of: "ned").first), as: UTF8.self)
        #expect(
            text == "Return-Path: <ann@else.example>\r\nReceived: from mx.example.net\r\n"
                + "\tby mail.example.com with LMTP id \(identifier)\r\n\tfor <ned@example.com>;\r\n"
                + "\tTue, 14 Nov 2023 22:13:20 +0000\r\nFrom: ann@else.example\r\nBcc: x@y\r\n\r\n.stuffed\r\n")
    }

    @Test("One recipient without room does not take the mail from the others; each has an answer")
    func overQuota() async throws {
        let fixture = try await fixture()
        let address = try #require(Address("dan@example.com"))
        let dan = try #require(try await fixture.store.account(address))
        try await fixture.store.setQuota(QuotaLimits(storage: .limited(300)), of: dan.id)
        var driver = await greeted(fixture)
        _ = await driver.send(
            "MAIL FROM:<>\r\nRCPT TO:<ned@example.com>\r\nRCPT TO:<dan@example.com>\r\nRCPT TO:<ned@example.com>\r\nDATA\r\n"
        )
        let replies = await driver.send("Subject: x\r\n\r\n" + String(repeating: "x", count: 300) + "\r\n.\r\n")
        #expect(
            replies.split(separator: "\r\n").map { $0.prefix(9) } == ["250 2.0.0", "452 4.2.2", "250 2.0.0"])
        #expect(try await fixture.inbox(of: "ned").count == 1)
        #expect(try await fixture.inbox(of: "dan").isEmpty)
    }

    @Test("A message that is refused is answered for each recipient")
    func refused() async throws {
        let fixture = try await fixture()
        var driver = await greeted(fixture)
        let envelope = "MAIL FROM:<>\r\nRCPT TO:<ned@example.com>\r\nRCPT TO:<dan@example.com>\r\n"
        _ = await driver.send(envelope + "DATA\r\n")
        let replies = await driver.send("Subject: x\r\n\r\nbare\nLF\r\n.\r\nNOOP\r\n")
        #expect(replies.split(separator: "\r\n").map { $0.prefix(9) } == ["554 5.6.0", "554 5.6.0", "250 2.0.0"])
        let loop = String(repeating: "Received: from a by b; x\r\n", count: 101) + "\r\n"
        let size = loop.utf8.count
        let chunked = await driver.send(envelope + "BDAT \(size) LAST\r\n\(loop)NOOP\r\n")
        #expect(
            chunked.split(separator: "\r\n").map { $0.prefix(9) }.suffix(3) == ["554 5.4.6", "554 5.4.6", "250 2.0.0"])
    }

    @Test(
        "Mail that a filter in front marked goes into Junk",
        arguments: [
            ("X-Spam-Flag: YES", true), ("x-spam: yes", true), ("X-Spam-Status: Yes, score=8.1", true),
            ("X-Spam-Status: No, score=1", false), ("X-Spam: Yesterday", false), ("Subject: X-Spam-Flag: YES", false),
            ("A: b\r\n\r\nX-Spam-Flag: YES", false),
        ])
    func junk(_ header: String, isJunk: Bool) async throws {
        let fixture = try await fixture()
        var driver = await greeted(fixture)
        _ = await driver.send("MAIL FROM:<>\r\nRCPT TO:<ned@example.com>\r\nDATA\r\n")
        #expect(await driver.send(header + "\r\n\r\nx\r\n.\r\n").hasPrefix("250"))
        #expect(try await fixture.inbox(of: "ned").isEmpty == isJunk)
    }

    @Test("Nobody logs in, nothing goes elsewhere, and nobody need be logged in to stay")
    func onlyLocal() async throws {
        let fixture = try await fixture()
        var driver = await greeted(fixture)
        for command in ["EHLO x", "HELO x", "STARTTLS", "AUTH PLAIN =", "BURL imap://x LAST"] {
            #expect(await driver.send(command + "\r\n").hasPrefix("500 5.5.1"), "\(command)")
        }
        _ = await driver.send("MAIL FROM:<ned@example.com>\r\n")
        #expect(await driver.send("RCPT TO:<x@else.example>\r\n").hasPrefix("550 5.1.2"))
        #expect(await driver.send("RCPT TO:<ned@example.com> NOTIFY=NEVER\r\n").hasPrefix("555 5.5.4"))
        let isAuthenticated = driver.session.isAuthenticated
        #expect(isAuthenticated)
    }
}
