import Foundation
import GRDB
import MailStore
import MailVocabulary

// A flag change is one record, whatever number of messages it is about: rows are changed later, in housekeeping
// (`Folding`). A row shows the changes up to its own MODSEQ; whoever reads rows applies those records that are later.
// That holds while records are being folded, too, and after a crash in the middle of it.

/// `flags = (flags - cleared) ∪ set`, for those of the UIDs whose row has a lower MODSEQ.
struct FlagRecord: Sendable {
    var modSeq: ModSeq
    var set: FlagBits
    var cleared: FlagBits
    var uids: NumberSet

    func apply(to row: inout MessageRow) {
        guard row.modSeq < modSeq else { return }
        row.flags = row.flags.subtracting(cleared).union(set)
        row.modSeq = modSeq
    }

    /// Rows ascending by UID.
    func apply(to rows: inout [MessageRow]) {
        var index = 0
        for range in uids.ranges {
            index = rows.firstIndex(from: index) { $0.uid.value >= range.lowerBound }
            while index < rows.count, rows[index].uid.value <= range.upperBound {
                apply(to: &rows[index])
                index += 1
            }
        }
    }
}

extension [MessageRow] {
    /// The first index, not below `start`, whose row satisfies a predicate that is false before it and true from it on;
    /// the end when none does.
    fileprivate func firstIndex(from start: Int, where predicate: (MessageRow) -> Bool) -> Int {
        var (low, high) = (start, count)
        while low < high {
            let middle = (low + high) / 2
            if predicate(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension RowReader {
    /// Records above a MODSEQ, in the order in which they are to be applied.
    static func flagRecords(
        of mailbox: MailboxID, since: ModSeq = ModSeq(0), _ db: Database
    ) throws -> [FlagRecord] {
        let select = try db.cachedStatement(
            sql: "SELECT modseq, added, cleared, uids FROM flag_change WHERE mailbox = ? AND modseq > ? ORDER BY modseq"
        )
        let cursor = try Row.fetchCursor(select, arguments: [mailbox.value, Int64(clamping: since.value)])
        var records: [FlagRecord] = []
        while let row = try cursor.next() {
            guard let uids = UIDSetCoding.uids(bytes(row, 3)) else {
                throw StoreError.damaged("mailbox \(mailbox.value): a flag change")
            }
            records.append(
                FlagRecord(
                    modSeq: ModSeq(UInt64(clamping: try row.value(0) as Int64)),
                    set: FlagBits(rawValue: UInt64(bitPattern: try row.value(1))),
                    cleared: FlagBits(rawValue: UInt64(bitPattern: try row.value(2))), uids: uids))
        }
        return records
    }
}

extension WriteTransaction {
    func write(_ record: FlagRecord, in mailbox: MailboxID) throws {
        try write(
            "INSERT INTO flag_change (mailbox, modseq, added, cleared, uids) VALUES (?, ?, ?, ?, ?)",
            [
                mailbox.value, Int64(bitPattern: record.modSeq.value), Int64(bitPattern: record.set.rawValue),
                Int64(bitPattern: record.cleared.rawValue),
            ], UIDSetCoding.octets(record.uids))
    }
}
