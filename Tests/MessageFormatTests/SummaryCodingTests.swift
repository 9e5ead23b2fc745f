import MessageFormat
import Testing

@Suite("A summary's stored form")
struct SummaryCodingTests {
    private static let original = summary(
        "Subject: x\nReferences: <a@x>\n <\"b\"@y>\nFrom: A <@r:a@x>, g: b@y;\nSender: c@z\nDate:\n"
            + StructureTests.nested)

    @Test("Comes back as it was")
    func roundTrip() {
        let encoded = Self.original.encoded()
        #expect(encoded.first == MessageSummary.encodingVersion)
        #expect(MessageSummary(encoded: encoded.span) == Self.original)
        #expect(Self.original.references == [Array("a@x".utf8), Array("b@y".utf8)])
        let ranges = EncodedEnvelope(encodedSummary: encoded.span)?.references ?? []
        #expect(ranges.map { Array(encoded[$0]) } == Self.original.references)
        #expect(Envelope(encodedSummary: encoded.span) == Self.original.envelope)
        #expect(BodyPart(encodedSummary: encoded.span) == Self.original.structure)
    }

    @Test("Is nil when cut off, when more follows, and for another version")
    func damaged() {
        let encoded = Self.original.encoded()
        for length in encoded.indices {
            let cut = Array(encoded[..<length])
            #expect(MessageSummary(encoded: cut.span) == nil)
            #expect(BodyPart(encodedSummary: cut.span) == nil)
        }
        let longer = encoded + [0]
        #expect(MessageSummary(encoded: longer.span) == nil)
        let other = [MessageSummary.encodingVersion + 1] + encoded.dropFirst()
        #expect(MessageSummary(encoded: other.span) == nil)
    }

    @Test("Lengths larger than what is there are damage")
    func absurdNumbers() {
        let largest: [UInt8] = Array(repeating: 0xFF, count: 8) + [0x7F]
        for length in 0..<40 {
            let bytes = [MessageSummary.encodingVersion] + Array(repeating: 0, count: length) + largest
            #expect(MessageSummary(encoded: bytes.span) == nil)
        }
        let endless = [MessageSummary.encodingVersion] + [UInt8](repeating: 0xFF, count: 30)
        #expect(MessageSummary(encoded: endless.span) == nil)
    }

    @Test("Any change of octets gives nil or a summary whose ranges are sound")
    func mutated() {
        var random = SeededGenerator(state: 7)
        let encoded = Self.original.encoded()
        var read = 0
        for _ in 0..<20_000 {
            var bytes = encoded
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            guard let found = MessageSummary(encoded: bytes.span) else { continue }
            read += 1
            let root = found.structure
            #expect(root.headerRange.upperBound <= root.bodyRange.lowerBound)
            #expect(MessageSummary(encoded: found.encoded().span) == found)
        }
        #expect(read > 0)
    }
}
