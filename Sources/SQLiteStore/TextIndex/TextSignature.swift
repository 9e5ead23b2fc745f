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
        while !isTooLong, let next = fill(text, from: start) {
            closeColumn()
            start = next
        }
    }

    /// Sets rows of the last column until it is full: then returns where the next column begins.
    private mutating func fill(_ text: Span<UInt8>, from start: Int) -> Int? {
        var (trigram, length, index, count): (UInt32, Int, Int, Int) = (0, 0, start, rowCount)
        defer { rowCount = count }
        return text.withUnsafeBufferPointer { text in
            column.withUnsafeMutableBufferPointer { column in
                while index < text.count {
                    let octet = text[index]
                    index &+= 1
                    trigram = trigram &<< 8 | UInt32(octet)
                    length = TextSignature.isText(octet) ? length &+ 1 : 0
                    guard length >= 3 else { continue }
                    let row = TextSignature.row(trigram)
                    let bit = UInt64(1) &<< UInt64(row & 63)
                    let word = column[row &>> 6]
                    guard word & bit == 0 else { continue }
                    // A window that ends here begins in the next column.
                    if count == TextSignature.rowsPerColumn { return max(0, index - TextSignature.windowOctets) }
                    column[row &>> 6] = word | bit
                    count &+= 1
                }
                return nil
            }
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
