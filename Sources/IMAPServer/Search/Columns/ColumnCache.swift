import MailStore
import MailVocabulary
import Synchronization

/// Keeps the columns of mailboxes that were searched or sorted lately: beside the index, and like it shared by all
/// sessions. A body never changes, so nothing in them is ever wrong; new messages are added when they are asked for.
/// Those of large mailboxes are kept by the store too (`ColumnKeeping`), for after a restart.
final class ColumnCache: Sendable {
    /// Octets of all columns: a mailbox of 100,000 messages takes some 5 MiB for each kind of text.
    static let limit = 128 << 20
    /// Messages of a mailbox from which on its columns are kept by the store: of fewer, the summaries are soon read.
    static let leastMessages = 1000
    /// What an entry costs beside its columns.
    private static let entryOctets = 256

    struct Entry {
        var uidValidity: UIDValidity
        var table: ColumnTable
        var octets: Int
        var lastUse: UInt64
        /// Kinds that the store was asked for.
        var tried: ColumnKinds = []
        /// What the store has.
        var kept: [ColumnKinds: KeptColumn] = [:]
    }

    struct State {
        var entries: [MailboxID: Entry] = [:]
        var octets = 0
        var uses: UInt64 = 0
        var keeping = ColumnKeeping()
    }

    let state = Mutex(State())
    private let limit: Int
    /// What comes first: an answer, and what is asked for right behind it.
    let keepingDelay: Duration

    init(limit: Int = ColumnCache.limit, keepingDelay: Duration = .milliseconds(200)) {
        self.limit = limit
        self.keepingDelay = keepingDelay
    }

    /// What is in memory of a mailbox.
    func table(of view: MailboxSnapshot) -> ColumnTable {
        state.withLock { state in
            guard var entry = state.entries[view.mailbox], entry.uidValidity == view.uidValidity else {
                return ColumnTable()
            }
            // Mostly values of messages that are gone: read anew, it takes half the memory.
            if entry.table.rowCount > 2 * view.count + 1024 {
                state.octets -= entry.octets
                state.entries[view.mailbox] = nil
                return ColumnTable()
            }
            state.uses += 1
            entry.lastUse = state.uses
            state.entries[view.mailbox] = entry
            return entry.table
        }
    }

    /// The same, with what the store has of these kinds; if that is not all, with what it has of the usual ones, so that
    /// nothing is made anew that is there.
    func table(of view: MailboxSnapshot, with kinds: ColumnKinds, from store: any MailStore) async -> ColumnTable {
        let table = await table(of: view, loading: kinds, from: store)
        return kinds.isSubset(of: table.kinds) ? table : await self.table(of: view, loading: .usual, from: store)
    }

    private func table(
        of view: MailboxSnapshot, loading kinds: ColumnKinds, from store: any MailStore
    ) async -> ColumnTable {
        var table = table(of: view)
        let wanted = kinds.subtracting(table.kinds).subtracting(tried(view))
        guard !wanted.isEmpty, view.count >= Self.leastMessages else { return table }
        var kept: [ColumnKinds: KeptColumn] = [:]
        for kind in wanted.each {
            guard let name = ColumnFile.name(kind), let data = await store.derived(name, of: view.mailbox),
                data.uidValidity == view.uidValidity, let column = ColumnFile.decode(data.octets, kind),
                column.coveredThrough == data.through
            else { continue }
            table.adopt(column, kind)
            kept[kind] = KeptColumn(count: column.count, since: .now)
        }
        keep(table, of: view)
        note(view, tried: wanted, kept: kept)
        return table
    }

    private func tried(_ view: MailboxSnapshot) -> ColumnKinds {
        state.withLock { state in
            guard let entry = state.entries[view.mailbox], entry.uidValidity == view.uidValidity else { return [] }
            return entry.tried
        }
    }

    /// Notes what the store was asked for, and what it has.
    func note(_ view: MailboxSnapshot, tried: ColumnKinds = [], kept: [ColumnKinds: KeptColumn]) {
        state.withLock { state in
            guard state.entries[view.mailbox]?.uidValidity == view.uidValidity else { return }
            state.entries[view.mailbox]?.tried.formUnion(tried)
            state.entries[view.mailbox]?.kept.merge(kept) { $1 }
        }
    }

    /// Keeps a table, and lets go of those that were not used for longest.
    func keep(_ table: ColumnTable, of view: MailboxSnapshot) {
        state.withLock { state in
            var entry = Entry(uidValidity: view.uidValidity, table: table, octets: 0, lastUse: 0)
            if let old = state.entries[view.mailbox] {
                state.octets -= old.octets
                state.entries[view.mailbox] = nil
                if old.uidValidity == view.uidValidity {
                    entry.table.merge(old.table)
                    (entry.tried, entry.kept) = (old.tried, old.kept)
                }
            }
            entry.octets = entry.table.octets + Self.entryOctets
            guard entry.octets <= limit else { return }
            while state.octets + entry.octets > limit,
                let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                state.octets -= oldest.value.octets
                state.entries[oldest.key] = nil
            }
            state.uses += 1
            entry.lastUse = state.uses
            state.octets += entry.octets
            state.entries[view.mailbox] = entry
        }
    }

    /// Octets that are kept now.
    var octets: Int { state.withLock { $0.octets } }
}
