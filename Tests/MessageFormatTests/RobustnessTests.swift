import Testing

@testable import MessageFormat

@Suite("Any bytes are a message")
struct RobustnessTests {
    private static let seeds: [[UInt8]] = [
        message(StructureTests.nested),
        message("From: g: a@x, \"b\" <c@d>;, e (f) <@g:h@i>\nSubject: =?utf-8?q?x?=\nDate: 1 Jan 2020 00:00 Z\n\nbody"),
        message("Content-Type: multipart/digest; boundary*0=b; boundary*1=c\n\n--bc\n\nA: b\n\nc\n--bc\n\n--bc--\n"),
        message("Content-Type: text/plain; a*0*=utf-8''%41; a*1=x (c)\nContent-Disposition: x; y=z\n\n"),
        octets(
            "From a\nA: b\rC: d\0\nContent-Type: message/rfc822\n\nContent-Type: multipart/x;boundary=\"b \"\n\n--b\n"),
    ]
    private static let spice = Array("\r\n\r\n\t :;,<>@()\"\\-=*/'?\0\u{E9}b".utf8)

    private func check(_ bytes: [UInt8]) {
        let found = MessageSummary(parsing: bytes.span)
        #expect(rangesAreNested(found.structure, in: 0..<bytes.count), "\(bytes)")
        #expect(found.structure.headerRange.lowerBound == 0 && found.structure.bodyRange.upperBound == bytes.count)
        #expect(MessageSummary(encoded: found.encoded().span) == found, "\(bytes)")
    }

    @Test("Every prefix and every suffix of a message")
    func cutOff() {
        for seed in Self.seeds {
            for index in 0...seed.count {
                check(Array(seed[..<index]))
                check(Array(seed[index...]))
            }
        }
    }

    @Test("Messages with octets changed, taken out, doubled and exchanged", arguments: 1...8 as ClosedRange<UInt64>)
    func mutated(state: UInt64) {
        var random = SeededGenerator(state: state)
        for _ in 0..<400 {
            var bytes = Self.seeds[Int.random(in: 0..<Self.seeds.count, using: &random)]
            for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                let end = min(bytes.count, at + Int.random(in: 1...40, using: &random))
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[at] = Self.spice[Int.random(in: 0..<Self.spice.count, using: &random)]
                case 1: bytes.removeSubrange(at..<end)
                case 2: bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0..<bytes.count, using: &random))
                case 3: bytes[at] = .random(in: 0...255, using: &random)
                case _: bytes.swapAt(at, Int.random(in: 0..<bytes.count, using: &random))
                }
            }
            check(bytes)
        }
    }

    @Test("Random octets of the grammar's own marks")
    func soup() {
        var random = SeededGenerator(state: 99)
        let words = [
            "Content-Type:", "multipart/mixed", ";boundary=b", "\r\n", "\r\n\r\n", "--b", "--b--", "From:",
            "message/rfc822",
        ]
        for _ in 0..<2000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...40, using: &random) {
                if Bool.random(using: &random) {
                    bytes += octets(words[Int.random(in: 0..<words.count, using: &random)])
                } else {
                    bytes.append(Self.spice[Int.random(in: 0..<Self.spice.count, using: &random)])
                }
            }
            check(bytes)
        }
    }

    @Test("Nesting beyond the limit is a leaf")
    func deep() {
        let levels = MessageLimits.depth * 3
        var multiparts = ""
        for level in 0..<levels { multiparts += "Content-Type: multipart/mixed; boundary=b\(level)\n\n--b\(level)\n" }
        let messages = String(repeating: "Content-Type: message/rfc822\n\n", count: levels)
        for whole in [multiparts, messages] {
            let bytes = message(whole)
            check(bytes)
            var part = parse(bytes).structure
            var depth = 0
            while let inner = part.part(at: [1, 1]) ?? part.encapsulatedMessage ?? part.part(at: [1]), inner != part {
                part = inner
                depth += 1
            }
            #expect(depth <= MessageLimits.depth)
            #expect(part.mediaType.type == MediaType.opaque.type)
        }
    }

    @Test("The part that reaches the limit extends to the end")
    func manyParts() throws {
        let whole = "Content-Type: multipart/mixed; boundary=b\n\n" + String(repeating: "--b\n\nx\n", count: 3000)
        let bytes = message(whole)
        check(bytes)
        guard case .multipart(let children) = parse(bytes).structure.kind else {
            Issue.record("no multipart")
            return
        }
        #expect(children.count == MessageLimits.parts - 1)
        let last = try #require(children.last)
        #expect(last.bodyRange.upperBound == bytes.count)
    }

    /// Octets the structure parser looked at, for each octet of the message.
    private func workPerOctet(_ bytes: [UInt8]) -> Double {
        var parser = StructureParser(bytes.span)
        _ = parser.parse()
        return Double(parser.work) / Double(bytes.count)
    }

    @Test("Work is in proportion to the size, whatever the boundaries")
    func linear() {
        var levels = ""
        for level in 0..<60 {
            levels += "Content-Type: multipart/mixed; boundary=\"\(String(repeating: "-", count: 60))\(level)\"\n\n"
            levels += "--\(String(repeating: "-", count: 60))\(level)\n"
        }
        let dashes = String(repeating: String(repeating: "-", count: 64) + "\n", count: 4000)
        let delimiters = String(repeating: "--b\n", count: 20_000)
        for whole in [
            levels + "\n" + dashes, "Content-Type: multipart/mixed; boundary=b\n\n" + delimiters,
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n" + String(repeating: "--x:y\n", count: 20_000),
            String(repeating: "A: b\n", count: 50_000), "\n" + String(repeating: "x", count: 1_000_000),
        ] {
            #expect(workPerOctet(message(whole)) <= 3)
        }
    }
}
