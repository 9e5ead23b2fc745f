/// Texts that are put in order by their octets: eight at a time, and those that are the same so far by the next eight.
struct SortableTexts {
    private struct Entry {
        /// Eight octets, the first the highest; zeros behind the end.
        var head: UInt64
        var index: UInt32
    }

    private var octets: [UInt8] = []
    /// By index, where the text is; empty where there is none.
    private var starts: [Int]
    private var ends: [Int]

    init(count: Int) {
        starts = [Int](repeating: 0, count: count)
        ends = starts
    }

    mutating func take(_ run: ColumnRun, of column: TextColumn) {
        guard run.count > 0 else { return }
        let first = column.range(run.row).lowerBound
        let base = octets.count - first
        octets += column.octets[first..<column.range(run.row + run.count - 1).upperBound]
        for offset in 0..<run.count {
            let range = column.range(run.row + offset)
            starts[run.index + offset] = base + range.lowerBound
            ends[run.index + offset] = base + range.upperBound
        }
    }

    /// Numbers that order them, from 0, equal for equal texts.
    func ranks() -> [UInt32] {
        var entries = (0..<UInt32(starts.count)).map { Entry(head: 0, index: $0) }
        // Where a text begins that is not the one before.
        var isNew = [Bool](repeating: false, count: entries.count)
        var groups = [(range: 0..<entries.count, depth: 0)]
        while let (range, depth) = groups.popLast() {
            guard loadHeads(&entries, range, at: depth * 8) else { continue }
            entries[range].sort { $0.head < $1.head }
            var start = range.lowerBound
            for place in range.dropFirst() where entries[place].head != entries[place - 1].head {
                isNew[place] = true
                if place - start > 1 { groups.append((start..<place, depth + 1)) }
                start = place
            }
            if range.upperBound - start > 1 { groups.append((start..<range.upperBound, depth + 1)) }
        }
        var ranks = [UInt32](repeating: 0, count: entries.count)
        var rank: UInt32 = 0
        for (place, entry) in entries.enumerated() {
            if isNew[place] { rank += 1 }
            ranks[Int(entry.index)] = rank
        }
        return ranks
    }

    /// False when all of them have ended.
    private func loadHeads(_ entries: inout [Entry], _ range: Range<Int>, at offset: Int) -> Bool {
        var isAny = false
        octets.withUnsafeBytes { octets in
            for place in range {
                let index = Int(entries[place].index)
                let length = ends[index] - starts[index] - offset
                isAny = isAny || length > 0
                entries[place].head = SortableTexts.head(octets, at: starts[index] + offset, length)
            }
        }
        return isAny
    }

    private static func head(_ octets: UnsafeRawBufferPointer, at start: Int, _ length: Int) -> UInt64 {
        guard length > 0 else { return 0 }
        if start + 8 <= octets.count {
            let word = UInt64(bigEndian: octets.loadUnaligned(fromByteOffset: start, as: UInt64.self))
            return length >= 8 ? word : word & ~(UInt64.max &>> UInt64(length * 8))
        }
        var head: UInt64 = 0
        for place in 0..<min(8, length) { head |= UInt64(octets[start + place]) &<< UInt64(56 - 8 * place) }
        return head
    }
}
