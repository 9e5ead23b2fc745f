// Columns side by side: for each row, a bit for every column. So a search looks at the rows of what it seeks, and at
// nothing else of some thousand messages.

enum TextPack {
    /// Columns of a pack at most. A row of them is half a KiB.
    static let width = 4096

    static func wordsPerRow(_ columns: Int) -> Int { (columns + 63) / 64 }

    /// From columns, `TextSignature.wordCount` words each, to rows, `wordsPerRow` words each.
    static func rows(of columns: [UInt64]) -> [UInt64] {
        let count = columns.count / TextSignature.wordCount
        let wordsPerRow = wordsPerRow(count)
        var rows = [UInt64](repeating: 0, count: TextSignature.rowCount * wordsPerRow)
        var block = [UInt64](repeating: 0, count: 64)
        for group in 0..<wordsPerRow {
            for word in 0..<TextSignature.wordCount {
                for offset in 0..<64 {
                    let column = group * 64 + offset
                    block[offset] = column < count ? columns[column * TextSignature.wordCount + word] : 0
                }
                transpose(&block)
                for offset in 0..<64 { rows[(word * 64 + offset) * wordsPerRow + group] = block[offset] }
            }
        }
        return rows
    }

    /// The other way.
    static func columns(of rows: [UInt64], count: Int) -> [UInt64] {
        let wordsPerRow = wordsPerRow(count)
        var columns = [UInt64](repeating: 0, count: count * TextSignature.wordCount)
        var block = [UInt64](repeating: 0, count: 64)
        for group in 0..<wordsPerRow {
            for word in 0..<TextSignature.wordCount {
                for offset in 0..<64 { block[offset] = rows[(word * 64 + offset) * wordsPerRow + group] }
                transpose(&block)
                for offset in 0..<min(64, count - group * 64) {
                    columns[(group * 64 + offset) * TextSignature.wordCount + word] = block[offset]
                }
            }
        }
        return columns
    }

    /// Bit j of word i becomes bit i of word j: halves are exchanged, then quarters, and so on.
    private static func transpose(_ block: inout [UInt64]) {
        block.withUnsafeMutableBufferPointer { block in
            var (distance, mask): (Int, UInt64) = (32, 0x0000_0000_FFFF_FFFF)
            while distance > 0 {
                var index = 0
                while index < 64 {
                    let other = index | distance
                    let change = ((block[index] &>> UInt64(distance)) ^ block[other]) & mask
                    block[index] ^= change &<< UInt64(distance)
                    block[other] ^= change
                    index = (other &+ 1) & ~distance
                }
                distance &>>= 1
                mask ^= mask &<< UInt64(distance)
            }
        }
    }
}

/// Whose columns a pack has, in order.
struct PackDirectory {
    struct Entry: Equatable {
        /// 0 when it was erased.
        var body: Int64
        /// How many columns it has.
        var columns: Int
    }

    var number: Int64
    var entries: [Entry]

    var columnCount: Int { entries.reduce(0) { $0 + $1.columns } }
    var liveColumns: Int { entries.reduce(0) { $0 + ($1.body == 0 ? 0 : $1.columns) } }
    var liveBodies: Int { entries.reduce(0) { $0 + ($1.body == 0 ? 0 : 1) } }

    init(number: Int64, entries: [Entry]) {
        self.number = number
        self.entries = entries
    }

    // For each body its number and how many columns it has, ten octets.

    private static let entrySize = 10

    var encoded: [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(entries.count * Self.entrySize)
        for entry in entries {
            withUnsafeBytes(of: entry.body.littleEndian) { octets.append(contentsOf: $0) }
            withUnsafeBytes(of: UInt16(truncatingIfNeeded: entry.columns).littleEndian) {
                octets.append(contentsOf: $0)
            }
        }
        return octets
    }

    /// Nil when it cannot be one.
    init?(number: Int64, _ octets: UnsafeRawBufferPointer) {
        self.number = number
        entries = []
        guard octets.count.isMultiple(of: Self.entrySize) else { return nil }
        entries.reserveCapacity(octets.count / Self.entrySize)
        for offset in stride(from: 0, to: octets.count, by: Self.entrySize) {
            entries.append(
                Entry(
                    body: Int64(littleEndian: octets.loadUnaligned(fromByteOffset: offset, as: Int64.self)),
                    columns: Int(
                        UInt16(littleEndian: octets.loadUnaligned(fromByteOffset: offset + 8, as: UInt16.self)))))
        }
        guard columnCount <= TextPack.width else { return nil }
    }

    /// Which columns are of bodies that are still there.
    var liveMask: [UInt64] {
        var mask = [UInt64](repeating: 0, count: TextPack.wordsPerRow(columnCount))
        forEachEntry { entry, columns in
            guard entry.body != 0 else { return }
            for column in columns { mask[column / 64] |= 1 << UInt64(column % 64) }
        }
        return mask
    }

    /// Bodies none of whose columns is in the set.
    func appendExcluded(_ matches: [UInt64], to excluded: inout [Int64]) {
        forEachEntry { entry, columns in
            guard entry.body != 0 else { return }
            for column in columns where matches[column &>> 6] &>> UInt64(column & 63) & 1 != 0 { return }
            excluded.append(entry.body)
        }
    }

    func forEachEntry(_ visit: (Entry, Range<Int>) -> Void) {
        var start = 0
        for entry in entries {
            visit(entry, start..<start + entry.columns)
            start += entry.columns
        }
    }
}
