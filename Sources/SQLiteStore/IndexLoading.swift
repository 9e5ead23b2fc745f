import GRDB
import GRDBSQLite
import MailStore
import MailVocabulary

// Where the rows of a mailbox come from: the index file and what has changed since, or else the database's own rows.

extension RowReader {
    /// The mailbox as `state` says it is, with its rows. `state.unsaved` tells how far the index file is behind.
    static func load(_ state: inout MailboxState, _ directory: StoreDirectory, _ db: Database) throws {
        if let (snapshot, changed) = try kept(state, directory, db) {
            state.snapshot = snapshot
            state.unsaved = changed
        } else {
            let snapshot = try snapshot(state, passesOverDamage: true, db)
            state.snapshot = snapshot
            state.unsaved = snapshot.count
        }
        state.adoptRecord()
    }

    /// From the database's rows.
    static func snapshot(
        _ state: MailboxState, passesOverDamage: Bool = false, _ db: Database
    ) throws -> MailboxSnapshot {
        let id = state.record.id
        var rows = try rows(of: id, from: .min, expecting: state.record.messageCount, db)
        for record in try flagRecords(of: id, passesOverDamage: passesOverDamage, db) { record.apply(to: &rows) }
        return MailboxSnapshot(
            mailbox: id, uidValidity: state.record.uidValidity, uidNext: state.record.uidNext,
            highestModSeq: state.record.highestModSeq, keywords: state.keywords, rows: rows)
    }

    /// From the index file, brought up to date; nil when there is none that can be used. Also: how many rows have
    /// changed since it was written.
    static func kept(
        _ state: MailboxState, _ directory: StoreDirectory, _ db: Database
    ) throws -> (MailboxSnapshot, changed: Int)? {
        let record = state.record
        guard let file = try indexFile(of: record.id, db),
            var snapshot = IndexFile.read(directory.index(record.id, file.modSeq), checksum: file.checksum),
            snapshot.mailbox == record.id, snapshot.uidValidity == record.uidValidity,
            snapshot.highestModSeq == file.modSeq, file.modSeq <= record.highestModSeq,
            snapshot.uidNext <= record.uidNext
        else { return nil }
        guard file.modSeq < record.highestModSeq else {
            return snapshot.count == record.messageCount ? (snapshot, 0) : nil
        }
        var changed = 0
        for removal in try removals(in: record.id, since: file.modSeq, db) {
            guard let uids = removal.uids else { return nil }
            snapshot.remove(uids)
            changed += uids.count
        }
        if snapshot.uidNext < record.uidNext {
            let rows = try rows(of: record.id, from: Int64(clamping: snapshot.uidNext), db)
            snapshot.append(rows)
            changed += rows.count
        }
        guard let records = try? flagRecords(of: record.id, since: file.modSeq, db) else { return nil }
        for flags in records {
            snapshot.update(flags.uids) { flags.apply(to: &$0) }
            changed += flags.uids.count
        }
        return snapshot.count == record.messageCount ? (snapshot, changed) : nil
    }

    struct KeptIndex: Sendable {
        var modSeq: ModSeq
        var checksum: UInt64
    }

    /// The index file that belongs to a mailbox.
    static func indexFile(of mailbox: MailboxID, _ db: Database) throws -> KeptIndex? {
        let select = try db.cachedStatement(sql: "SELECT modseq, checksum FROM index_file WHERE mailbox = ?")
        return try Row.fetchOne(select, arguments: [mailbox.value]).flatMap { row in
            // What is damaged is none.
            guard let modSeq = try? row.value(0) as Int64, let checksum = try? row.value(1) as Int64 else { return nil }
            return KeptIndex(modSeq: ModSeq(UInt64(clamping: modSeq)), checksum: UInt64(bitPattern: checksum))
        }
    }
}
