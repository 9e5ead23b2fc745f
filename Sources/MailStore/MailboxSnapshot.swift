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
        let summary = chunks[chunk].summary
        if summary.firstUID >= uid { return starts[chunk] }
        // Without gaps there is nothing to search.
        if summary.hasNoGaps { return starts[chunk] + Int(uid - summary.firstUID) }
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

    /// Visits those rows for which the condition holds, in order. Chunks that have none cost next to nothing.
    package func forEach(
        in positions: Range<Int>, where condition: RowCondition,
        _ visit: (_ position: Int, _ row: MessageRow) throws -> Void
    ) rethrows {
        guard !positions.isEmpty else { return }
        var chunk = chunkIndex(holding: positions.lowerBound)
        var position = positions.lowerBound
        while position < positions.upperBound {
            let start = starts[chunk]
            let end = start + chunks[chunk].count
            if chunks[chunk].summary.mayHold(condition) {
                let rows = chunks[chunk].rows
                for index in (position - start)..<(min(end, positions.upperBound) - start)
                where condition.holds(rows[index]) {
                    try visit(start + index, rows[index])
                }
            }
            position = end
            chunk += 1
        }
    }

    /// The first position for whose row the condition holds.
    package func firstPosition(where condition: RowCondition) -> Int? {
        for (index, chunk) in chunks.enumerated() where chunk.summary.mayHold(condition) {
            if let found = chunk.rows.firstIndex(where: { condition.holds($0) }) { return starts[index] + found }
        }
        return nil
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
        if let last = chunks.last, last.count < Self.rowsPerChunk, !rest.isEmpty {
            let taken = rest.prefix(Self.rowsPerChunk - last.count)
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
        rebuild(touching: uids) { rows, gone in
            var kept: [MessageRow] = []
            kept.reserveCapacity(rows.count)
            var cursor = RangeCursor(gone)
            for row in rows where !cursor.contains(row.uid.value) { kept.append(row) }
            return kept
        }
    }

    /// Takes rows from a UID on away, as if they had not come: the UID is the next then.
    package mutating func removeRows(from uid: UInt64) {
        guard let first = UInt32(exactly: uid) else { return }
        remove(NumberSet(first...UInt32.max))
        uidNext = uid
    }

    /// Changes rows in place; UIDs must stay.
    package mutating func update(_ uids: NumberSet, _ change: (inout MessageRow) -> Void) {
        rebuild(touching: uids) { rows, touched in
            var rows = rows
            var cursor = RangeCursor(touched)
            for index in rows.indices where cursor.contains(rows[index].uid.value) { change(&rows[index]) }
            return rows
        }
    }

    /// - Parameter transform: given the rows of a chunk, and those ranges of `uids` that may be among them.
    private mutating func rebuild(
        touching uids: NumberSet,
        _ transform: (_ rows: [MessageRow], _ ranges: ArraySlice<ClosedRange<UInt32>>) -> [MessageRow]
    ) {
        guard !uids.isEmpty else { return }
        var kept: [IndexChunk] = []
        kept.reserveCapacity(chunks.count)
        var rest = uids.ranges[...]
        for chunk in chunks {
            let gone = rest.partitioningIndex { $0.upperBound >= chunk.firstUID }
            rest = rest[gone...]
            let touching = rest[..<rest.partitioningIndex { $0.lowerBound > chunk.lastUID }]
            guard !touching.isEmpty else {
                kept.append(chunk)
                continue
            }
            let rows = transform(chunk.rows, touching)
            if let last = kept.last, !rows.isEmpty, last.count + rows.count <= Self.rowsPerChunk / 2 {
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
            count += chunk.count
        }
    }

    /// Where the rows of chunk `index` begin.
    func start(ofChunk index: Int) -> Int { starts[index] }

    private func chunkIndex(holding position: Int) -> Int {
        precondition(position >= 0 && position < count)
        return starts.partitioningIndex { $0 > position } - 1
    }

    // Keeping: for stores

    /// What was `encodedChunks`; nil when it cannot be.
    package init?(
        mailbox: MailboxID, uidValidity: UIDValidity, uidNext: UInt64, highestModSeq: ModSeq,
        chunks: [(summary: ChunkSummary, octets: [UInt8])]
    ) {
        self.init(mailbox: mailbox, uidValidity: uidValidity, uidNext: uidNext, highestModSeq: highestModSeq)
        var read: [IndexChunk] = []
        read.reserveCapacity(chunks.count)
        for (summary, octets) in chunks {
            guard summary.firstUID > read.last?.lastUID ?? 0, summary.firstUID <= summary.lastUID,
                UInt64(summary.lastUID) < uidNext, (1...Self.rowsPerChunk).contains(summary.count),
                let chunk = IndexChunk(summary, encoded: octets)
            else { return nil }
            read.append(chunk)
        }
        adopt(read)
    }

    /// In few octets, some twenty for each row.
    package var encodedChunks: [(summary: ChunkSummary, octets: [UInt8])] { chunks.map { ($0.summary, $0.octets) } }

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

/// Asks whether ascending numbers are in ascending ranges, going over both once.
struct RangeCursor {
    private var rest: ArraySlice<ClosedRange<UInt32>>

    init(_ ranges: ArraySlice<ClosedRange<UInt32>>) { rest = ranges }

    /// The numbers asked about must not descend.
    mutating func contains(_ number: UInt32) -> Bool {
        while let first = rest.first, first.upperBound < number { rest = rest.dropFirst() }
        return rest.first.map { $0.lowerBound <= number } ?? false
    }
}
