import MailTestSupport
import Testing
import WireFraming

@Suite("Smuggling")
struct SmugglingTests {
    private static let inner =
        "MAIL FROM:<eve@example.com>\r\nRCPT TO:<dan@example.com>\r\nDATA\r\nSubject: smuggled\r\n\r\nx"

    /// Ends that some server takes for one, and this one does not.
    static let forgedEnds = [
        "\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r", "\n.\r", "\r.\n", "\r\r\n.\r\r\n",
        "\r\n.\r\r\n", "\r\n\0.\r\n", "\r\n.\0\r\n", "\0\r\n.\0\r\n", "\n\n.\r\n", "\r\n\n.\n\r\n", "\n\r.\r\n",
        "\r\n\r.\r\n", "\n.\n\n", "\r\n.\n\r\n",
    ]

    @Test("A forged end hides nothing: one refusal, nothing stored, nothing read as command", arguments: forgedEnds)
    func forgedEnd(_ end: String) async throws {
        for byByte in [false, true] {
            let fixture = try await Fixture()
            var driver = try await fixture.loggedIn()
            _ = await driver.send("MAIL FROM:<tim@example.com>\r\nRCPT TO:<ned@example.com>\r\nDATA\r\n")
            let stream = "Subject: x\r\n\r\nbody\(end)\(Self.inner)\r\n.\r\n"
            let reply = byByte ? await driver.drip(stream) : await driver.send(stream)
            #expect(reply.hasPrefix("554 5.6.0"), "\(reply)")
            #expect(reply.split(separator: "\r\n").count == 1)
            #expect(try await fixture.messageCount() == 0)
            let events = driver.events
            #expect(events.contains { if case .violation = $0 { true } else { false } })
            let next = await driver.send("NOOP\r\n")
            #expect(next == "250 2.0.0 OK\r\n")
        }
    }

    @Test("The true end ends, and what follows is the next command")
    func trueEnd() async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        _ = await driver.send("MAIL FROM:<tim@example.com>\r\nRCPT TO:<ned@example.com>\r\nDATA\r\n")
        let reply = await driver.send("Subject: x\r\n\r\n..\r\n.\r\nNOOP\r\n")
        #expect(reply.split(separator: "\r\n").count == 2)
        let stored = try await fixture.inbox(of: "ned")
        #expect(stored.map(withoutTrace) == [Array("Subject: x\r\n\r\n.\r\n".utf8)])
    }

    @Test("Line ends and control characters in arguments inject nothing")
    func injectedArguments() async throws {
        let fixture = try await Fixture()
        for argument in [
            "<tim@example.com>\r\u{0}", "<tim\r@example.com>", "<\"a\rb\"@example.com>",
            "<tim@example.com> SIZE=1\u{7F}",
            "<tim@example.com\0>", "<tim@example.com>\t", "<\u{1B}[2J@example.com>",
        ] {
            var driver = try await fixture.loggedIn()
            let reply = await driver.send("MAIL FROM:\(argument)\r\n")
            #expect(reply == "500 5.5.2 Control characters are not allowed\r\n")
        }
        var driver = try await fixture.loggedIn()
        let reply = await driver.send("MAIL FROM:<tim@example.com>\nRCPT TO:<ned@example.com>\r\nDATA\r\n")
        #expect(reply == "521 5.5.2 Lines must end with CRLF, closing connection\r\n")
    }

    @Test("No reply holds what the client sent")
    func noReflection() async throws {
        let canary = "zqxcanary"
        for line in [
            "EHLO \(canary).example", "HELO \(canary).example", "MAIL FROM:<\(canary)@example.com>",
            "RCPT TO:<\(canary)@example.com>", "VRFY \(canary)", "EXPN \(canary)", "HELP \(canary)", "NOOP \(canary)",
            canary, "AUTH \(canary)", "MAIL FROM:<a@b.example> \(canary)=1", "GET /\(canary) HTTP/1.1",
        ] {
            var driver = try await Fixture().loggedIn()
            if line.hasPrefix("RCPT") { _ = await driver.send("MAIL FROM:<>\r\n") }
            let reply = await driver.send(line + "\r\n")
            #expect(!reply.isEmpty)
            #expect(!reply.contains(canary))
        }
    }

    @Test(
        "A browser's request ends the connection, before TLS and inside", arguments: ["GET", "POST", "PUT", "OPTIONS"])
    func http(_ method: String) async throws {
        let fixture = try await Fixture()
        let request = "\(method) / HTTP/1.1\r\nHost: mail.example.com\r\n\r\nMAIL FROM:<eve@example.com>\r\n"
        var clear = fixture.plainConnection()
        _ = await clear.connect()
        let clearReply = await clear.send(request)
        var inside = try await fixture.loggedIn()
        let insideReply = await inside.send(request)
        for reply in [clearReply, insideReply] {
            #expect(reply == "421 4.7.0 This is not a web server, closing connection\r\n")
        }
        let (clearClosed, insideClosed) = (clear.isClosed, inside.isClosed)
        #expect(clearClosed && insideClosed)
    }
}
