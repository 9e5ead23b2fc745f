import MailStore
import MailVocabulary
import Synchronization

// Columns of large mailboxes are given to the store, so that after a restart nobody reads all summaries again. It is
// done behind the answers, one column at a time, and not for every few messages that come.

/// What the store has of a column, as far as is known.
struct KeptColumn: Sendable {
    /// Messages.
    var count: Int
    var since: ContinuousClock.Instant
}

/// Mailboxes whose columns may have to be kept.
struct ColumnKeeping {
    fileprivate var waiting: Set<MailboxID> = []
    fileprivate var task: Task<Void, Never>?
}

extension Column {
    /// Octets of a column that is kept: encoding it takes as much memory again, for a moment.
    private static let keptLimit = 48 << 20
    /// When this part of the messages has come since, or gone, the column is given again.
    private static let newPart = 8
    private static let gonePart = 10
    /// The store drops in a day what holds something of messages that are gone: it is given again before.
    private static let keptFor = Duration.seconds(12 * 3600)

    /// Whether it should be given to the store.
    fileprivate func isDue(_ kept: KeptColumn?, in view: MailboxSnapshot) -> Bool {
        guard octets <= Self.keptLimit, count > 0 else { return false }
        guard let kept else { return true }
        let gone = goneCount(from: view)
        return count - kept.count > kept.count / Self.newPart || gone > view.count / Self.gonePart
            || (gone > 0 && ContinuousClock.now - kept.since > Self.keptFor)
    }
}

extension ColumnCache {
    /// Has the store keep what it should, soon. For when columns have been made.
    func startKeeping(_ view: MailboxSnapshot, in store: any MailStore) {
        guard view.count >= Self.leastMessages else { return }
        state.withLock { state in
            state.keeping.waiting.insert(view.mailbox)
            guard state.keeping.task == nil else { return }
            state.keeping.task = Task.detached(priority: .background) { [self] in
                try? await Task.sleep(for: keepingDelay)
                while let mailbox = nextToKeep() { await keep(mailbox, in: store) }
            }
        }
    }

    private func nextToKeep() -> MailboxID? {
        state.withLock { state in
            let next = state.keeping.waiting.popFirst()
            if next == nil { state.keeping.task = nil }
            return next
        }
    }

    private func keep(_ mailbox: MailboxID, in store: any MailStore) async {
        // As it is now: of what has gone before, nothing is kept.
        guard let view = try? await store.open(mailbox),
            let entry = state.withLock({ $0.entries[mailbox] }), entry.uidValidity == view.uidValidity
        else { return }
        for (kind, column) in entry.table.columns where column.isDue(entry.kept[kind], in: view) {
            guard let name = ColumnFile.name(kind), let segment = column.segment(in: view) else { continue }
            let octets = ColumnFile.encode(segment, kind, through: column.coveredThrough)
            let data = DerivedData(
                uidValidity: view.uidValidity, modSeq: view.highestModSeq, through: column.coveredThrough,
                octets: octets)
            await store.keepDerived(data, as: name, of: mailbox)
            note(view, kept: [kind: KeptColumn(count: segment.uids.count, since: .now)])
        }
    }

    /// Returns when nothing waits to be kept.
    func settled() async {
        while let task = state.withLock({ $0.keeping.task }) { await task.value }
    }
}
