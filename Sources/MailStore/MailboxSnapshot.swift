package import MailVocabulary

// A mailbox's index is a list of immutable chunks of rows. A snapshot is that list at one moment: taking one copies a
// reference, and a change builds new chunks only where rows changed. So
// - every session that has the mailbox selected holds exactly the view its client was told of,
// - many sessions share the memory, and a commit never waits for a reader,
// - what changed between two views is found by comparing chunk identities first.

/// The rows of a mailbox at one moment, ascending by UID; position 0 is message sequence number 1.
package struct MailboxSnapshot: Sendable {
    /// Small enough that a flag change copies little, large enough that the list of chunks stays short.
    static let rowsPerChunk = 512

    package let mailbox: MailboxID
    package let uidValidity: UIDValidity
    package var uidNext: UInt64
    package var highestModSeq: ModSeq
    package var keywords: KeywordTable

    private(set) var chunks: [IndexChunk] = []
    /// `starts[i]` is the position of the first row of `chunks[i]`.
    private(set) var starts: [Int] = []
    package private(set) var count = 0

    package init(
        mailbox: MailboxID, uidValidity: UIDValidity, uidNext: UInt64 = 1, highestModSeq: ModSeq = ModSeq(1),
        keywords: KeywordTable = KeywordTable(), rows: [MessageRow] = []
    ) {
        self.mailbox = mailbox
        self.uidValidity = uidValidity
        self.uidNext = uidNext
        self.highestModSeq = highestModSeq
        self.keywords = keywords
        append(rows)
    }

    package var isEmpty: Bool { count == 0 }

    // Reading

    package subscript(position: Int) -> MessageRow {
        let chunk = chunkIndex(holding: position)
        return chunks[chunk].rows[position - starts[chunk]]
    }

    package func position(of uid: UID) -> Int? {
        let position = firstPosition(atOrAfter: uid.value)
        return position < count && self[position].uid == uid ? position : nil
    }

    /// The position of the first row whose UID is not below; `count` when there is none.
    package func firstPosition(atOrAfter uid: UInt32) -> Int {
        let chunk = chunks.partitioningIndex { $0.lastUID >= uid }
        guard chunk < chunks.count else { return count }
        return starts[chunk] + chunks[chunk].rows.partitioningIndex { $0.uid.value >= uid }
    }

    /// Visits rows in order; the fast way over many.
    package func forEach(
        in positions: Range<Int>, _ visit: (_ position: Int, _ row: MessageRow) throws -> Void
    ) rethrows {
        guard !positions.isEmpty else { return }
        var chunk = chunkIndex(holding: positions.lowerBound)
        var position = positions.lowerBound
        while position < positions.upperBound {
            let rows = chunks[chunk].rows
            let start = starts[chunk]
            for index in (position - start)..<min(rows.count, positions.upperBound - start) {
                try visit(start + index, rows[index])
            }
            position = start + rows.count
            chunk += 1
        }
    }

    package func forEach(_ visit: (_ position: Int, _ row: MessageRow) throws -> Void) rethrows {
        try forEach(in: 0..<count, visit)
    }

    /// The positions of those UIDs that exist, as ascending ranges.
    package func positions(ofUIDs uids: NumberSet) -> [Range<Int>] {
        uids.ranges.compactMap { range in
            let low = firstPosition(atOrAfter: range.lowerBound)
            let high = range.upperBound == .max ? count : firstPosition(atOrAfter: range.upperBound + 1)
            return low < high ? low..<high : nil
        }
    }

    /// The UIDs at these sequence numbers (1-based); those beyond the end are passed over.
    package func uids(atSequenceNumbers numbers: NumberSet) -> NumberSet {
        var uids = NumberSet()
        for range in numbers.ranges where range.lowerBound >= 1 && Int(range.lowerBound) <= count {
            forEach(in: Int(range.lowerBound) - 1..<min(Int(range.upperBound), count)) {
                uids.appendAscending($1.uid.value)
            }
        }
        return uids
    }

    package var allUIDs: NumberSet {
        var uids = NumberSet()
        forEach { uids.appendAscending($1.uid.value) }
        return uids
    }

    /// UIDs that were given out and that no row has: all that can have been expunged.
    package var missingUIDs: NumberSet {
        guard uidNext > 1 else { return NumberSet() }
        return NumberSet(1...UInt32(min(uidNext - 1, StoreLimits.lastUID))).subtracting(allUIDs)
    }

    // Changing: for stores

    /// Adds rows above all present ones.
    package mutating func append(_ rows: [MessageRow]) {
        var rest = rows[...]
        if let last = chunks.last, last.rows.count < Self.rowsPerChunk, !rest.isEmpty {
            let taken = rest.prefix(Self.rowsPerChunk - last.rows.count)
            chunks[chunks.count - 1] = IndexChunk(last.rows + taken)
            rest = rest.dropFirst(taken.count)
            count += taken.count
        }
        while !rest.isEmpty {
            let taken = rest.prefix(Self.rowsPerChunk)
            starts.append(count)
            chunks.append(IndexChunk(Array(taken)))
            rest = rest.dropFirst(taken.count)
            count += taken.count
        }
    }

    package mutating func remove(_ uids: NumberSet) {
        rebuild(touching: uids) { rows in rows.filter { !uids.contains($0.uid.value) } }
    }

    /// Changes rows in place; UIDs must stay.
    package mutating func update(_ uids: NumberSet, _ change: (inout MessageRow) -> Void) {
        rebuild(touching: uids) { rows in
            var rows = rows
            for index in rows.indices where uids.contains(rows[index].uid.value) { change(&rows[index]) }
            return rows
        }
    }

    private mutating func rebuild(touching uids: NumberSet, _ transform: ([MessageRow]) -> [MessageRow]) {
        guard !uids.isEmpty else { return }
        var kept: [IndexChunk] = []
        kept.reserveCapacity(chunks.count)
        for chunk in chunks {
            guard !uids.intersection(NumberSet(chunk.firstUID...chunk.lastUID)).isEmpty else {
                kept.append(chunk)
                continue
            }
            let rows = transform(chunk.rows)
            if let last = kept.last, !rows.isEmpty, last.rows.count + rows.count <= Self.rowsPerChunk / 2 {
                // Crumbs that removals leave are put together.
                kept[kept.count - 1] = IndexChunk(last.rows + rows)
            } else if !rows.isEmpty {
                kept.append(IndexChunk(rows))
            }
        }
        adopt(kept)
    }

    private mutating func adopt(_ newChunks: [IndexChunk]) {
        chunks = newChunks
        starts.removeAll(keepingCapacity: true)
        count = 0
        for chunk in chunks {
            starts.append(count)
            count += chunk.rows.count
        }
    }

    /// Where the rows of chunk `index` begin.
    func start(ofChunk index: Int) -> Int { starts[index] }

    private func chunkIndex(holding position: Int) -> Int {
        precondition(position >= 0 && position < count)
        return starts.partitioningIndex { $0 > position } - 1
    }

    // Comparing: `changes(since:)` is in SnapshotComparison.swift

    /// This snapshot with the messages of an earlier one that have since gone: what a session shows while it may not
    /// announce expunges (RFC 9051 §7.5.1).
    package func retaining(expunged: NumberSet, from old: MailboxSnapshot) -> MailboxSnapshot {
        guard !expunged.isEmpty else { return self }
        var gone: [MessageRow] = []
        for range in old.positions(ofUIDs: expunged) { old.forEach(in: range) { gone.append($1) } }
        var merged = self
        var kept: [IndexChunk] = []
        var next = gone[...]
        // Chunks that lost nothing stay the same, so that comparing goes on to pass over them.
        for chunk in chunks {
            let lost = next.prefix { $0.uid.value < chunk.lastUID }
            next = next.dropFirst(lost.count)
            kept += lost.isEmpty ? [chunk] : IndexChunk.chunks(of: MailboxSnapshot.merge(lost, chunk.rows))
        }
        merged.adopt(kept + IndexChunk.chunks(of: Array(next)))
        return merged
    }

    /// Both ascending, with no UID in both.
    private static func merge(_ a: ArraySlice<MessageRow>, _ b: [MessageRow]) -> [MessageRow] {
        var rows: [MessageRow] = []
        rows.reserveCapacity(a.count + b.count)
        var next = a
        for row in b {
            while let first = next.first, first.uid < row.uid { rows.append(next.removeFirst()) }
            rows.append(row)
        }
        return rows + next
    }
}

final class IndexChunk: Sendable {
    let rows: [MessageRow]
    var firstUID: UInt32 { rows[0].uid.value }
    var lastUID: UInt32 { rows[rows.count - 1].uid.value }

    /// Never empty.
    init(_ rows: [MessageRow]) { self.rows = rows }

    static func chunks(of rows: [MessageRow]) -> [IndexChunk] {
        stride(from: 0, to: rows.count, by: MailboxSnapshot.rowsPerChunk).map { start in
            IndexChunk(Array(rows[start..<min(start + MailboxSnapshot.rowsPerChunk, rows.count)]))
        }
    }
}

extension RandomAccessCollection where Index == Int {
    /// The first index whose element satisfies the predicate, false before it and true from it on.
    func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if predicate(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
