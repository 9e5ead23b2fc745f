import MailTestSupport
import POP3Syntax
import SASL
import Testing
import WireFraming

@Suite("POP3 replies and messages")
struct EncodingTests {
    @Test(
        "Dot-stuffing",
        arguments: [
            ("", ".\r\n"), ("a\r\n", "a\r\n.\r\n"), ("a", "a\r\n.\r\n"), (".", "..\r\n.\r\n"), (".\r\n", "..\r\n.\r\n"),
            ("a\r\n.b\r\n", "a\r\n..b\r\n.\r\n"), ("a.\r\n", "a.\r\n.\r\n"), ("\r\n.\r\n", "\r\n..\r\n.\r\n"),
            ("a\n.\nb\r\n", "a\n..\nb\r\n.\r\n"), ("a\r", "a\r\r\n.\r\n"), ("a\n", "a\n\r\n.\r\n"),
            ("\n", "\n\r\n.\r\n"),
        ])
    func stuffing(_ message: String, _ expected: String) {
        #expect(Self.stuff([Array(message.utf8)]) == Array(expected.utf8))
    }

    @Test("Chunks make no difference", arguments: 0..<30)
    func chunks(_ seed: UInt64) {
        var random = Seeded(state: seed)
        let alphabet: [UInt8] = [0x0D, 0x0A, 0x2E, 0x2E, 0x61, 0xFF]
        for _ in 0..<50 {
            let count = Int.random(in: 0...40, using: &random)
            let message = (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            let cut = Self.cut(message, &random)
            #expect(Self.stuff(cut) == Self.stuff([message]))
            for lines in 0..<4 as Range<UInt32> {
                #expect(Self.top(cut, lines) == Self.top([message], lines))
                #expect(Self.top([message], lines) == Self.naiveTop(message, lines))
            }
            // Only the last line of a reply is a dot alone, however a client finds lines.
            let lines = Self.stuff([message]).split(separator: 0x0A, omittingEmptySubsequences: false)
            let dots = lines.filter { $0 == [0x2E, 0x0D] || $0 == [0x2E] }
            #expect(dots.count == 1 && lines.dropLast().last == [0x2E, 0x0D])
        }
    }

    private static func stuff(_ chunks: [[UInt8]]) -> [UInt8] {
        var (stuffing, output) = (DotStuffing(), OutputBuffer())
        for chunk in chunks { stuffing.encode(chunk.span, into: &output) }
        stuffing.finish(into: &output)
        return output.take()
    }

    private static func top(_ chunks: [[UInt8]], _ lines: UInt32) -> [UInt8] {
        var limit = TopLimit(lines: lines)
        return chunks.flatMap { chunk in chunk.prefix(limit.admit(chunk.span)) }
    }

    private static func naiveTop(_ message: [UInt8], _ lines: UInt32) -> [UInt8] {
        var result: [UInt8] = []
        var bodyLines: UInt32?
        for line in message.split(separator: 0x0A, omittingEmptySubsequences: false) {
            if bodyLines == lines { break }
            result += line + [0x0A]
            if let count = bodyLines {
                bodyLines = count + 1
            } else if line.allSatisfy({ $0 == 0x0D }) {
                bodyLines = 0
            }
        }
        return Array(result.prefix(message.count))
    }

    private static func cut(_ bytes: [UInt8], _ random: inout Seeded) -> [[UInt8]] {
        var chunks: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(Int.random(in: 1...5, using: &random))
            chunks.append(Array(chunk))
            rest = rest.dropFirst(chunk.count)
        }
        return chunks
    }

    @Test("Response codes are of the grammar (RFC 2449 §3), after -ERR", arguments: POP3ResponseCode.allCases)
    func codes(_ code: POP3ResponseCode) {
        var output = OutputBuffer()
        output.error("text", code: code)
        let text = "\(code.text)"
        #expect(output.text == "-ERR \(text) text\r\n")
        #expect(text.hasPrefix("[") && text.hasSuffix("]"))
        #expect(text.dropFirst().dropLast().utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x5D })
    }

    @Test("Replies")
    func replies() {
        var output = OutputBuffer()
        output.ok("done")
        output.ok(2, 320)
        output.okMaildrop(count: 1, octets: 1)
        output.okMaildrop(count: 0, octets: 0)
        output.continuation([])
        output.continuation(Array("YQ==".utf8))
        output.error("no")
        #expect(
            output.text == "+OK done\r\n+OK 2 320\r\n+OK maildrop has 1 message (1 octet)\r\n"
                + "+OK maildrop has 0 messages (0 octets)\r\n+ \r\n+ YQ==\r\n-ERR no\r\n")
    }

    @Test("Capabilities")
    func capabilities() {
        var output = OutputBuffer()
        let all: [POP3Capability] = [
            .authRespCode, .expireNever, .implementation("x"), .lang, .loginDelay(seconds: 900), .pipelining,
            .respCodes, .sasl([.plain, .login]), .stls, .top, .uidl, .user, .utf8User,
        ]
        for capability in all { capability.write(to: &output) }
        #expect(
            output.text.split(separator: "\r\n") == [
                "AUTH-RESP-CODE", "EXPIRE NEVER", "IMPLEMENTATION x", "LANG", "LOGIN-DELAY 900", "PIPELINING",
                "RESP-CODES", "SASL PLAIN LOGIN", "STLS", "TOP", "UIDL", "USER", "UTF8 USER",
            ])
    }

    @Test("Which headers need UTF-8 mode (RFC 6856 §2.1)")
    func headers() {
        func needs(_ bytes: [UInt8]) -> Bool { isInternationalisedHeader(bytes.span) }
        #expect(needs(Array("Subject: Grüße\r\n\r\n".utf8)))
        #expect(needs(Array("Subject: Grüße".utf8)))
        #expect(needs(Array("A: 1\nSubject: Grüße\n\nx".utf8)))
        #expect(!needs(Array("Subject: a\r\n\r\nGrüße".utf8)), "8-bit bodies are MIME's business")
        #expect(!needs(Array("Subject: ".utf8) + [0xFC, 0x0D, 0x0A, 0x0D, 0x0A]), "ISO 8859-1 is not UTF-8")
        #expect(!needs(Array("\r\nGrüße".utf8)))
        #expect(!needs([]))
        #expect(needs(Array("Subject: Grüße\r\nX: y".utf8) + [0xC3]), "cut within a character")
    }
}
