package import MailVocabulary

// Choosing rows by what the index knows, in ranges of positions: for searches, which look at every row. Of chunks that
// are still encoded only what is asked about is decoded, and nothing where their summary tells.

extension MailboxSnapshot {
    /// The positions of rows of which `flags & mask == value`, in few ranges, ascending.
    package func positions(
        in positions: Range<Int>, flags mask: FlagBits, equal value: FlagBits
    ) -> [Range<Int>] {
        guard !mask.isEmpty else { return positions.isEmpty ? [] : [positions] }
        var found = PositionList()
        forEachChunk(in: [positions]) { chunk, start, rows in
            if chunk.summary.allHold(mask, value) {
                return found.append(start + rows.lowerBound..<start + rows.upperBound)
            }
            guard chunk.summary.mayHold(RowCondition(mask: mask, value: value)) else { return }
            let flags = chunk.flags
            for row in rows where flags[row] & mask.rawValue == value.rawValue { found.append(start + row) }
        }
        return found.ranges
    }

    /// UIDs of these positions, which ascend; so do they.
    package func uids(at positions: [Range<Int>]) -> [UInt32] {
        var uids: [UInt32] = []
        uids.reserveCapacity(positions.reduce(0) { $0 + $1.count })
        var (known, inChunk): (IndexChunk?, [UInt32]) = (nil, [])
        forEachChunk(in: positions) { chunk, _, rows in
            if chunk.summary.hasNoGaps {
                let first = chunk.firstUID
                for row in rows { uids.append(first + UInt32(row)) }
                return
            }
            if known !== chunk { (known, inChunk) = (chunk, chunk.uids) }
            uids.append(contentsOf: inChunk[rows])
        }
        return uids
    }

    /// As `positions(ofUIDs:)`, going over both once: for sets of many ranges.
    package func positions(ofManyUIDs uids: NumberSet) -> [Range<Int>] {
        // Looking a range up costs some twenty steps twice.
        guard uids.ranges.count > chunks.count else { return positions(ofUIDs: uids) }
        var found = PositionList()
        var next = 0
        for (index, chunk) in chunks.enumerated() {
            let start = starts[index]
            while next < uids.ranges.count, uids.ranges[next].upperBound < chunk.firstUID { next += 1 }
            guard next < uids.ranges.count else { break }
            guard uids.ranges[next].lowerBound <= chunk.lastUID else { continue }
            if chunk.summary.hasNoGaps {
                // The last one may go on in the next chunk.
                var range = next
                while range < uids.ranges.count, uids.ranges[range].lowerBound <= chunk.lastUID {
                    let wanted = uids.ranges[range].clamped(to: chunk.firstUID...chunk.lastUID)
                    let first = start + Int(wanted.lowerBound - chunk.firstUID)
                    found.append(first..<first + wanted.count)
                    range += 1
                }
            } else {
                var cursor = RangeCursor(uids.ranges[next...])
                for (row, uid) in chunk.uids.enumerated() where cursor.contains(uid) { found.append(start + row) }
            }
        }
        return found.ranges
    }

    /// - Parameters:
    ///   - positions: ascending.
    ///   - visit: given a chunk, the position of its first row, and which of its rows are meant: for each range, and each
    ///     chunk that it reaches into.
    private func forEachChunk(
        in positions: [Range<Int>], _ visit: (_ chunk: IndexChunk, _ start: Int, _ rows: Range<Int>) -> Void
    ) {
        var chunk = 0
        for range in positions {
            let wanted = range.clamped(to: 0..<count)
            guard !wanted.isEmpty else { continue }
            // Mostly in the same, or the next.
            if chunk >= chunks.count || starts[chunk] > wanted.lowerBound
                || starts[chunk] + chunks[chunk].count + Self.rowsPerChunk <= wanted.lowerBound
            {
                chunk = starts.partitioningIndex { $0 > wanted.lowerBound } - 1
            }
            while chunk < chunks.count, starts[chunk] + chunks[chunk].count <= wanted.lowerBound { chunk += 1 }
            while chunk < chunks.count, starts[chunk] < wanted.upperBound {
                let start = starts[chunk]
                let end = start + chunks[chunk].count
                visit(chunks[chunk], start, max(wanted.lowerBound, start) - start..<min(wanted.upperBound, end) - start)
                guard end < wanted.upperBound else { break }
                chunk += 1
            }
        }
    }
}

/// Positions that ascend; what touches becomes one range.
private struct PositionList {
    private(set) var ranges: [Range<Int>] = []

    mutating func append(_ position: Int) { append(position..<position + 1) }

    mutating func append(_ range: Range<Int>) {
        if let last = ranges.last, last.upperBound == range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
        } else {
            ranges.append(range)
        }
    }
}

extension ChunkSummary {
    /// True only when of every row `flags & mask == value`.
    fileprivate func allHold(_ mask: FlagBits, _ value: FlagBits) -> Bool {
        flagsOfAll.intersection(mask) == value && flagsOfAny.intersection(mask) == value
    }
}
