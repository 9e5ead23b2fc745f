import MailTestSupport
import Testing
import WireFraming

@Suite("STARTTLS")
struct StartTLSTests {
    // [8314-A-1s]
    @Test(
        "Any input behind STARTTLS is a violation: no handshake, no reply to it, the end",
        arguments: ["RSET\r\n", "NOOP", "\r\n", "\u{16}\u{3}\u{1}", "MAIL FROM:<eve@example.com>\r\nQUIT\r\n"])
    func injection(_ behind: String) async throws {
        for greeting in ["", "EHLO a.example\r\n"] {
            var driver = try await Fixture().plainConnection()
            _ = await driver.connect()
            _ = await driver.send(greeting)
            let reply = await driver.send("STARTTLS\r\n" + behind)
            #expect(reply == "554 5.7.0 Nothing may follow STARTTLS, closing connection\r\n")
            let (isClosed, awaitsHandshake, events) = (driver.isClosed, driver.awaitsHandshake, driver.events)
            #expect(isClosed)
            #expect(!awaitsHandshake)
            #expect(events == [.violation("input behind STARTTLS")])
        }
    }

    // [8314-A-1s]
    @Test("What comes after the answer and before the handshake never reaches the session")
    func secondSegment() async throws {
        var driver = try await Fixture().plainConnection()
        _ = await driver.connect()
        _ = await driver.send("EHLO a.example\r\nSTARTTLS\r\n")
        let early = await driver.send("EHLO evil.example\r\nNOOP\r\n")
        #expect(early.isEmpty)
        let greeting = await driver.handshake()
        #expect(greeting.isEmpty)
        let reply = await driver.send("NOOP\r\n")
        #expect(reply == "250 2.0.0 OK\r\n")
        let mail = await driver.send("MAIL FROM:<tim@example.com>\r\n")
        #expect(mail.hasPrefix("503 5.5.1"))
    }

    // [8314-A-1s]
    @Test("Inside TLS nothing is known of before: EHLO is asked for again")
    func forgets() async throws {
        var driver = try await Fixture().plainConnection()
        _ = await driver.connect()
        let before = await driver.send("EHLO a.example\r\n")
        #expect(before.contains("STARTTLS"))
        #expect(!before.contains("AUTH"))
        _ = await driver.send("STARTTLS\r\n")
        _ = await driver.handshake()
        let auth = await driver.send("AUTH PLAIN \(Fixture.plainResponse)\r\n")
        #expect(auth.hasPrefix("503 5.5.1"))
        let after = await driver.send("EHLO a.example\r\n")
        #expect(!after.contains("STARTTLS"))
        #expect(after.contains("AUTH PLAIN LOGIN"))
    }

    @Test("Where it cannot succeed, STARTTLS is not offered and not begun [8314-4-6] [DEEP-9.2-3]")
    func unavailable() async throws {
        var driver = try await Fixture().plainConnection(canStartTLS: false)
        _ = await driver.connect()
        let offer = await driver.send("EHLO a.example\r\n")
        #expect(!offer.contains("STARTTLS"))
        #expect(!offer.contains("AUTH"))
        let reply = await driver.send("STARTTLS\r\n")
        #expect(reply == "454 4.7.0 TLS not available due to temporary reason\r\n")
        let mail = await driver.send("MAIL FROM:<tim@example.com>\r\n")
        #expect(mail.hasPrefix("530 5.7.0"))
    }

    // [8314-4.1-4] [2595-6-1s] [2595-2.3-1s]
    @Test("In the clear, right and wrong credentials get the same refusal, and none is looked at or invited")
    func clearCredentials() async throws {
        var replies: Set<String> = []
        for line in ["AUTH PLAIN \(Fixture.plainResponse)", "AUTH PLAIN AHRpbQB3cm9uZw==", "AUTH PLAIN", "AUTH LOGIN"] {
            var driver = try await Fixture().plainConnection()
            _ = await driver.connect()
            _ = await driver.send("EHLO a.example\r\n")
            replies.insert(await driver.send(line + "\r\n"))
            let events = driver.events
            #expect(events.isEmpty)
        }
        #expect(replies == ["530 5.7.0 Must issue a STARTTLS command first\r\n"])
    }
}
