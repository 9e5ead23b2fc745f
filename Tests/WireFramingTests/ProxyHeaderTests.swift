import MailTestSupport
import MailVocabulary
import Testing
import WireFraming

/// HAProxy's proxy-protocol.txt, §2.
@Suite("PROXY headers")
struct ProxyHeaderTests {
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

    private func read(_ text: String) -> ProxyHeader.Frame { ProxyHeader.read(Array(text.utf8).span) }

    private static func binary(_ command: UInt8, _ family: UInt8, _ rest: [UInt8]) -> [UInt8] {
        signature + [command, family, UInt8(rest.count >> 8), UInt8(rest.count & 0xFF)] + rest
    }

    private static let ipv4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 7, 0xDC, 0x04, 0x03, 0xE1]
    private static let ipv6: [UInt8] =
        [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1] + [0x20, 1, 0x0D, 0xB8]
        + [UInt8](repeating: 0, count: 11) + [2] + [0, 80, 3, 0xE1]

    private func source(_ frame: ProxyHeader.Frame) -> String? {
        guard case .header(let header, _) = frame else { return nil }
        return header.source.map { "\($0.address) \($0.port)" } ?? "none"
    }

    @Test func lines() {
        let line = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 993\r\n"
        guard case .header(let header, let length) = read(line + "a NOOP\r\n") else {
            Issue.record("not read")
            return
        }
        #expect(length == line.utf8.count && header.version == 1)
        #expect(header.source?.address == NetworkAddress("192.0.2.1") && header.source?.port == 56324)
        #expect(header.destination?.address == NetworkAddress("198.51.100.7") && header.destination?.port == 993)
        #expect(source(read("PROXY TCP6 2001:db8::1 ::1 0 65535\r\n")) == "2001:db8::1 0")
        #expect(source(read("PROXY UNKNOWN\r\n")) == "none")
        #expect(source(read("PROXY UNKNOWN ffff:f...f:ffff whatever 1 2 3\r\n")) == "none")
        let longest =
            "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"
        #expect(longest.utf8.count == 107 && source(read(longest)) == "none")
    }

    @Test("Every beginning of a header is incomplete, and nothing is taken before it is whole")
    func beginnings() {
        let headers = [
            Array("PROXY TCP4 192.0.2.1 198.51.100.7 56324 993\r\n".utf8), Self.binary(0x21, 0x11, Self.ipv4),
            Self.binary(0x21, 0x21, Self.ipv6 + [0x20, 0, 5, 1, 0, 0, 0, 0]), Self.binary(0x20, 0, []),
        ]
        for header in headers {
            for count in 0..<header.count {
                #expect(ProxyHeader.read(Array(header[..<count]).span) == .incomplete)
            }
            guard case .header(_, header.count) = ProxyHeader.read((header + [0x41]).span) else {
                Issue.record("not read: \(header)")
                continue
            }
        }
    }

    @Test(
        "Lines that are none",
        arguments: [
            "GET / HTTP/1.1\r\n", "EHLO x\r\n", "PROXY\r\n", "PROXY \r\n", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n",
            "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 ::1 1 2\r\n",
            "PROXY TCP4 ::ffff:1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 localhost 1.2.3.4 1 2\r\n", "PROXY TCP6 fe80::1%eth0x ::g 1 2\r\n",
        ])
    func badLines(text: String) {
        guard case .malformed = read(text) else {
            Issue.record("taken: \(text)")
            return
        }
    }

    @Test("A line of more than 107 octets is refused as soon as that is seen")
    func longLine() {
        #expect(read("PROXY UNKNOWN " + String(repeating: "x", count: 92)) == .incomplete)
        #expect(read("PROXY UNKNOWN " + String(repeating: "x", count: 93)) == .malformed("PROXY line too long"))
        #expect(
            read("PROXY UNKNOWN " + String(repeating: "x", count: 92) + "\r\n") == .malformed("PROXY line too long"))
    }

    @Test func binaryHeaders() {
        #expect(source(ProxyHeader.read(Self.binary(0x21, 0x11, Self.ipv4).span)) == "192.0.2.1 56324")
        #expect(source(ProxyHeader.read(Self.binary(0x21, 0x21, Self.ipv6).span)) == "2001:db8::1 80")
        #expect(source(ProxyHeader.read(Self.binary(0x21, 0x31, [UInt8](repeating: 1, count: 216)).span)) == "none")
        #expect(source(ProxyHeader.read(Self.binary(0x21, 0x00, []).span)) == "none")
        // LOCAL: whatever the family and the addresses say.
        #expect(source(ProxyHeader.read(Self.binary(0x20, 0x11, Self.ipv4).span)) == "none")
        #expect(source(ProxyHeader.read(Self.binary(0x20, 0x77, [1, 2, 3]).span)) == "none")
        // PP2_TYPE_SSL and PP2_TYPE_AUTHORITY are passed over.
        let values: [UInt8] = [0x20, 0, 5, 7, 0, 0, 0, 0, 0x02, 0, 1, 0x78]
        #expect(source(ProxyHeader.read(Self.binary(0x21, 0x11, Self.ipv4 + values).span)) == "192.0.2.1 56324")
    }

    @Test(
        "Binary headers that are none",
        arguments: [
            (0x11, 0x11, ipv4), (0x31, 0x11, ipv4), (0x22, 0x11, ipv4), (0x21, 0x12, ipv4), (0x21, 0x41, ipv4),
            (0x21, 0x11, Array(ipv4.dropLast())), (0x21, 0x21, ipv4), (0x21, 0x11, ipv4 + [1]),
            (0x21, 0x11, ipv4 + [1, 0, 1]), (0x21, 0x11, ipv4 + [1, 0xFF, 0xFF, 0]),
        ] as [(UInt8, UInt8, [UInt8])])
    func badBinary(command: UInt8, family: UInt8, rest: [UInt8]) {
        guard case .malformed = ProxyHeader.read(Self.binary(command, family, rest).span) else {
            Issue.record("taken: \(command) \(family) \(rest)")
            return
        }
    }

    @Test("What a header announces takes no memory")
    func longBinary() {
        let head = Self.signature + [0x21, 0x11, 0x10, 0x01]
        #expect(ProxyHeader.read(head.span) == .malformed("PROXY header too long"))
        #expect(ProxyHeader.read((Self.signature + [0x21, 0x11, 0x10, 0x00]).span) == .incomplete)
    }

    @Test("Mutated headers are read, refused or waited for")
    func mutations() {
        var generator = SeededGenerator(seed: 7)
        let seeds = [
            Array("PROXY TCP4 192.0.2.1 198.51.100.7 56324 993\r\nrest".utf8), Array("PROXY UNKNOWN x\r\n".utf8),
            Array("PROXY TCP6 2001:db8::1 ::ffff:192.0.2.1 0 65535\r\n".utf8), Self.binary(0x21, 0x11, Self.ipv4),
            Self.binary(0x21, 0x21, Self.ipv6 + [4, 0, 1, 0]), Self.binary(0x20, 0, []),
        ]
        for round in 0..<20_000 {
            var input = seeds[round % seeds.count]
            for _ in 0...Int.random(in: 0...2, using: &generator) {
                let place = Int.random(in: 0..<input.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: input[place] = UInt8.random(in: 0...255, using: &generator)
                case 1 where input.count > 1: input.remove(at: place)
                case _: input.insert(UInt8.random(in: 0...255, using: &generator), at: place)
                }
            }
            guard case .header(_, let length) = ProxyHeader.read(input.span) else { continue }
            #expect(length <= input.count)
        }
    }
}
