import MailStore
import MailVocabulary
import Synchronization

/// What the store keeps in memory of a mailbox.
struct MailboxState: Sendable {
    /// As in the database; whether it is subscribed is not known here.
    var record: Mailbox
    var keywords: KeywordTable
    /// The first UID no session has been told of as recent.
    var firstRecent: UInt64
    /// The rows, when they are loaded.
    var snapshot: MailboxSnapshot?
    /// About how many rows have changed since the index file was written, as far as that is known.
    var unsaved = 0
}

/// What a batch did to a mailbox.
struct MailboxDraft: Sendable {
    var state: MailboxState
    /// Rows added while the rows as a whole were not at hand.
    var appended: [MessageRow] = []
    /// The highest MODSEQ before.
    let base: ModSeq
    private let firstNewUID: UInt64
    /// How many keywords are in the database.
    let savedKeywords: Int
    /// What it held as the account's usage last took it in.
    var counted: UsageChange

    init(_ state: MailboxState) {
        self.state = state
        base = state.record.highestModSeq
        firstNewUID = state.record.uidNext
        savedKeywords = state.keywords.keywords.count
        counted = UsageChange(state.record)
    }

    /// Whether messages were added.
    var hasGrown: Bool { state.record.uidNext > firstNewUID }

    /// Takes in what was placed below the record and the rows.
    mutating func append(_ rows: [MessageRow], _ placement: RowPlacement) {
        state.record.uidNext = placement.uidNext
        state.record.highestModSeq = placement.highestModSeq
        state.keywords = placement.keywords
        state.count(placement.counters)
        state.record.recentCount &+= rows.count
        state.unsaved += rows.count
        if state.snapshot == nil {
            appended.append(contentsOf: rows)
        } else {
            state.snapshot?.append(rows)
            state.adoptRecord()
        }
    }
}

extension MailboxState {
    /// Wrapping: a counter that was read may be damaged.
    mutating func count(_ change: CounterChange) {
        record.messageCount &+= change.messages
        record.unseenCount &+= change.unseen
        record.deletedCount &+= change.deleted
        record.size = UInt64(clamping: Int64(clamping: record.size) &+ Int64(change.size))
        record.deletedSize = UInt64(clamping: Int64(clamping: record.deletedSize) &+ Int64(change.deletedSize))
    }

    /// The snapshot's own copies of what the record says.
    mutating func adoptRecord() {
        snapshot?.uidNext = record.uidNext
        snapshot?.highestModSeq = record.highestModSeq
        snapshot?.keywords = keywords
    }
}

/// Mailboxes in use, as last committed. The committer publishes here after each commit; anyone may read and load.
/// A mailbox that someone observes is never dropped.
final class IndexCache: Sendable {
    /// Rows kept in all, about 100 MB; what nobody observes goes first, least recently used first.
    static let rowLimit = 2_000_000
    private static let loadAttempts = 3
    /// What an entry costs beside its rows, in rows.
    private static let entryCost = 16

    private struct Entry {
        var state: MailboxState
        var lastUse: UInt64
        var cost: Int { (state.snapshot?.count ?? 0) + IndexCache.entryCost }
    }
    private struct State {
        var entries: [MailboxID: Entry] = [:]
        /// For mailboxes being loaded now: by how many, and how often a commit has overtaken them.
        var loads: [MailboxID: (loaders: Int, commits: Int)] = [:]
        var clock: UInt64 = 0
        var cost = 0
        /// Cost above which looking for what may go is worth while, as long as no more observations have ended.
        var threshold = 0
        var endedObservations = 0
        /// Mailboxes that commits have changed since `takeTouched`.
        var touched: Set<MailboxID> = []
        /// For tests.
        var searches = 0

        mutating func set(_ id: MailboxID, _ state: MailboxState?) {
            cost -= entries[id]?.cost ?? 0
            clock += 1
            entries[id] = state.map { Entry(state: $0, lastUse: clock) }
            cost += entries[id]?.cost ?? 0
        }
    }
    private let state = Mutex(State())
    private let feed: ChangeFeed
    private let limit: Int

    init(feed: ChangeFeed, limit: Int = IndexCache.rowLimit) {
        self.feed = feed
        self.limit = limit
    }

    func current(_ id: MailboxID) -> MailboxSnapshot? {
        state.withLock { state in
            state.clock += 1
            state.entries[id]?.lastUse = state.clock
            return state.entries[id]?.state.snapshot
        }
    }

    func mailbox(_ id: MailboxID) -> MailboxState? { state.withLock { $0.entries[id]?.state } }

    /// Reads a mailbox with `read` and keeps it, unless a commit came between: then reads again, a few times. Nil when
    /// commits to the mailbox come faster than it can be read.
    func load(_ id: MailboxID, _ read: () throws -> MailboxState) throws -> MailboxSnapshot? {
        for _ in 0..<Self.loadAttempts {
            if let snapshot = current(id) { return snapshot }
            let start = state.withLock { state in
                state.loads[id, default: (0, 0)].loaders += 1
                return state.loads[id]?.commits
            }
            let loaded = Result { try read() }
            let isKept = state.withLock { state in
                let isOvertaken = state.loads[id]?.commits != start
                state.loads[id]?.loaders -= 1
                if state.loads[id]?.loaders == 0 { state.loads[id] = nil }
                guard !isOvertaken, var mailbox = try? loaded.get() else { return !isOvertaken }
                if let known = state.entries[id]?.state {
                    mailbox.firstRecent = known.firstRecent
                    mailbox.record.recentCount = known.record.recentCount
                }
                state.set(id, mailbox)
                return true
            }
            guard isKept else { continue }
            evict()
            return try loaded.get().snapshot
        }
        return nil
    }

    func publish(_ drafts: [MailboxID: MailboxDraft], dropped: Set<MailboxID>) {
        state.withLock { state in
            for id in dropped {
                state.set(id, nil)
                state.loads[id]?.commits += 1
            }
            state.touched.formUnion(drafts.keys)
            for (id, draft) in drafts where !dropped.contains(id) {
                state.loads[id]?.commits += 1
                state.set(id, IndexCache.merge(draft, over: state.entries[id]?.state))
            }
        }
        evict()
    }

    /// Rows may have been loaded, or recent messages claimed, since the draft was begun.
    private static func merge(_ draft: MailboxDraft, over known: MailboxState?) -> MailboxState {
        var merged = draft.state
        guard let known else { return merged }
        merged.unsaved = max(merged.unsaved, known.unsaved)
        if merged.snapshot == nil, var snapshot = known.snapshot {
            if snapshot.highestModSeq == merged.record.highestModSeq {
                merged.snapshot = snapshot
            } else if snapshot.highestModSeq == draft.base {
                snapshot.append(draft.appended)
                merged.snapshot = snapshot
                merged.adoptRecord()
            }
        }
        if known.firstRecent > merged.firstRecent {
            merged.firstRecent = known.firstRecent
            merged.record.recentCount = Int(clamping: merged.record.uidNext &- known.firstRecent)
        }
        return merged
    }

    /// Returns the first UID that was recent until now; nil when the mailbox is not in memory.
    func claimRecent(_ id: MailboxID) -> UInt64? {
        state.withLock { state in
            guard let entry = state.entries[id] else { return nil }
            state.entries[id]?.state.firstRecent = entry.state.record.uidNext
            state.entries[id]?.state.record.recentCount = 0
            return entry.state.firstRecent
        }
    }

    /// For housekeeping.
    func takeTouched() -> Set<MailboxID> {
        state.withLock { state in
            defer { state.touched = [] }
            return state.touched
        }
    }

    /// An index file was written when so many rows had changed.
    func saved(_ id: MailboxID, _ changed: Int) {
        state.withLock { state in
            guard let unsaved = state.entries[id]?.state.unsaved else { return }
            state.entries[id]?.state.unsaved = max(0, unsaved - changed)
        }
    }

    /// All that is in memory: for writing down what was claimed.
    func all() -> [MailboxState] { state.withLock { $0.entries.values.map(\.state) } }

    private func evict() {
        let ended = feed.endedCount
        state.withLock { state in
            guard state.cost > limit, state.cost > state.threshold || state.endedObservations != ended else { return }
            state.searches += 1
            let oldestFirst = state.entries.map { ($0.key, $0.value.lastUse) }.sorted { $0.1 < $1.1 }
            // Never the newest: whoever has just loaded it is about to use it, however large it is.
            for (id, _) in oldestFirst.dropLast() where state.cost > limit / 4 * 3 && !feed.isObserved(id) {
                state.set(id, nil)
            }
            // What is left is observed. Not at every commit again: when a quarter has been added, or somebody has left.
            state.threshold = state.cost + limit / 4
            state.endedObservations = ended
        }
    }

    /// How often the entries were looked through for what may go.
    var searches: Int { state.withLock { $0.searches } }
}
