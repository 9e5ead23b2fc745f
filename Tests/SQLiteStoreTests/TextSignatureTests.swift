import MailTestSupport
import Testing

@testable import SQLiteStore

@Suite("What is kept of a text")
struct TextSignatureTests {
    /// Words of few letters, or octets of any kind.
    private static func text(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
        let isText = Bool.random(using: &random)
        return (0..<count).map { _ in
            isText ? UInt8.random(in: 0x41...0x5A, using: &random) : UInt8.random(in: 0...255, using: &random)
        }
    }

    private static func columns(_ words: [UInt64]) -> [ArraySlice<UInt64>] {
        stride(from: 0, to: words.count, by: TextSignature.wordCount).map {
            words[$0..<$0 + TextSignature.wordCount]
        }
    }

    private static func holds(_ words: [UInt64], _ rows: [Int]) -> Bool {
        columns(words).contains { column in
            rows.allSatisfy { column[column.startIndex + $0 / 64] >> UInt64($0 % 64) & 1 != 0 }
        }
    }

    @Test("a text is never excluded by what stands in it", arguments: 0..<30)
    func neverExcluded(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let texts = (0..<3).map { _ in Self.text(Int.random(in: 0...20_000, using: &random), &random) }
        var builder = SignatureBuilder()
        for text in texts { builder.add(text.span) }
        let words = builder.finish()
        for text in texts where !text.isEmpty {
            for _ in 0..<200 {
                let start = Int.random(in: 0..<text.count, using: &random)
                let length = Int.random(in: 1...120, using: &random)
                let sought = Array(text[start..<min(text.count, start + length)])
                #expect(Self.holds(words, TextSignature.rows(of: sought)), "\(length) octets at \(start)")
            }
        }
    }

    @Test("columns are never fuller than they may be, and a long text has several")
    func columnLimit() {
        var random = SeededRandom(seed: 1)
        var builder = SignatureBuilder()
        let text = (0..<60_000).map { _ in UInt8.random(in: 0x20...0xFF, using: &random) }
        builder.add(text.span)
        let columns = Self.columns(builder.finish())
        #expect(columns.count > 20)
        for column in columns {
            #expect(column.reduce(0) { $0 + $1.nonzeroBitCount } <= TextSignature.rowsPerColumn)
        }
    }

    @Test("what was not put in is mostly excluded")
    func excludes() {
        var random = SeededRandom(seed: 2)
        var excluded = 0
        for _ in 0..<100 {
            var builder = SignatureBuilder()
            let text = (0..<4096).map { _ in UInt8.random(in: 0x41...0x5A, using: &random) }
            builder.add(text.span)
            let sought = (0..<9).map { _ in UInt8.random(in: 0x61...0x7A, using: &random) }
            if !Self.holds(builder.finish(), TextSignature.rows(of: sought)) { excluded += 1 }
        }
        #expect(excluded > 90)
    }

    @Test("a text beyond all columns may contain anything")
    func tooLong() {
        var random = SeededRandom(seed: 3)
        var builder = SignatureBuilder()
        for _ in 0..<300 {
            let text = (0..<10_000).map { _ in UInt8.random(in: 0x20...0xFF, using: &random) }
            builder.add(text.span)
        }
        #expect(builder.finish() == SignatureBuilder.anything)
    }

    @Test("what has no three octets of text has no rows", arguments: ["", "A", "AB", "A\nB\tC", "\r\n\r\n"])
    func noTrigram(_ text: String) {
        #expect(TextSignature.rows(of: Array(text.utf8)).isEmpty)
    }

    @Test("two letters beyond ASCII have rows")
    func shortButLong() {
        #expect(!TextSignature.rows(of: Array("ДА".utf8)).isEmpty)
        #expect(!TextSignature.rows(of: Array("日".utf8)).isEmpty)
    }

    @Test("packing and unpacking", arguments: [1, 63, 64, 65, 200])
    func pack(_ count: Int) {
        var random = SeededRandom(seed: UInt64(count))
        let columns = (0..<count * TextSignature.wordCount).map { _ in UInt64.random(in: 0 ... .max, using: &random) }
        let rows = TextPack.rows(of: columns)
        let words = TextPack.wordsPerRow(count)
        #expect(rows.count == TextSignature.rowCount * words)
        for _ in 0..<500 {
            let (row, column) = (
                Int.random(in: 0..<TextSignature.rowCount, using: &random), Int.random(in: 0..<count, using: &random)
            )
            let packed = rows[row * words + column / 64] >> UInt64(column % 64) & 1
            #expect(packed == columns[column * TextSignature.wordCount + row / 64] >> UInt64(row % 64) & 1)
        }
        #expect(TextPack.columns(of: rows, count: count) == columns)
    }
}
