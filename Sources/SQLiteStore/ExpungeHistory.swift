import Foundation
import GRDB
package import MailStore
package import MailVocabulary

// Which UIDs went, and with which MODSEQ: for clients that come back (RFC 7162 §3.2.5), and to bring an index file up to
// date. The history of a mailbox is bounded: old removals are put together under the latest MODSEQ among them, and when
// that does not help they are forgotten. Asked about a time before, the answer is then all UIDs that were given and
// that no message has: more than was asked for, but nothing wrong.

struct Removal: Sendable {
    var modSeq: ModSeq
    /// Nil for what was forgotten: all that is missing may have gone with this change, or before.
    var uids: NumberSet?
}

enum ExpungeHistory {
    /// Removals of a mailbox that are kept, at most.
    static let countLimit = 256
    /// The newest of them are never put together.
    static let exact = 128
    /// Neighbours that become one.
    static let together = 8
    /// Octets of a mailbox's history; some hundred thousand scattered UIDs.
    static let octetLimit = 256 << 10

    /// A shorter history, ascending; nil when this one is short enough.
    static func shortened(_ removals: [Removal], countLimit: Int = countLimit, octetLimit: Int = octetLimit)
        -> [Removal]?
    {
        var kept = removals
        if kept.count > countLimit {
            let old = kept.dropLast(exact)
            kept =
                stride(from: 0, to: old.count, by: together).map { start in
                    merged(old[start..<min(start + together, old.count)])
                } + kept.suffix(exact)
        }
        var octets = kept.reduce(0) { $0 + size($1) }
        var forgotten: ModSeq?
        while octets > octetLimit, let oldest = kept.first {
            octets -= size(oldest)
            forgotten = oldest.modSeq
            kept.removeFirst()
        }
        if let forgotten { kept.insert(Removal(modSeq: forgotten, uids: nil), at: 0) }
        return kept.count == removals.count && forgotten == nil ? nil : kept
    }

    private static func size(_ removal: Removal) -> Int {
        removal.uids.map { UIDSetCoding.octets($0).count } ?? 0
    }

    /// Of neighbours, ascending.
    private static func merged(_ removals: ArraySlice<Removal>) -> Removal {
        var uids: NumberSet? = NumberSet(removals.flatMap { $0.uids?.ranges ?? [] })
        if removals.contains(where: { $0.uids == nil }) { uids = nil }
        return Removal(modSeq: removals.last?.modSeq ?? ModSeq(0), uids: uids)
    }
}

extension RowReader {
    /// Later than a MODSEQ, in their order.
    static func removals(in mailbox: MailboxID, since: ModSeq, _ db: Database) throws -> [Removal] {
        let select = try db.cachedStatement(
            sql: "SELECT modseq, uids FROM expunged WHERE mailbox = ? AND modseq > ? ORDER BY modseq")
        let cursor = try Row.fetchCursor(select, arguments: [mailbox.value, Int64(clamping: since.value)])
        var removals: [Removal] = []
        while let row = try cursor.next() {
            // What is damaged counts as forgotten.
            removals.append(
                Removal(
                    modSeq: ModSeq(UInt64(clamping: try row.value(0) as Int64)),
                    uids: UIDSetCoding.uids(bytes(row, 1))))
        }
        return removals
    }
}

extension WriteTransaction {
    func write(_ removal: Removal, in mailbox: MailboxID) throws {
        try write(
            "INSERT OR REPLACE INTO expunged (mailbox, modseq, uids) VALUES (?, ?, ?)",
            [mailbox.value, Int64(bitPattern: removal.modSeq.value)], removal.uids.map(UIDSetCoding.octets) ?? [])
    }

    /// Puts old removals together when there are many.
    func shortenHistory(of mailbox: MailboxID) throws {
        let removals = try RowReader.removals(in: mailbox, since: ModSeq(0), db)
        guard let kept = ExpungeHistory.shortened(removals) else { return }
        try execute("DELETE FROM expunged WHERE mailbox = ?", [mailbox.value])
        for removal in kept { try write(removal, in: mailbox) }
    }
}

extension SQLiteStore {
    package func expunged(_ mailbox: MailboxID, since: ModSeq) async throws -> NumberSet {
        if let now = cache.mailbox(mailbox), now.record.highestModSeq <= since { return NumberSet() }
        let removals = try await read { db in
            _ = try RowReader.state(mailbox, db)
            return try RowReader.removals(in: mailbox, since: since, db)
        }
        var ranges: [ClosedRange<UInt32>] = []
        for removal in removals {
            guard let uids = removal.uids else { return try await open(mailbox).missingUIDs }
            ranges += uids.ranges
        }
        return NumberSet(ranges)
    }
}
