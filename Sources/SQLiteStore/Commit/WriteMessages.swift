import Foundation
import GRDB
import MailStore
import MailVocabulary

// Messages and the bodies they share.

/// A message to be added, its body already in a segment.
struct PlacedMessage: Sendable {
    /// Index into the job's bodies.
    var body: Int
    var flags: [Flag]
    var internalDate: Timestamp
    var threadKeys: [ThreadKey]
    var uid: UID?
}

/// Messages on their way to a transaction, each body once.
struct OutgoingMessages: Sendable {
    var bodies: [OutgoingBody] = []
    var summaries: [[UInt8]] = []
    var additions: [(mailbox: MailboxID, messages: [PlacedMessage])] = []
    var queue: [PlacedQueuedMessage] = []
}

extension WriteTransaction {
    func accept(
        _ outgoing: OutgoingMessages, _ bodies: [StoredBody]
    ) throws -> (delivered: [AppendResult], queued: [QueueID]) {
        let delivered = try append(
            outgoing.additions, bodies, outgoing.summaries, queued: outgoing.queue.map(\.body))
        return (delivered, try outgoing.queue.map { try enqueue($0.message, bodies[$0.body]) })
    }

    /// - Parameter queued: indexes of bodies that the queue will refer to, too.
    private func append(
        _ additions: [(mailbox: MailboxID, messages: [PlacedMessage])], _ bodies: [StoredBody], _ summaries: [[UInt8]],
        queued: [Int]
    ) throws -> [AppendResult] {
        // First all that can be refused, then the writing.
        var references = [Int](repeating: 0, count: bodies.count)
        for body in queued { references[body] += 1 }
        var placed: [PlacedRows] = []
        for (mailbox, messages) in additions {
            for message in messages { references[message.body] += 1 }
            let account = try draft(mailbox).state.record.account
            let items = try messages.map { message in
                let body = bodies[message.body]
                return RowContent(
                    flags: message.flags, size: UInt32(body.place.length), internalDate: message.internalDate,
                    body: body.id, thread: try thread(of: body.id, message.threadKeys, in: account), uid: message.uid)
            }
            placed.append(try place(items, in: mailbox))
        }
        for (index, body) in bodies.enumerated() {
            try insert(body, references: references[index], summary: summaries[index])
        }
        return try zip(additions, placed).map { addition, placed in
            try insert(placed.rows, in: addition.mailbox)
            let uidValidity = try draft(addition.mailbox).state.record.uidValidity
            return AppendResult(
                mailbox: addition.mailbox, uidValidity: uidValidity, uids: placed.rows.map(\.uid),
                isNearQuota: placed.isNearQuota)
        }
    }

    /// Gives rows their place in memory; `insert` writes them.
    ///
    /// - Parameter isMove: from another mailbox of the account, so that it holds no more than before.
    private func place(_ items: [RowContent], in mailbox: MailboxID, isMove: Bool = false) throws -> PlacedRows {
        var draft = try draft(mailbox)
        let isNearQuota = try !isMove && requireRoom(for: items, in: draft.state.record.account)
        var placement = RowPlacement(
            uidNext: draft.state.record.uidNext, highestModSeq: draft.state.record.highestModSeq,
            keywords: draft.state.keywords, savedDate: rules.now())
        let rows = try placement.place(items)
        guard !rows.isEmpty else { return PlacedRows() }
        draft.append(rows, placement)
        keep(draft, .added)
        return PlacedRows(rows, isNearQuota: isNearQuota)
    }

    private func insert(_ rows: [MessageRow], in mailbox: MailboxID) throws {
        for row in rows {
            try write(
                """
                INSERT INTO message (mailbox, uid, flags, modseq, size, date, zone, saved, body, thread)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    mailbox.value, Int64(row.uid.value), Int64(bitPattern: row.flags.rawValue),
                    Int64(bitPattern: row.modSeq.value), Int64(row.size), row.internalDate.seconds,
                    Int64(row.internalDate.zoneMinutes), Int64(row.savedDate), row.body.value, row.thread.value,
                ])
        }
    }

    private func insert(_ body: StoredBody, references: Int, summary: [UInt8]) throws {
        guard references > 0 else { return }
        let place = body.place
        let checksum = summary.withUnsafeBytes { Checksum.of($0) }
        try write(
            """
            INSERT INTO body (id, segment, position, length, checksum, refs, summary_checksum, summary)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                body.id.value, place.segment, Int64(place.offset), Int64(place.length),
                Int64(bitPattern: place.checksum), Int64(references), Int64(bitPattern: checksum),
            ], summary)
        if let parked = body.parked {
            try park(parked.bytes, as: body.id)
        } else {
            pending.live[place.segment, default: 0] += place.extent
        }
    }

    func changeFlags(
        _ mailbox: MailboxID, _ uids: NumberSet, _ change: FlagChange, unchangedSince: ModSeq?
    ) throws -> NumberSet {
        var (draft, snapshot) = try loadedDraft(mailbox)
        draft.state.snapshot = nil
        let outcome = try snapshot.apply(change, to: uids, unchangedSince: unchangedSince)
        draft.state.snapshot = snapshot
        guard !outcome.changed.isEmpty else { return outcome.modified }
        draft.state.keywords = snapshot.keywords
        draft.state.record.highestModSeq = snapshot.highestModSeq
        draft.state.count(outcome.counters)
        draft.state.unsaved += outcome.changed.count
        let record = FlagRecord(
            modSeq: snapshot.highestModSeq, set: outcome.set, cleared: outcome.cleared, uids: outcome.changed)
        try write(record, in: mailbox)
        keep(draft, outcome.events)
        return outcome.modified
    }

    func copy(
        _ uids: NumberSet, from: MailboxID, to: MailboxID, keeping classes: FlagClasses, allOrNothing: Bool = false,
        isMove: Bool = false
    ) throws -> CopyResult {
        let (_, source) = try loadedDraft(from)
        let uidValidity = try draft(to).state.record.uidValidity
        var rows = source.rows(uids)
        if allOrNothing, rows.count < uids.count { rows = [] }
        let placed = try place(
            rows.map { RowContent($0, source.keywords, keeping: classes) }, in: to, isMove: isMove)
        try insert(placed.rows, in: to)
        try BodyRuns.forEach(rows.map(\.body)) { run in
            try execute("UPDATE body SET refs = refs + 1 WHERE id BETWEEN ? AND ?", [run.lowerBound, run.upperBound])
        }
        return CopyResult(
            uidValidity: uidValidity, source: rows.map(\.uid), destination: placed.rows.map(\.uid),
            isNearQuota: placed.isNearQuota)
    }

    func move(
        _ uids: NumberSet, from: MailboxID, to: MailboxID, keeping classes: FlagClasses = .all
    ) throws -> CopyResult {
        let isMove = try draft(from).state.record.account == draft(to).state.record.account
        let result = try copy(uids, from: from, to: to, keeping: classes, isMove: isMove)
        _ = try remove(NumberSet(ascending: result.source.map(\.value)), from: from, onlyDeleted: false)
        return result
    }

    func remove(_ uids: NumberSet, from mailbox: MailboxID, onlyDeleted: Bool) throws -> NumberSet {
        var (draft, snapshot) = try loadedDraft(mailbox)
        draft.state.snapshot = nil
        let before = snapshot
        let gone = snapshot.expunge(uids, onlyDeleted: onlyDeleted)
        draft.state.snapshot = snapshot
        guard !gone.isEmpty else { return NumberSet() }
        draft.state.record.highestModSeq = snapshot.highestModSeq
        var counters = CounterChange()
        for row in gone {
            counters.add(row, times: -1)
            if UInt64(row.uid.value) >= draft.state.firstRecent, draft.state.record.recentCount > 0 {
                draft.state.record.recentCount -= 1
            }
        }
        draft.state.count(counters)
        let removed = NumberSet(ascending: gone.map(\.uid.value))
        draft.state.unsaved += gone.count
        try write(Removal(modSeq: snapshot.highestModSeq, uids: removed), in: mailbox)
        try delete(before.spanning(removed), from: mailbox)
        try release(gone.map(\.body))
        keep(draft, .removed)
        return removed
    }

    private func delete(_ uids: NumberSet, from mailbox: MailboxID) throws {
        let delete = try db.cachedStatement(sql: "DELETE FROM message WHERE mailbox = ? AND uid BETWEEN ? AND ?")
        for range in uids.ranges {
            try delete.execute(arguments: [mailbox.value, Int64(range.lowerBound), Int64(range.upperBound)])
        }
    }

    /// One reference less each; at none the body goes.
    func release(_ bodies: [BodyID]) throws {
        let freed = try db.cachedStatement(
            sql: """
                SELECT segment, sum(length + \(SegmentHeader.size)) FROM body
                WHERE id BETWEEN ? AND ? AND refs <= 1 GROUP BY segment
                """)
        let delete = try db.cachedStatement(sql: "DELETE FROM body WHERE id BETWEEN ? AND ? AND refs <= 1")
        let update = try db.cachedStatement(sql: "UPDATE body SET refs = refs - 1 WHERE id BETWEEN ? AND ?")
        try BodyRuns.forEach(bodies) { run in
            let bounds: StatementArguments = [run.lowerBound, run.upperBound]
            let before = db.totalChangesCount
            let parkedDied = try takeLiveOctets(Row.fetchCursor(freed, arguments: bounds))
            try delete.execute(arguments: bounds)
            let deleted = db.totalChangesCount - before
            if parkedDied { try deleteParked(run) }
            // Those that are left, if any, have lost a reference.
            guard deleted < run.count else { return }
            try update.execute(arguments: bounds)
        }
    }
}

extension WriteTransaction {
    /// From rows of segment and octets; true when some were parked instead.
    private func takeLiveOctets(_ dead: RowCursor) throws -> Bool {
        var isParked = false
        while let row = try dead.next() {
            let segment: Int64 = try row.value(0)
            if segment == BodyPlace.parked {
                isParked = true
            } else {
                pending.live[segment, default: 0] &-= try row.value(1) as Int
            }
        }
        return isParked
    }

    private func deleteParked(_ run: ClosedRange<Int64>) throws {
        let bounds: StatementArguments = [run.lowerBound, run.upperBound]
        try execute(
            """
            DELETE FROM parked WHERE id BETWEEN ? AND ?
            AND id NOT IN (SELECT id FROM body WHERE id BETWEEN ? AND ?)
            """, bounds + bounds)
    }
}

/// Body numbers as runs: mail that came together leaves together, and one statement serves a run.
enum BodyRuns {
    /// Visits runs of the numbers; a number that is there n times is in n of them.
    static func forEach(_ bodies: [BodyID], _ visit: (ClosedRange<Int64>) throws -> Void) throws {
        var rest = bodies.map(\.value).sorted()
        while !rest.isEmpty {
            var repeated: [Int64] = []
            var run: ClosedRange<Int64>?
            for number in rest {
                guard let current = run else {
                    run = number...number
                    continue
                }
                if number == current.upperBound {
                    repeated.append(number)
                } else if number == current.upperBound + 1 {
                    run = current.lowerBound...number
                } else {
                    try visit(current)
                    run = number...number
                }
            }
            if let run { try visit(run) }
            rest = repeated
        }
    }
}
