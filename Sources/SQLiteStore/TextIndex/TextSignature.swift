// What is kept of a text: which of 4096 rows its trigrams hash to. A text that contains another has all its rows, so
// a row that is missing excludes it; a text that has them all may contain it, and is read to find out.
//
// A long text takes several columns, so that none is so full that it excludes nothing. Neighbours overlap: the first
// `windowOctets` of whatever is sought lie in one column.

enum TextSignature {
    static let rowCount = 4096
    /// Words of 64 bits in a column.
    static let wordCount = rowCount / 64
    /// Rows set in a column at most: at 35 % a word of six letters, four trigrams, is excluded in 98 of 100 columns by
    /// hashes alone. Four KiB of English have some 1,100 different trigrams, a quarter of the rows.
    static let rowsPerColumn = 1434
    /// Octets of what is sought that are looked for.
    static let windowOctets = 64
    /// Of one message: some 6 MiB of text. A longer one may contain anything.
    static let columnsPerBody = 1024

    @inline(__always) fileprivate static func row(_ trigram: UInt32) -> Int {
        Int(((trigram & 0xFF_FFFF) &* 0x9E37_79B1) >> 20)
    }

    /// Line ends and their kin are in no trigram: nobody looks for them, and each line has some.
    @inline(__always) fileprivate static func isText(_ octet: UInt8) -> Bool { octet >= 0x20 }

    /// The rows that a text must have to contain this, ascending; empty when it has no trigram.
    static func rows(of sought: [UInt8]) -> [Int] {
        var rows: Set<Int> = []
        var (trigram, length): (UInt32, Int) = (0, 0)
        for octet in sought.prefix(windowOctets) {
            trigram = trigram << 8 | UInt32(octet)
            length = isText(octet) ? length + 1 : 0
            if length >= 3 { rows.insert(row(trigram)) }
        }
        return rows.sorted()
    }
}

/// Makes the columns of one message from its texts.
struct SignatureBuilder {
    /// Of all columns but the last, one behind the other.
    private var words: [UInt64] = []
    private var column = [UInt64](repeating: 0, count: TextSignature.wordCount)
    /// Rows set in the last column.
    private var rowCount = 0
    private var isTooLong = false

    /// - Parameter text: folded.
    mutating func add(_ text: Span<UInt8>) {
        var start = 0
        while !isTooLong, let next = text.withUnsafeBufferPointer({ fill($0, from: start) }) {
            closeColumn()
            start = next
        }
    }

    /// Sets rows of the last column until it is full: then returns where the next column begins.
    private mutating func fill(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var run = Run(index: start)
        while run.index < text.count {
            // Each octet sets a row at most: as many as there is room for need no counting between.
            let room = TextSignature.rowsPerColumn - rowCount
            if room == 0 {
                guard run.setsNewRow(of: text, in: column) else { continue }
                // A window that ends with this octet begins in the next column.
                return max(0, run.index + 1 - TextSignature.windowOctets)
            }
            column.withUnsafeMutableBufferPointer { run.setRows(of: text, room, in: $0) }
            rowCount = column.reduce(0) { $0 + $1.nonzeroBitCount }
        }
        return nil
    }

    /// A way through a text.
    private struct Run {
        /// Of the next octet.
        var index: Int
        private var trigram: UInt32 = 0
        /// Octets of text in a row, up to the last.
        private var length = 0

        init(index: Int) { self.index = index }

        /// The row of the trigram that ends with the next octet, and a bit that is 0 when that is none.
        @inline(__always) private mutating func next(_ text: UnsafeBufferPointer<UInt8>) -> (row: Int, isOne: UInt64) {
            let octet = text[index]
            index &+= 1
            trigram = trigram &<< 8 | UInt32(octet)
            length = TextSignature.isText(octet) ? length &+ 1 : 0
            return (TextSignature.row(trigram), length >= 3 ? 1 : 0)
        }

        /// Without branches: which rows are new cannot be foreseen.
        @inline(__always) mutating func setRows(
            of text: UnsafeBufferPointer<UInt8>, _ count: Int, in column: UnsafeMutableBufferPointer<UInt64>
        ) {
            let end = min(text.count, index &+ count)
            while index < end {
                let (row, isOne) = next(text)
                column[row &>> 6] |= isOne &<< UInt64(row & 63)
            }
        }

        /// Whether the next octet ends a trigram whose row is not set; if so, it is still the next.
        mutating func setsNewRow(of text: UnsafeBufferPointer<UInt8>, in column: [UInt64]) -> Bool {
            var ahead = self
            let (row, isOne) = ahead.next(text)
            guard isOne & ~(column[row >> 6] >> UInt64(row & 63)) == 0 else { return true }
            self = ahead
            return false
        }
    }

    private mutating func closeColumn() {
        words += column
        isTooLong = words.count >= TextSignature.columnsPerBody * TextSignature.wordCount
        for index in column.indices { column[index] = 0 }
        rowCount = 0
    }

    /// At least one column; one with all rows for a text that is too long.
    func finish() -> [UInt64] { isTooLong ? SignatureBuilder.anything : words + column }

    /// Of a text that is not known.
    static let anything = [UInt64](repeating: .max, count: TextSignature.wordCount)
}
