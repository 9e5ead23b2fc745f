import GRDB
import MailStore
import MailVocabulary

// Flag records become rows: some rows with each commit, then the records go. Until then both are there, and whoever
// reads rows gets the same result at every moment (`FlagRecord`), so that a crash in between does no harm.

extension RowReader {
    enum Journal: String {
        case flags = "flag_change"
        case removals = "expunged"

        func limits(_ upkeep: UpkeepLimits) -> (count: Int, octets: Int) {
            switch self {
            case .flags: (upkeep.records, upkeep.recordOctets)
            case .removals: (ExpungeHistory.countLimit, ExpungeHistory.octetLimit)
            }
        }
    }

    /// Those of the mailboxes of which more is kept than should be.
    static func due(_ mailboxes: Set<MailboxID>, _ journal: Journal, _ upkeep: UpkeepLimits, _ db: Database) throws
        -> [MailboxID]
    {
        let select = try db.cachedStatement(
            sql: "SELECT count(*), ifnull(sum(length(uids)), 0) FROM \(journal.rawValue) WHERE mailbox = ?")
        let limits = journal.limits(upkeep)
        return try mailboxes.filter { mailbox in
            guard let row = try Row.fetchOne(select, arguments: [mailbox.value]) else { return false }
            return try row.value(0) as Int > limits.count || row.value(1) as Int > limits.octets
        }
    }
}

extension SQLiteStore {
    /// All records that are there now.
    func fold(_ mailbox: MailboxID) async throws {
        let records = try await read { db in try RowReader.flagRecords(of: mailbox, db) }
        guard let last = records.last?.modSeq, let first = records.compactMap(\.uids.min).min() else { return }
        // A file that is older would need the records; one that is written now, or later, does not.
        if let known = cache.mailbox(mailbox), known.record.messageCount >= upkeep.limits.leastRows {
            try await saveIndex(of: mailbox)
        }
        var next: Int64? = Int64(first)
        while let start = next {
            try Task.checkCancellation()
            next = try await committer.commit { [upkeep] transaction, _ in
                try transaction.fold(records, mailbox, from: start, limit: upkeep.limits.foldedAtOnce)
            }
        }
        try await committer.commit { transaction, _ in try transaction.forget(upTo: last, mailbox) }
    }
}

extension WriteTransaction {
    /// Returns the UID from which to go on; nil at the end.
    func fold(_ records: [FlagRecord], _ mailbox: MailboxID, from uid: Int64, limit: Int) throws -> Int64? {
        let old = try RowReader.rows(of: mailbox, from: uid, limit: limit, expecting: limit, db)
        var new = old
        for record in records { record.apply(to: &new) }
        let update = try db.cachedStatement(
            sql: "UPDATE message SET flags = ?, modseq = ? WHERE mailbox = ? AND uid BETWEEN ? AND ?")
        var index = 0
        while index < new.count {
            let first = new[index]
            guard first != old[index] else {
                index += 1
                continue
            }
            var end = index + 1
            while end < new.count, new[end].flags == first.flags, new[end].modSeq == first.modSeq,
                new[end] != old[end]
            {
                end += 1
            }
            try update.execute(arguments: [
                Int64(bitPattern: first.flags.rawValue), Int64(bitPattern: first.modSeq.value), mailbox.value,
                Int64(first.uid.value), Int64(new[end - 1].uid.value),
            ])
            index = end
        }
        guard old.count == limit, let last = old.last else { return nil }
        return Int64(last.uid.value) + 1
    }

    /// Records that rows show now, and an index file that would need them.
    func forget(upTo modSeq: ModSeq, _ mailbox: MailboxID) throws {
        let arguments: StatementArguments = [mailbox.value, Int64(clamping: modSeq.value)]
        try execute("DELETE FROM flag_change WHERE mailbox = ? AND modseq <= ?", arguments)
        try forgetIndex(before: modSeq, mailbox)
    }

    /// What it would need to be brought up to date is gone.
    func forgetIndex(before modSeq: ModSeq, _ mailbox: MailboxID) throws {
        guard let file = try RowReader.indexFile(of: mailbox, db), file.modSeq < modSeq else { return }
        try execute("DELETE FROM index_file WHERE mailbox = ?", [mailbox.value])
        pending.deadFiles.append(directory.index(mailbox, file.modSeq))
    }

    /// The file belongs to the mailbox from now on. Returns the MODSEQ of the one that did. Throws `noSuchMailbox`.
    func adoptIndex(of mailbox: MailboxID, _ modSeq: ModSeq, _ checksum: UInt64) throws -> ModSeq? {
        _ = try draft(mailbox)
        let old = try RowReader.indexFile(of: mailbox, db)
        try execute(
            "INSERT OR REPLACE INTO index_file (mailbox, modseq, checksum) VALUES (?, ?, ?)",
            [mailbox.value, Int64(clamping: modSeq.value), Int64(bitPattern: checksum)])
        return old?.modSeq
    }
}
