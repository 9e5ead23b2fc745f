import MailTestSupport
import POP3Server
import Testing
import WireFraming

@Suite("POP3 STLS")
struct StartTLSTests {
    @Test(
        "Bytes behind STLS: an error, no handshake, a violation, the end [8314-A-1s]",
        arguments: ["CAPA\r\n", "USER mrose\r\nPASS tanstaaf\r\n", "U", "\r\n", "\u{16}\u{03}\u{01}"])
    func injection(_ behind: String) async throws {
        var driver = try await Fixture().plainConnection()
        _ = await driver.connect()
        #expect(await driver.send("STLS\r\n" + behind) == "-ERR command sent behind STLS\r\n")
        #expect(driver.awaitsHandshake == false)
        #expect(driver.isClosed == true)
        #expect(driver.events == [.violation("command sent behind STLS")])
        #expect(await driver.send("CAPA\r\n").isEmpty)
    }

    @Test("Bytes sent in a later segment, before the handshake, are the handshake's [8314-A-1s]")
    func laterSegment() async throws {
        var driver = try await Fixture().plainConnection()
        _ = await driver.connect()
        #expect(await driver.send("STLS\r\n") == "+OK begin TLS negotiation\r\n")
        #expect(await driver.send("USER mrose\r\nPA").isEmpty)
        #expect(await driver.handshake().isEmpty)
        #expect(await driver.send("PASS tanstaaf\r\n") == "-ERR send USER first\r\n")
    }

    @Test("The handshake begins right behind the answer's CRLF [2595-4-4]")
    func answerIsLast() async throws {
        var session = POP3Session(SessionContext(hostname: "h", canStartTLS: true), authenticator: ClosedDoor())
        var output = SessionOutput()
        _ = session.connected(&output)
        output = SessionOutput()
        var consumed = 0
        let step = session.received(Array("STLS\r\n".utf8).span, consumed: &consumed, &output)
        guard case .startTLS = step else {
            Issue.record("no handshake")
            return
        }
        #expect(output.bytes.text == "+OK begin TLS negotiation\r\n")
        #expect(consumed == 6)
    }

    @Test("After STLS the session is in AUTHORIZATION [2595-4-7]")
    func staysInAuthorization() async throws {
        var driver = try await Fixture().plainConnection()
        _ = await driver.connect()
        _ = await driver.send("STLS\r\n")
        _ = await driver.handshake()
        #expect(driver.isAnonymous == true)
        #expect(await driver.send("STAT\r\n").hasPrefix("-ERR"))
    }

    @Test("STLS is offered only when it can succeed, and not under TLS [8314-4-6] [2595-4-2]")
    func offered() async throws {
        let fixture = try await Fixture()
        var without = fixture.plainConnection(canStartTLS: false)
        _ = await without.connect()
        #expect(await !without.send("CAPA\r\n").contains("STLS"))
        #expect(await without.send("STLS\r\n") == "-ERR [SYS/PERM] TLS is not available\r\n")
        #expect(without.awaitsHandshake == false)
        var with = fixture.plainConnection()
        _ = await with.connect()
        #expect(await with.send("CAPA\r\n").contains("\r\nSTLS\r\n"))
        var secure = fixture.secureConnection()
        _ = await secure.connect()
        #expect(await !secure.send("CAPA\r\n").contains("STLS"))
    }

    @Test(
        "CAPA exists; USER and PLAIN appear with TLS only [DEEP-7.2-1] [2595-4-1] [2595-4-12] [2595-8-2] [2595-6-1s]")
    func capabilities() async throws {
        let fixture = try await Fixture()
        var plain = fixture.plainConnection()
        _ = await plain.connect()
        let before = await plain.send("CAPA\r\n")
        #expect(before.hasPrefix("+OK") && !before.contains("\r\nUSER") && !before.contains("SASL"))
        _ = await plain.send("STLS\r\n")
        _ = await plain.handshake()
        let after = await plain.send("CAPA\r\n")
        #expect(after.contains("\r\nUSER\r\n") && after.contains("\r\nSASL PLAIN\r\n"))
    }

    @Test("STLS twice, and with TLS from the start [2595-4-13]")
    func twice() async throws {
        var driver = try await Fixture().plainConnection()
        _ = await driver.connect()
        #expect(await driver.send("STLS\r\n") == "+OK begin TLS negotiation\r\n")
        _ = await driver.handshake()
        #expect(await driver.send("STLS\r\nCAPA\r\n").hasPrefix("-ERR command not permitted when TLS active\r\n+OK"))
        #expect(driver.isClosed == false)
    }
}
