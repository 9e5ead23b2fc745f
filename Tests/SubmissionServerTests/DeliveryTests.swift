import MailDelivery
import MailStore
import MailTestSupport
import MailVocabulary
import MessageFormat
import SubmissionServer
import TLSPolicy
import Testing
import WireFraming

@Suite("Messages and their delivery")
struct DeliveryTests {
    private static let message = "From: tim@example.com\r\nSubject: hello\r\n\r\n.stuffed\r\nbody\r\n"

    /// Sends a message as given, stuffed here; returns the reply to its end.
    private func submit(
        _ driver: inout Driver, _ message: String = message, from: String = "<tim@example.com>",
        to recipients: [String] = ["<ned@example.com>"]
    ) async -> String {
        _ = await driver.send("MAIL FROM:\(from)\r\n")
        for recipient in recipients { _ = await driver.send("RCPT TO:\(recipient)\r\n") }
        let go = await driver.send("DATA\r\n")
        guard go.hasPrefix("354") else { return go }
        return await driver.send(stuffed(message) + ".\r\n")
    }

    private func stuffed(_ message: String) -> String {
        (message.hasPrefix(".") ? "." : "") + message.replacing("\r\n.", with: "\r\n..")
    }

    // [8314-4-15] [8314-4.3-1] [8314-4.3-2] [8314-4.3-4] [8314-4.3-10] [8314-7.4-1] [8314-7.4-2]
    @Test("What is stored is the trace and then the message")
    func stored() async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        let reply = await submit(&driver)
        #expect(reply.hasPrefix("250 2.0.0 Message accepted as "))
        let body = try #require(try await fixture.inbox(of: "ned").first)
        let text = String(decoding: body, as: UTF8.self)
        let identifier = reply.dropFirst("250 2.0.0 Message accepted as ".count).dropLast(1)
        #expect(
            text == "Return-Path: <tim@example.com>\r\n"
                + "Received: from client.example.net ([192.0.2.1])\r\n"
                + "\tby mail.example.com with ESMTPSA id \(identifier)\r\n\tfor <ned@example.com>\r\n"
                + "\ttls TLS_AES_128_GCM_SHA256 group x25519;\r\n\tTue, 14 Nov 2023 22:13:20 +0000\r\n" + Self.message)
        let events = driver.events
        #expect(
            events.last
                == .notice(
                    "message accepted id=\(identifier) size=\(Self.message.utf8.count) recipients=1 login=tim@example.com"
                ))
    }

    @Test("The summary kept beside a message describes it")
    func summary() async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        _ = await submit(&driver)
        let address = try #require(Address("ned@example.com"))
        let account = try #require(try await fixture.store.account(address))
        let inbox = try #require(try await fixture.store.mailbox(.inbox, of: account.id))
        var bodies: [BodyID] = []
        try await fixture.store.open(inbox.id).forEach { bodies.append($1.body) }
        let encoded = try #require(try await fixture.store.summaries(bodies).first ?? nil)
        let stored = try #require(try await fixture.inbox(of: "ned").first)
        #expect(encoded == MessageSummary(parsing: stored.span).encoded())
        #expect(!encoded.isEmpty)
    }

    @Test("A session secured by STARTTLS records the same [8314-4.3-1]")
    func afterStartTLS() async throws {
        let fixture = try await Fixture()
        var driver = fixture.plainConnection()
        _ = await driver.connect()
        _ = await driver.send("STARTTLS\r\n")
        _ = await driver.handshake(
            TLSDescription(version: .tls12, cipherSuite: CipherSuite(0xC02F), group: NamedGroup(0x0017)))
        _ = await driver.send("EHLO [IPv6:2001:db8::9]\r\nAUTH PLAIN \(Fixture.plainResponse)\r\n")
        _ = await submit(&driver)
        let text = String(decoding: try #require(try await fixture.inbox(of: "ned").first), as: UTF8.self)
        #expect(text.contains("from [IPv6:2001:db8::9] ([192.0.2.1])\r\n"))
        #expect(text.contains("tls TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 group secp256r1;"))
    }

    @Test("Each recipient has the message once; the field names nobody when there are several")
    func recipients() async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        let reply = await submit(
            &driver,
            to: ["<ned@example.com>", "<NED@Example.COM>", "<\"dan\"@example.com>", "<Postmaster>", "<no@example.com>"])
        #expect(reply.hasPrefix("250 2.0.0"))
        for (name, count) in [("ned", 1), ("dan", 1), ("postmaster", 1), ("kvc", 0), ("tim", 0)] {
            #expect(try await fixture.inbox(of: name).count == count)
        }
        let text = String(decoding: try #require(try await fixture.inbox(of: "dan").first), as: UTF8.self)
        #expect(!text.contains("for <"))
        let second = await submit(&driver, to: ["<Postmaster>"])
        #expect(second.hasPrefix("250"))
        let other = String(decoding: try #require(try await fixture.inbox(of: "postmaster").last), as: UTF8.self)
        #expect(other.contains("for <postmaster@example.com>"))
    }

    @Test("The client's Return-Path is replaced, its Received fields stay")
    func returnPath() async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        let received = "Received: from a by b; Tue, 14 Nov 2023 22:13:20 +0000\r\n"
        _ = await submit(
            &driver, "Return-Path: <evil@example.net>\r\n\tmore\r\n\(received)Subject: x\r\n\r\n", from: "<>")
        let body = try #require(try await fixture.inbox(of: "ned").first)
        #expect(withoutTrace(body) == Array("\(received)Subject: x\r\n\r\n".utf8))
        #expect(String(decoding: body, as: UTF8.self).hasPrefix("Return-Path: <>\r\nReceived: from client.example.net"))
    }

    @Test("A message that was received a hundred times before is taken, one more is a loop")
    func loops() async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        let field = "Received: from a by b; Tue, 14 Nov 2023 22:13:20 +0000\r\n"
        let hundred = await submit(&driver, String(repeating: field, count: 100) + "\r\n")
        #expect(hundred.hasPrefix("250"))
        let more = await submit(&driver, String(repeating: field, count: 101) + "\r\n")
        #expect(more == "554 5.4.6 Too many Received fields: mail loop\r\n")
        #expect(try await fixture.messageCount() == 1)
    }

    @Test("A first line that would continue the trace is refused")
    func continuation() async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        let reply = await submit(&driver, "\tby elsewhere; forged\r\nSubject: x\r\n\r\n")
        #expect(reply == "554 5.6.0 Message begins with a continuation line\r\n")
        #expect(try await fixture.messageCount() == 0)
    }

    @Test("The size limit is exact, and holds whatever was declared")
    func size() async throws {
        let fixture = try await Fixture(settings: SubmissionSettings(maximumMessageSize: 2000))
        var driver = try await fixture.loggedIn()
        let head = "Subject: x\r\n\r\n"
        func message(_ size: Int) -> String {
            head + String(repeating: ".aaaaaaa\r\n", count: 197) + String(repeating: "b", count: size - 14 - 1970 - 2)
                + "\r\n"
        }
        let exact = await submit(&driver, message(2000))
        #expect(exact.hasPrefix("250"))
        let more = await submit(&driver, message(2001), from: "<tim@example.com> SIZE=10")
        #expect(more == "552 5.3.4 Message size exceeds the limit\r\n")
        #expect(try await fixture.inbox(of: "ned").count == 1)
        let after = await submit(&driver)
        #expect(after.hasPrefix("250"))
    }

    @Test("Eight-bit text is stored as it came, declared or not")
    func eightBit() async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        let message = "Subject: Grüße\r\n\r\n\u{20AC}\r\n"
        for from in ["<tim@example.com>", "<tim@example.com> BODY=8BITMIME", "<грета@example.org> SMTPUTF8"] {
            let reply = await submit(&driver, message, from: from)
            #expect(reply.hasPrefix("250"))
        }
        let bodies = try await fixture.inbox(of: "ned")
        #expect(bodies.map(withoutTrace) == .init(repeating: Array(message.utf8), count: 3))
        let last = String(decoding: try #require(bodies.last), as: UTF8.self)
        #expect(last.contains("with UTF8SMTPSA id"))
        #expect(last.hasPrefix("Return-Path: <грета@example.org>\r\n"))
    }

    @Test("Identifiers do not repeat")
    func identifiers() async throws {
        var driver = try await Fixture().loggedIn()
        var replies: Set<String> = []
        for _ in 0..<50 { replies.insert(await submit(&driver)) }
        #expect(replies.count == 50)
    }

    @Test("Mail for a postmaster without account goes where the operator said, else nowhere")
    func postmaster() async throws {
        var settings = Fixture.plain
        settings.postmaster = Address("Ned@example.com")
        let fixture = try await Fixture(delivery: settings)
        let other = try #require(Domain("other.example"))
        try await fixture.store.addDomain(other)
        var driver = try await fixture.loggedIn()
        let reply = await submit(&driver, to: ["<PostMaster@other.example>"])
        #expect(reply.hasPrefix("250"))
        #expect(try await fixture.inbox(of: "ned").count == 1)
        let unset = try await Fixture()
        try await unset.store.addDomain(other)
        var second = try await unset.loggedIn()
        _ = await second.send("MAIL FROM:<>\r\n")
        let refusal = await second.send("RCPT TO:<postmaster@other.example>\r\n")
        #expect(refusal.hasPrefix("550 5.1.1"))
    }
}

@Suite("When the store fails")
struct StoreFailureTests {
    private func driver(
        _ script: ScriptedWriter.Script
    ) async throws -> (Fixture, ScriptedWriter, SessionDriverBox) {
        let fixture = try await Fixture(settings: SubmissionSettings(maximumMessageSize: 4_000_000))
        let writer = ScriptedWriter(script)
        return (fixture, writer, SessionDriverBox(fixture, writer))
    }

    @Test("A large body goes to disk as it comes")
    func spills() async throws {
        let (fixture, writer, box) = try await driver(.init(spillsAt: 100_000))
        let line = String(repeating: "x", count: 98) + "\r\n"
        let reply = await box.submit("Subject: big\r\n\r\n" + String(repeating: line, count: 30_000))
        #expect(reply.hasPrefix("250"))
        #expect(writer.most < 200_000)
        #expect(try await fixture.inbox(of: "ned").first?.count ?? 0 > 3_000_000)
    }

    @Test(
        "Failures are temporary, and nothing is stored",
        arguments: [
            (ScriptedWriter.Script(spillsAt: 1000, spillError: .noSpace), "452 4.3.1"),
            (.init(spillsAt: 1000, spillError: .unavailable("secret path")), "451 4.3.0"),
            (.init(finishError: .noSpace), "452 4.3.1"), (.init(finishError: .overQuota), "452 4.2.2"),
            (.init(finishError: .unavailable("secret path")), "451 4.3.0"),
            (.init(finishError: .damaged("secret path")), "451 4.3.0"),
        ])
    func failures(_ script: ScriptedWriter.Script, _ code: String) async throws {
        let (fixture, _, box) = try await driver(script)
        let text = "Subject: x\r\n\r\n" + String(repeating: "RSET\r\n", count: 30_000)
        let reply = await box.submit(text)
        #expect(reply.hasPrefix(code))
        #expect(!reply.contains("secret"))
        #expect(reply.split(separator: "\r\n").count == 1)
        #expect(try await fixture.messageCount() == 0)
    }

    @Test("An account deleted meanwhile fails the whole message, for all")
    func deletedRecipient() async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        _ = await driver.send(
            "MAIL FROM:<tim@example.com>\r\nRCPT TO:<ned@example.com>\r\nRCPT TO:<dan@example.com>\r\nDATA\r\n")
        let address = try #require(Address("dan@example.com"))
        let dan = try #require(try await fixture.store.account(address))
        try await fixture.store.deleteAccount(dan.id)
        let reply = await driver.send("Subject: x\r\n\r\n.\r\n")
        #expect(reply.hasPrefix("451 4.3.0"))
        #expect(try await fixture.inbox(of: "ned").isEmpty)
    }
}

/// A driver of scripted writers, logged in.
struct SessionDriverBox {
    private let fixture: Fixture
    private let writer: ScriptedWriter

    init(_ fixture: Fixture, _ writer: ScriptedWriter) {
        self.fixture = fixture
        self.writer = writer
    }

    func submit(_ message: String) async -> String {
        var driver = SessionDriver<SubmissionSession, ScriptedService>(
            fixture.service.session(SessionContext(hostname: "mail.example.com", tls: Fixture.tls)),
            service: ScriptedService(base: fixture.service, writer: writer))
        _ = await driver.connect()
        _ = await driver.send(
            "EHLO a.example\r\nAUTH PLAIN \(Fixture.plainResponse)\r\nMAIL FROM:<tim@example.com>\r\n"
                + "RCPT TO:<ned@example.com>\r\nDATA\r\n")
        return await driver.send(message + ".\r\n")
    }
}
