package import MailVocabulary

// How the changes that clients ask for act on a mailbox's index: every store follows these, and keeps the result its
// own way.

/// What a flag change did.
package struct FlagChangeOutcome: Sendable, Equatable {
    /// UIDs whose flags differ now; they carry the new highest MODSEQ. Spans UIDs between them that no message has:
    /// few ranges whatever was expunged before.
    package var changed = NumberSet()
    /// UIDs left alone because they changed after `unchangedSince`.
    package var modified = NumberSet()
    /// The change as masks: `flags = (flags - cleared) ∪ set`.
    package var set: FlagBits = []
    package var cleared: FlagBits = []
    package var counters = CounterChange()

    package var events: MessageEvents { counters.unseen == 0 ? .flags : [.flags, .unseen] }
}

/// How a change moves a mailbox's counters.
package struct CounterChange: Sendable, Equatable {
    package var messages = 0
    package var unseen = 0
    package var deleted = 0
    /// Octets.
    package var size = 0
    /// Octets of messages with `\Deleted`.
    package var deletedSize = 0

    package init() {}

    package mutating func add(_ row: MessageRow, times: Int = 1) {
        messages += times
        if !row.flags.contains(.seen) { unseen += times }
        if row.flags.contains(.deleted) {
            deleted += times
            deletedSize += times * Int(row.size)
        }
        size += times * Int(row.size)
    }

    fileprivate mutating func change(_ row: MessageRow, to new: FlagBits) {
        let old = row.flags
        unseen += (new.contains(.seen) ? 0 : 1) - (old.contains(.seen) ? 0 : 1)
        let change = (new.contains(.deleted) ? 1 : 0) - (old.contains(.deleted) ? 1 : 0)
        deleted += change
        deletedSize += change * Int(row.size)
    }
}

extension FlagChange {
    /// As masks, taking new keywords into the table; nil when it is full.
    fileprivate func masks(_ keywords: inout KeywordTable) -> (set: FlagBits, cleared: FlagBits)? {
        switch self {
        case .add(let flags): keywords.admit(flags).map { ($0, []) }
        case .remove(let flags): ([], keywords.bits(flags))
        case .replace(let flags): keywords.admit(flags).map { ($0, FlagBits(rawValue: .max)) }
        case .replaceOnly(let classes, let flags): keywords.admit(classes.filter(flags)).map { ($0, classes.mask) }
        }
    }
}

extension MailboxSnapshot {
    /// Changes flags. Rows that change get the next MODSEQ, which becomes the highest; if none does, nothing changes.
    /// Throws `tooManyKeywords`.
    package mutating func apply(
        _ change: FlagChange, to uids: NumberSet, unchangedSince: ModSeq?
    ) throws(StoreError) -> FlagChangeOutcome {
        var outcome = FlagChangeOutcome()
        let present = positions(ofUIDs: uids)
        guard !present.isEmpty else { return outcome }
        var table = keywords
        guard let masks = change.masks(&table) else { throw .tooManyKeywords }
        (outcome.set, outcome.cleared) = masks
        for range in present { find(in: range, unchangedSince, &outcome) }
        guard !outcome.changed.isEmpty else { return outcome }
        keywords = table
        highestModSeq = highestModSeq.next()
        let modSeq = highestModSeq
        update(outcome.changed) { row in
            row.flags = row.flags.subtracting(masks.cleared).union(masks.set)
            row.modSeq = modSeq
        }
        return outcome
    }

    /// Which rows the masks change, and which are too new.
    private func find(in range: Range<Int>, _ unchangedSince: ModSeq?, _ outcome: inout FlagChangeOutcome) {
        // Of the row before, when it changed.
        var last: UInt32?
        forEach(in: range) { _, row in
            let flags = row.flags.subtracting(outcome.cleared).union(outcome.set)
            if let limit = unchangedSince, row.modSeq > limit {
                outcome.modified.appendAscending(row.uid.value)
                last = nil
            } else if flags != row.flags {
                outcome.changed.appendAscending((last.map { $0 + 1 } ?? row.uid.value)...row.uid.value)
                outcome.counters.change(row, to: flags)
                last = row.uid.value
            } else {
                last = nil
            }
        }
    }

    /// Removes those rows that exist (and, with `onlyDeleted`, carry `\Deleted`); a removal raises the highest MODSEQ.
    /// Returns what went, ascending.
    package mutating func expunge(_ uids: NumberSet, onlyDeleted: Bool) -> [MessageRow] {
        var gone: [MessageRow] = []
        for range in positions(ofUIDs: uids) {
            forEach(in: range) { _, row in
                if !onlyDeleted || row.flags.contains(.deleted) { gone.append(row) }
            }
        }
        guard !gone.isEmpty else { return gone }
        highestModSeq = highestModSeq.next()
        remove(NumberSet(ascending: gone.lazy.map(\.uid.value)))
        return gone
    }

    /// These UIDs in few ranges: with those between them that no row of this snapshot has.
    package func spanning(_ uids: NumberSet) -> NumberSet {
        var spans = NumberSet()
        var (previous, end) = (UInt32(0), -1)
        for range in positions(ofUIDs: uids) {
            let (first, last) = (self[range.lowerBound].uid.value, self[range.upperBound - 1].uid.value)
            spans.appendAscending((range.lowerBound == end ? previous + 1 : first)...last)
            (previous, end) = (last, range.upperBound)
        }
        return spans
    }

    /// The rows with these UIDs, ascending.
    package func rows(_ uids: NumberSet) -> [MessageRow] {
        var rows: [MessageRow] = []
        for range in positions(ofUIDs: uids) { forEach(in: range) { rows.append($1) } }
        return rows
    }
}

/// Rows that have their place.
package struct PlacedRows: Sendable {
    package var rows: [MessageRow]
    /// Whether the account is near its quota now.
    package var isNearQuota: Bool

    package init(_ rows: [MessageRow] = [], isNearQuota: Bool = false) {
        self.rows = rows
        self.isNearQuota = isNearQuota
    }
}

/// A row before it has its place.
package struct RowContent: Sendable {
    package var flags: [Flag]
    package var size: UInt32
    package var internalDate: Timestamp
    package var body: BodyID
    package var thread: ThreadID
    /// The UID it is to have, if that is still to be given.
    package var uid: UID?

    package init(
        flags: [Flag], size: UInt32, internalDate: Timestamp, body: BodyID, thread: ThreadID, uid: UID? = nil
    ) {
        self.flags = flags
        self.size = size
        self.internalDate = internalDate
        self.body = body
        self.thread = thread
        self.uid = uid
    }

    /// Of a copy, with flags of these kinds.
    package init(_ row: MessageRow, _ keywords: KeywordTable, keeping classes: FlagClasses = .all) {
        self.init(
            flags: keywords.flags(row.flags.intersection(classes.mask)), size: row.size, internalDate: row.internalDate,
            body: row.body,
            thread: row.thread)
    }
}

/// Gives rows their UIDs and MODSEQ in the mailbox they are added to.
package struct RowPlacement {
    package private(set) var uidNext: UInt64
    package private(set) var highestModSeq: ModSeq
    package private(set) var keywords: KeywordTable
    package private(set) var counters = CounterChange()
    private let savedDate: UInt32

    /// - Parameter savedDate: now, in seconds since 1970.
    package init(uidNext: UInt64, highestModSeq: ModSeq, keywords: KeywordTable, savedDate: UInt32) {
        self.uidNext = uidNext
        self.highestModSeq = highestModSeq
        self.keywords = keywords
        self.savedDate = savedDate
    }

    /// One call is one change: it raises MODSEQ once. Throws `uidsExhausted`, `tooManyKeywords`.
    package mutating func place(_ items: [RowContent]) throws(StoreError) -> [MessageRow] {
        guard !items.isEmpty else { return [] }
        highestModSeq = highestModSeq.next()
        var rows: [MessageRow] = []
        rows.reserveCapacity(items.count)
        for item in items {
            guard let bits = keywords.admit(item.flags) else { throw .tooManyKeywords }
            uidNext = max(uidNext, UInt64(item.uid?.value ?? 0))
            guard uidNext <= StoreLimits.lastUID else { throw .uidsExhausted }
            let row = MessageRow(
                uid: UID(known: UInt32(uidNext)), flags: bits, modSeq: highestModSeq, size: item.size,
                internalDate: item.internalDate, savedDate: savedDate, body: item.body, thread: item.thread)
            counters.add(row)
            rows.append(row)
            uidNext += 1
        }
        return rows
    }
}
