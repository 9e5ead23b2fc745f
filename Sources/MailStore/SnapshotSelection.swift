package import MailVocabulary

// Choosing rows by what the index knows, in ranges of positions: for searches, which look at every row.

extension MailboxSnapshot {
    /// The positions of rows of which `flags & mask == value`, in few ranges, ascending.
    package func positions(
        in positions: Range<Int>, flags mask: FlagBits, equal value: FlagBits
    ) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var (start, end) = (-1, -1)
        forEachChunk(in: positions) { first, rows in
            for index in rows.indices where rows[index].flags.rawValue & mask.rawValue == value.rawValue {
                let position = first + (index - rows.startIndex)
                if position != end {
                    if start >= 0 { found.append(start..<end) }
                    start = position
                }
                end = position + 1
            }
        }
        if start >= 0 { found.append(start..<end) }
        return found
    }

    /// UIDs of these positions, ascending.
    package func uids(at positions: [Range<Int>]) -> [UInt32] {
        var uids: [UInt32] = []
        uids.reserveCapacity(positions.reduce(0) { $0 + $1.count })
        for range in positions {
            forEachChunk(in: range) { _, rows in
                for row in rows { uids.append(row.uid.value) }
            }
        }
        return uids
    }

    /// - Parameter visit: given the position of the first of some rows, and them.
    private func forEachChunk(in positions: Range<Int>, _ visit: (Int, ArraySlice<MessageRow>) -> Void) {
        let positions = positions.clamped(to: 0..<count)
        guard !positions.isEmpty else { return }
        var chunk = starts.partitioningIndex { $0 > positions.lowerBound } - 1
        var position = positions.lowerBound
        while position < positions.upperBound, chunk < chunks.count {
            let rows = chunks[chunk].rows
            let first = position - starts[chunk]
            let taken = min(rows.count, positions.upperBound - starts[chunk])
            visit(position, rows[first..<taken])
            position = starts[chunk] + taken
            chunk += 1
        }
    }
}

extension MailboxSnapshot {
    /// As `positions(ofUIDs:)`, going over both once: for sets of many ranges.
    package func positions(ofManyUIDs uids: NumberSet) -> [Range<Int>] {
        // Looking a range up costs some twenty steps twice.
        guard uids.ranges.count > count / 32 else { return positions(ofUIDs: uids) }
        var found: [Range<Int>] = []
        var next = 0
        forEachChunk(in: 0..<count) { first, rows in
            for index in rows.indices {
                let uid = rows[index].uid.value
                while next < uids.ranges.count, uids.ranges[next].upperBound < uid { next += 1 }
                guard next < uids.ranges.count else { return }
                guard uids.ranges[next].lowerBound <= uid else { continue }
                let position = first + (index - rows.startIndex)
                if let last = found.last, last.upperBound == position {
                    found[found.count - 1] = last.lowerBound..<position + 1
                } else {
                    found.append(position..<position + 1)
                }
            }
        }
        return found
    }
}
