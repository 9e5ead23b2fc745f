import GRDB
import MailStore
import MailVocabulary

/// What every transaction follows.
struct CommitRules: Sendable {
    var quotaDefaults = QuotaDefaults()
    var purgedAtOnce = UpkeepLimits().purgedAtOnce
    /// Seconds since 1970.
    var now: @Sendable () -> UInt32 = SaveClock.system
    var turns = QueueTurns()
}

/// One database transaction, shared by all callers of a batch, with what it will change in memory once it is
/// committed. Lives on the committer's queue.
final class WriteTransaction {
    /// What is not in the database yet, or not only there: put back when one caller's work fails.
    struct Pending {
        var drafts: [MailboxID: MailboxDraft] = [:]
        var dropped: Set<MailboxID> = []
        var changes = ChangeSet()
        /// Change of live octets by segment.
        var live: [Int64: Int] = [:]
        var nextUIDValidity: Int64
        /// Index and derived files of what was dropped: they go after the commit.
        var deadFiles: [String] = []
        /// Messages of deleted mailboxes removed so far.
        var purged = 0
        /// Whether domains, accounts or credentials have changed.
        var changesAccounts = false
        var changedQuotas: Set<AccountID> = []
        var usage: [AccountID: UsageChange] = [:]
        var threads: [AccountThreadKey: ThreadID] = [:]
    }

    let db: Database
    let cache: IndexCache
    let rules: CommitRules
    let directory: StoreDirectory
    let quotas: QuotaBook
    var pending: Pending
    private let firstUIDValidity: Int64
    /// Segments without a live octet: their files go after the commit.
    private(set) var deadSegments: [Int64] = []

    init(
        _ db: Database, cache: IndexCache, rules: CommitRules, directory: StoreDirectory, quotas: QuotaBook,
        nextUIDValidity: Int64
    ) {
        self.db = db
        self.cache = cache
        self.rules = rules
        self.directory = directory
        self.quotas = quotas
        firstUIDValidity = nextUIDValidity
        pending = Pending(nextUIDValidity: nextUIDValidity)
    }

    func execute(_ sql: String, _ arguments: StatementArguments) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    // Mailboxes

    /// The mailbox as this transaction sees it. Throws `noSuchMailbox`.
    func draft(_ id: MailboxID) throws -> MailboxDraft {
        guard !pending.dropped.contains(id) else { throw StoreError.noSuchMailbox }
        if let draft = pending.drafts[id] { return draft }
        return MailboxDraft(try cache.mailbox(id) ?? RowReader.state(id, db))
    }

    /// The same with its rows.
    func loadedDraft(_ id: MailboxID) throws -> (draft: MailboxDraft, snapshot: MailboxSnapshot) {
        var draft = try draft(id)
        if let snapshot = draft.state.snapshot { return (draft, snapshot) }
        try RowReader.load(&draft.state, directory, db)
        draft.appended = []
        guard let snapshot = draft.state.snapshot else { throw StoreError.noSuchMailbox }
        return (draft, snapshot)
    }

    /// - Parameter events: what happened to messages.
    func keep(_ draft: MailboxDraft, _ events: MessageEvents) {
        var draft = draft
        let holds = UsageChange(draft.state.record)
        count(holds - draft.counted, in: draft.state.record.account)
        draft.counted = holds
        pending.drafts[draft.state.record.id] = draft
        pending.changes.note(events, in: draft.state.record.id)
    }

    func count(_ change: UsageChange, in account: AccountID) {
        pending.usage[account] = (pending.usage[account] ?? UsageChange()) + change
    }

    // At the end

    /// Writes what was gathered: one row for each mailbox and segment, however many callers touched it.
    func flush(created: [(id: Int64, isSealed: Bool)], sealed: [Int64], openSegment: Int64?) throws {
        for (id, draft) in pending.drafts where !pending.dropped.contains(id) { try write(draft) }
        if pending.nextUIDValidity != firstUIDValidity {
            try setMeta("next_uidvalidity", pending.nextUIDValidity)
        }
        try flushUsage()
        try flushThreads()
        try flushSegments(created: created, sealed: sealed, openSegment: openSegment)
    }

    func setMeta(_ key: String, _ value: Int64) throws {
        try execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", [key, value])
    }

    private func write(_ draft: MailboxDraft) throws {
        let record = draft.state.record
        try write(
            """
            UPDATE mailbox SET uidnext = ?, modseq = ?, messages = ?, unseen = ?, deleted = ?, size = ?,
            deleted_size = ?, recent = ?, first_recent = ? WHERE id = ?
            """,
            [
                Int64(clamping: record.uidNext), Int64(clamping: record.highestModSeq.value),
                Int64(record.messageCount), Int64(record.unseenCount), Int64(record.deletedCount),
                Int64(clamping: record.size), Int64(clamping: record.deletedSize), Int64(record.recentCount),
                Int64(clamping: draft.state.firstRecent), record.id.value,
            ])
        for (number, keyword) in draft.state.keywords.keywords.enumerated().dropFirst(draft.savedKeywords) {
            try execute(
                "INSERT INTO keyword (mailbox, number, name) VALUES (?, ?, ?)",
                [record.id.value, number, keyword.name])
        }
    }

    private func flushSegments(created: [(id: Int64, isSealed: Bool)], sealed: [Int64], openSegment: Int64?) throws {
        for (id, isSealed) in created {
            try execute("INSERT INTO segment (id, live, sealed) VALUES (?, 0, ?)", [id, isSealed])
        }
        for id in sealed { try execute("UPDATE segment SET sealed = 1 WHERE id = ?", [id]) }
        for (id, change) in pending.live where change != 0 {
            try execute("UPDATE segment SET live = live + ? WHERE id = ?", [change, id])
        }
        let touched = Set(pending.live.keys).union(sealed).union(created.map(\.id))
        for id in touched where id != openSegment {
            let select = try db.cachedStatement(sql: "SELECT 1 FROM segment WHERE id = ? AND live <= 0 AND sealed")
            guard try Int.fetchOne(select, arguments: [id]) != nil else { continue }
            try execute("DELETE FROM segment WHERE id = ?", [id])
            deadSegments.append(id)
        }
    }
}
