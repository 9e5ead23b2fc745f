import MailTestSupport
import Testing

@testable import SQLiteStore

@Suite("Checksums and record headers")
struct ChecksumTests {
    /// The empty input and "abc" are from the specification's implementations.
    @Test(arguments: [("", 0xEF46_DB37_51D8_E999), ("abc", 0x44BC_2CF5_AD77_0999)] as [(String, UInt64)])
    func knownValues(_ text: String, _ expected: UInt64) {
        #expect(Array(text.utf8).withUnsafeBytes { Checksum.of($0) } == expected)
    }

    @Test("pieces give what the whole gives")
    func pieces() {
        var random = SeededRandom(seed: 5)
        let bytes = (0..<1000).map { _ in UInt8.random(in: 0...255, using: &random) }
        for length in 0..<200 {
            let whole = bytes[..<length].withUnsafeBytes { Checksum.of($0) }
            for _ in 0..<4 {
                var checksum = Checksum()
                var start = 0
                while start < length {
                    let end = Int.random(in: start...length, using: &random)
                    bytes[start..<end].withUnsafeBytes { checksum.update($0) }
                    start = end
                }
                #expect(checksum.value == whole)
            }
        }
    }

    @Test("a header comes back as written, and not from anything else")
    func header() {
        let header = SegmentHeader(body: 0x0102_0304_0506, length: 77, checksum: .max)
        let bytes = header.encoded
        #expect(bytes.count == SegmentHeader.size)
        #expect(bytes.withUnsafeBytes { SegmentHeader($0) } == header)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(changed.withUnsafeBytes { SegmentHeader($0) } == nil)
        }
        #expect(bytes.dropLast().withUnsafeBytes { SegmentHeader($0) } == nil)
    }
}
