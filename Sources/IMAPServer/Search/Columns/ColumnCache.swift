import MailStore
import MailVocabulary
import Synchronization

/// Keeps the columns of mailboxes that were searched or sorted lately: beside the index, and like it shared by all
/// sessions. A body never changes, so nothing in them is ever wrong; new messages are added when they are asked for.
final class ColumnCache: Sendable {
    /// Octets of all columns: a mailbox of 100,000 messages takes some 5 MiB for each kind of text.
    static let limit = 128 << 20

    private struct Entry {
        var uidValidity: UIDValidity
        var table: ColumnTable
        var octets: Int
        var lastUse: UInt64
    }

    private struct State {
        var entries: [MailboxID: Entry] = [:]
        var octets = 0
        var uses: UInt64 = 0
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int = ColumnCache.limit) { self.limit = limit }

    /// What is kept of a mailbox.
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

    /// Keeps a table, and lets go of those that were not used for longest.
    func keep(_ table: ColumnTable, of view: MailboxSnapshot) {
        state.withLock { state in
            var table = table
            if let old = state.entries[view.mailbox] {
                state.octets -= old.octets
                state.entries[view.mailbox] = nil
                if old.uidValidity == view.uidValidity { table.merge(old.table) }
            }
            let octets = table.octets
            guard octets <= limit else { return }
            while state.octets + octets > limit,
                let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                state.octets -= oldest.value.octets
                state.entries[oldest.key] = nil
            }
            state.uses += 1
            state.octets += octets
            state.entries[view.mailbox] = Entry(
                uidValidity: view.uidValidity, table: table, octets: octets, lastUse: state.uses)
        }
    }

    /// Octets that are kept now.
    var octets: Int { state.withLock { $0.octets } }
}
