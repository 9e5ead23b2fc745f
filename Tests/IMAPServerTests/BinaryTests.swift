import MailStore
import MailTestSupport
import MailVocabulary
import Testing
import WireFraming

@testable import IMAPServer

@Suite("BINARY (RFC 3516) [3516-4]")
struct BinaryTests {
    private static let mixed = """
        Subject: parts
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary=x

        --x
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        caf=C3=A9 =
        noir
        --x
        Content-Type: application/octet-stream
        Content-Transfer-Encoding: base64

        AAECAw==
        --x
        Content-Type: text/plain
        Content-Transfer-Encoding: x-uuencode

        begin 644 x
        --x
        Content-Type: message/rfc822
        Content-Transfer-Encoding: base64

        U3ViamVjdDogaW5uZXINCg0KYm9keQ0K
        --x--

        """

    @Test("Parts are told decoded, with a literal8 only where a NUL is") func parts() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([Self.mixed])
        let client = await fixture.session("INBOX")
        await client.expect(
            "a FETCH 1 (BINARY.PEEK[1] BINARY.SIZE[1])\r\n",
            "* 1 FETCH (BINARY[1] {10}\r\ncafé noir BINARY.SIZE[1] 10)\r\na OK FETCH completed\r\n")
        await client.expect(
            "b FETCH 1 (BINARY.SIZE[2] BINARY.PEEK[2])\r\n",
            "* 1 FETCH (BINARY.SIZE[2] 4 BINARY[2] ~{4}\r\n\0\u{1}\u{2}\u{3})\r\nb OK FETCH completed\r\n")
        await client.expect(
            "c FETCH 1 BINARY.PEEK[1]<3.4>\r\n", "* 1 FETCH (BINARY[1]<3> {4}\r\né n)\r\nc OK FETCH completed\r\n")
        #expect(await client.send("d FETCH 1 BINARY.PEEK[1]<100.4>\r\n").contains("BINARY[1]<100> {0}\r\n)"))
        #expect(await client.send("e FETCH 1 BINARY.PEEK[9]\r\n").contains("BINARY[9] NIL)"))
        #expect(await client.send("f FETCH 1 BINARY[2]<1.1>\r\n").contains("BINARY[2]<1> {1}\r\n\u{1} FLAGS (\\Seen"))
        #expect(await client.send("g FETCH 1 (BINARY.SIZE[] RFC822.SIZE)\r\n").hasSuffix("g OK FETCH completed\r\n"))
    }

    @Test("A part in an unknown encoding fails the command, and nothing of its message is told") func unknown()
        async throws
    {
        let fixture = try await Fixture()
        try await fixture.deliver([Fixture.simple(1), Self.mixed])
        let client = await fixture.session("INBOX")
        await client.expect(
            "a FETCH 2 (UID BINARY.PEEK[3])\r\n", "a NO [UNKNOWN-CTE] A part is encoded in an unknown way\r\n")
        await client.expect(
            "b FETCH 2 (BINARY.SIZE[3])\r\n", "b NO [UNKNOWN-CTE] A part is encoded in an unknown way\r\n")
        let both = await client.send("c FETCH 1:2 (BINARY.SIZE[1] BINARY.SIZE[3])\r\n")
        #expect(both.hasPrefix("* 1 FETCH (BINARY.SIZE[1] ") && both.contains("c NO [UNKNOWN-CTE] "))
    }

    @Test("A message that is encoded is an attachment, not a message") func encodedMessage() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([Self.mixed])
        let client = await fixture.session("INBOX")
        let structure = await client.send("a FETCH 1 BODYSTRUCTURE\r\n")
        #expect(structure.contains("(\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL \"BASE64\" 32"))
        #expect(await client.send("b FETCH 1 BINARY.PEEK[4]\r\n").contains("{24}\r\nSubject: inner\r\n\r\nbody\r\n)"))
    }

    @Test("A large part is decoded in pieces, from any place", arguments: [false, true])
    func large(quoted: Bool) async throws {
        let fixture = try await Fixture()
        var random = SeededGenerator(5)
        let content = (0..<900_000).map { _ in UInt8.random(in: quoted ? 65...90 : 0...255, using: &random) }
        let encoding = quoted ? "quoted-printable" : "base64"
        let body = quoted ? Self.soft(content) : Self.base64(content)
        try await fixture.deliver(["Content-Transfer-Encoding: \(encoding)\n\n\(body)"])
        let client = await fixture.session("INBOX")
        let answer = await client.sendBytes(Array("a FETCH 1 (BINARY.PEEK[1] UID)\r\n".utf8))
        let head = "* 1 FETCH (BINARY[1] \(quoted ? "" : "~"){900000}\r\n"
        #expect(answer.starts(with: head.utf8))
        let tail = Array(" UID 1)\r\na OK FETCH completed\r\n".utf8)
        #expect(Array(answer.suffix(tail.count)) == tail)
        #expect(Array(answer.dropFirst(head.utf8.count).dropLast(tail.count)) == content)
        let part = await client.sendBytes(Array("b FETCH 1 BINARY.PEEK[1]<654321.1000>\r\n".utf8))
        #expect(part.count > 1000)
        let wanted = Array(content[654_321..<655_321])
        #expect(Array(part.drop { $0 != 0x0A }.dropFirst().prefix(1000)) == wanted)
        #expect(await client.send("c FETCH 1 BINARY.SIZE[1]\r\n").contains("BINARY.SIZE[1] 900000)"))
    }

    @Test("No step of it writes more than its share") func bounded() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([
            "Content-Transfer-Encoding: base64\n\n" + Self.base64([UInt8](repeating: 7, count: 1_000_000))
        ])
        var stepper = try await fixture.stepper(selecting: "INBOX")
        let sizes = await stepper.outputs("a FETCH 1 BINARY.PEEK[1]\r\n")
        #expect(sizes.reduce(0, +) > 1_000_000)
        #expect((sizes.max() ?? 0) <= productionChunk + 1024)
    }

    private static func soft(_ content: [UInt8]) -> String {
        stride(from: 0, to: content.count, by: 70).map { start in
            String(decoding: content[start..<min(start + 70, content.count)], as: UTF8.self)
        }.joined(separator: "=\n")
    }

    static func base64(_ content: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var result: [UInt8] = []
        for start in stride(from: 0, to: content.count, by: 3) {
            let group = content[start..<min(start + 3, content.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for index in 0...group.count { result.append(digits[Int(bits >> UInt32(18 - 6 * index) & 63)]) }
            for _ in group.count..<3 { result.append(UInt8(ascii: "=")) }
            if start % 54 == 51 { result.append(0x0A) }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
