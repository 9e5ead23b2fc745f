package import MailVocabulary
import Synchronization

// A chunk knows a few things about all of its rows, so that whoever looks for some of them can pass over those that
// have none: the search for flags, the first unseen message of SELECT, what changed since a MODSEQ. `forEach(in:where:)`
// of `MailboxSnapshot` is the way to use that.

/// What holds for all rows of a chunk.
package struct ChunkSummary: Sendable, Hashable {
    package var count: Int
    package var firstUID: UInt32
    package var lastUID: UInt32
    /// Set in some row.
    package var flagsOfAny: FlagBits
    /// Set in every row.
    package var flagsOfAll: FlagBits
    package var highestModSeq: ModSeq

    package init(
        count: Int, firstUID: UInt32, lastUID: UInt32, flagsOfAny: FlagBits, flagsOfAll: FlagBits,
        highestModSeq: ModSeq
    ) {
        (self.count, self.firstUID, self.lastUID) = (count, firstUID, lastUID)
        (self.flagsOfAny, self.flagsOfAll, self.highestModSeq) = (flagsOfAny, flagsOfAll, highestModSeq)
    }

    /// Of rows ascending by UID, at least one.
    package init(_ rows: [MessageRow]) {
        self.init(
            count: rows.count, firstUID: rows[0].uid.value, lastUID: rows[rows.count - 1].uid.value, flagsOfAny: [],
            flagsOfAll: FlagBits(rawValue: .max), highestModSeq: ModSeq(0))
        for row in rows { take(row) }
    }

    private mutating func take(_ row: MessageRow) {
        flagsOfAny.formUnion(row.flags)
        flagsOfAll.formIntersection(row.flags)
        highestModSeq = max(highestModSeq, row.modSeq)
    }

    /// All UIDs between the first and the last are there.
    package var hasNoGaps: Bool { Int(lastUID - firstUID) == count - 1 }

    /// False only when no row is one of those.
    package func mayHold(_ condition: RowCondition) -> Bool {
        flagsOfAll.intersection(condition.mask).isSubset(of: condition.value)
            && condition.value.isSubset(of: flagsOfAny) && highestModSeq > condition.changedSince
    }
}

/// What can be asked of a row without more than the index, and mostly of a whole chunk at once:
/// `flags & mask == value`, and a MODSEQ above one.
package struct RowCondition: Sendable, Hashable {
    package var mask: FlagBits
    /// A part of the mask.
    package var value: FlagBits
    package var changedSince: ModSeq

    package init(mask: FlagBits = [], value: FlagBits = [], changedSince: ModSeq = ModSeq(0)) {
        self.mask = mask
        self.value = value
        self.changedSince = changedSince
    }

    @inlinable package func holds(_ row: MessageRow) -> Bool {
        row.flags.intersection(mask) == value && row.modSeq > changedSince
    }
}

/// Some rows, never none, ascending by UID. Those read from a file stay as they were written until someone wants to see
/// one: SELECT of a large mailbox looks at few.
final class IndexChunk: Sendable {
    private final class Rows: Sendable {
        let rows: [MessageRow]
        init(_ rows: [MessageRow]) { self.rows = rows }
    }
    let summary: ChunkSummary
    private let decoded: AtomicLazyReference<Rows>
    /// Until they are decoded.
    private let encoded: Mutex<[UInt8]?>

    var count: Int { summary.count }
    var firstUID: UInt32 { summary.firstUID }
    var lastUID: UInt32 { summary.lastUID }

    convenience init(_ rows: [MessageRow]) { self.init(rows, ChunkSummary(rows)) }

    private init(_ rows: [MessageRow], _ summary: ChunkSummary) {
        self.summary = summary
        decoded = AtomicLazyReference()
        encoded = Mutex(nil)
        _ = decoded.storeIfNil(Rows(rows))
    }

    /// Rows as `ChunkCoding` wrote them; nil when these octets are not that.
    init?(_ summary: ChunkSummary, encoded octets: [UInt8]) {
        guard ChunkCoding.isWhole(octets, count: summary.count) else { return nil }
        self.summary = summary
        decoded = AtomicLazyReference()
        encoded = Mutex(octets)
    }

    var rows: [MessageRow] { decoded.load()?.rows ?? decode() }

    private func decode() -> [MessageRow] {
        encoded.withLock { octets in
            // Another thread may have been first.
            guard let waiting = octets else { return decoded.load()?.rows ?? [] }
            octets = nil
            return decoded.storeIfNil(Rows(ChunkCoding.rows(waiting, count: summary.count))).rows
        }
    }

    /// All rows' UIDs, without decoding more.
    var uids: [UInt32] {
        if let rows = decoded.load()?.rows { return rows.map(\.uid.value) }
        guard let octets = encoded.withLock({ $0 }) else { return rows.map(\.uid.value) }
        return ChunkCoding.uids(octets, count: summary.count)
    }

    /// All rows' flags, likewise.
    var flags: [UInt64] {
        if let rows = decoded.load()?.rows { return rows.map(\.flags.rawValue) }
        guard let octets = encoded.withLock({ $0 }) else { return rows.map(\.flags.rawValue) }
        return ChunkCoding.flags(octets, count: summary.count)
    }

    /// For a file.
    var octets: [UInt8] { encoded.withLock { $0 } ?? ChunkCoding.octets(rows) }

    static func chunks(of rows: [MessageRow]) -> [IndexChunk] {
        stride(from: 0, to: rows.count, by: MailboxSnapshot.rowsPerChunk).map { start in
            IndexChunk(Array(rows[start..<min(start + MailboxSnapshot.rowsPerChunk, rows.count)]))
        }
    }
}
