import MailTestSupport
import Testing
import WireFraming

@testable import IMAPServer

@Suite struct ForeignProtocolTests {
    @Test(
        "HTTP and TLS are recognised by their first octets, commands are not taken for them",
        arguments: [
            ("GET / HTTP/1.1\r\n", ForeignProtocol.Verdict.found("HTTP")), ("get /x", .found("HTTP")),
            ("OPTIONS * HTTP/1.1", .found("HTTP")), ("CONNECT mail:25", .found("HTTP")), ("\u{16}\u{3}", .found("TLS")),
            ("GET NOOP\r\n", .none), ("a1 NOOP\r\n", .none), ("POSTED NOOP\r\n", .none), ("a\r\n", .none),
            ("", .needsMore), ("GE", .needsMore), ("GET ", .needsMore),
        ])
    func recognize(_ text: String, _ verdict: ForeignProtocol.Verdict) {
        let bytes = Array(text.utf8)
        #expect(ForeignProtocol.recognize(bytes.span) == verdict)
    }

    @Test("A foreign first line is logged, not answered; a later one is only a bad command") func session() async throws
    {
        let fixture = try await Fixture()
        let client = fixture.client()
        _ = await client.connect()
        await client.expect("POST /mail HTTP/1.1\r\nHost: x\r\n\r\na LOGIN fred secret\r\n", "")
        #expect(client.isClosed)
        #expect(client.events == [.violation("HTTP on the IMAP port")])
        let other = fixture.client()
        _ = await other.connect()
        #expect(await other.send("a NOOP\r\nGET / HTTP/1.1\r\n").contains("\r\nGET BAD "))
    }

    @Test("What a client says in ID reaches the log without control characters") func identification() async throws {
        let fixture = try await Fixture()
        let client = fixture.client()
        _ = await client.connect()
        let answer = await client.send("a ID (\"name\" {8+}\r\nbad\u{1B}[2Jx \"version\" NIL)\r\n")
        #expect(answer.hasSuffix("a OK ID completed\r\n"))
        #expect(client.events == [.notice("client: name=bad?[2Jx")])
    }
}
