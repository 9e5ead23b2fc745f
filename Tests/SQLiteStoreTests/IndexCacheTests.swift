import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import SQLiteStore

@Suite("Indexes in memory")
struct IndexCacheTests {
    private struct Unreadable: Error {}

    private func state(_ id: Int64, rows: Int, modSeq: UInt64 = 2, loaded: Bool = true) throws -> MailboxState {
        let uidValidity = try #require(UIDValidity(1))
        let rows = (1..<UInt32(rows + 1)).map { row($0) }
        var record = Mailbox(
            id: MailboxID(id), account: AccountID(1), name: .inbox, uidValidity: uidValidity,
            uidNext: UInt64(rows.count + 1), highestModSeq: ModSeq(modSeq))
        record.messageCount = rows.count
        let snapshot = MailboxSnapshot(
            mailbox: record.id, uidValidity: uidValidity, uidNext: record.uidNext, highestModSeq: ModSeq(modSeq),
            rows: rows)
        return MailboxState(
            record: record, keywords: KeywordTable(), firstRecent: 1, snapshot: loaded ? snapshot : nil)
    }

    private func row(_ uid: UInt32) -> MessageRow {
        MessageRow(
            uid: UID(known: uid), flags: [], modSeq: ModSeq(2), size: 1, internalDate: Timestamp(seconds: 0),
            body: BodyID(1))
    }

    /// As the committer does when it adds one message without having the rows.
    private func appending(to state: MailboxState) throws -> MailboxDraft {
        var draft = MailboxDraft(state)
        var placement = RowPlacement(
            uidNext: state.record.uidNext, highestModSeq: state.record.highestModSeq, keywords: state.keywords,
            savedDate: 0)
        let rows = try placement.place([
            RowContent(flags: [], size: 1, internalDate: Timestamp(seconds: 0), body: BodyID(2), thread: ThreadID(2))
        ])
        draft.append(rows, placement)
        return draft
    }

    @Test("the least recently used go first; those observed never do; nor does the newest")
    func eviction() throws {
        let feed = ChangeFeed()
        let cache = IndexCache(feed: feed, limit: 1000)
        let observation = feed.observe(MailboxID(1)) {}
        for id in Int64(1)...9 { _ = try cache.load(MailboxID(id)) { try state(id, rows: 200) } }
        #expect(cache.current(MailboxID(1)) != nil)
        #expect(cache.current(MailboxID(9)) != nil)
        #expect(cache.current(MailboxID(2)) == nil)
        #expect(cache.all().count < 6)
        _ = try cache.load(MailboxID(50)) { try state(50, rows: 5000) }
        #expect(cache.current(MailboxID(50))?.count == 5000)
        #expect(cache.current(MailboxID(9)) == nil)
        withExtendedLifetime(observation) {}
    }

    @Test("what is observed is not looked through again at every commit; when an observation ends it is")
    func evictionRests() throws {
        let feed = ChangeFeed()
        let cache = IndexCache(feed: feed, limit: 1000)
        var observations = (1...10).map { feed.observe(MailboxID($0)) {} }
        for id in Int64(1)...10 { _ = try cache.load(MailboxID(id)) { try state(id, rows: 200) } }
        let searches = cache.searches
        for id in Int64(11)...20 {
            let mailbox = try state(id % 10 + 1, rows: 200)
            cache.publish([mailbox.record.id: MailboxDraft(mailbox)], dropped: [])
        }
        #expect(cache.searches == searches)
        #expect(cache.all().count == 10)
        // Others do not add up meanwhile.
        for id in Int64(100)..<200 { _ = try cache.load(MailboxID(id)) { try state(id, rows: 50) } }
        #expect(cache.all().count < 10 + 10)
        observations.removeAll()
        _ = try cache.load(MailboxID(300)) { try state(300, rows: 10) }
        #expect(cache.all().reduce(0) { $0 + ($1.snapshot?.count ?? 0) } <= 1000)
    }

    @Test("what was read while a commit came between is read again, and given up when that goes on")
    func overtaken() throws {
        let cache = IndexCache(feed: ChangeFeed())
        var reads = 0
        let loaded = try cache.load(MailboxID(1)) {
            reads += 1
            let old = try state(1, rows: 3, loaded: false)
            if reads == 1 { cache.publish([MailboxID(1): try appending(to: old)], dropped: []) }
            return reads == 1 ? try state(1, rows: 3) : try state(1, rows: 4, modSeq: 3)
        }
        #expect(reads == 2)
        #expect(loaded?.count == 4)
        reads = 0
        let never = try cache.load(MailboxID(2)) {
            reads += 1
            cache.publish([MailboxID(2): try appending(to: state(2, rows: 3, loaded: false))], dropped: [])
            return try state(2, rows: 3)
        }
        #expect(never == nil)
        #expect(reads > 1)
    }

    @Test("a commit that did not have the rows adds to those loaded since")
    func mergesAppended() throws {
        let cache = IndexCache(feed: ChangeFeed())
        let draft = try appending(to: state(1, rows: 3, loaded: false))
        _ = try cache.load(MailboxID(1)) { try state(1, rows: 3) }
        #expect(cache.claimRecent(MailboxID(1)) == 1)
        cache.publish([MailboxID(1): draft], dropped: [])
        let current = try #require(cache.current(MailboxID(1)))
        #expect(current.allUIDs == uids(1...4))
        #expect(current.highestModSeq == ModSeq(3))
        #expect(current.uidNext == 5)
        #expect(cache.mailbox(MailboxID(1))?.record.recentCount == 1)
        #expect(cache.claimRecent(MailboxID(1)) == 4)
    }

    @Test("a reader that saw the commit before it was published keeps what it read")
    func readAhead() throws {
        let cache = IndexCache(feed: ChangeFeed())
        let draft = try appending(to: state(1, rows: 3, loaded: false))
        _ = try cache.load(MailboxID(1)) { try state(1, rows: 4, modSeq: 3) }
        cache.publish([MailboxID(1): draft], dropped: [])
        #expect(cache.current(MailboxID(1))?.allUIDs == uids(1...4))
    }

    @Test("what cannot be read is an error, and is not remembered")
    func unreadable() throws {
        let cache = IndexCache(feed: ChangeFeed())
        #expect(throws: Unreadable.self) { try cache.load(MailboxID(1)) { throw Unreadable() } }
        #expect(cache.all().isEmpty)
        #expect(cache.claimRecent(MailboxID(1)) == nil)
    }

    @Test("a mailbox that is always being written can still be opened")
    func busyMailbox() async throws {
        var options = SQLiteStore.Options()
        options.indexRows = 10
        try await withStorePath { path in
            try await withStore(path, options: options) { store in
                let fixture = try await StoreFixture(store)
                let (inbox, sent) = (try await fixture.mailbox("INBOX").id, try await fixture.mailbox("Sent").id)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 {
                        group.addTask { for _ in 0..<40 { try await fixture.append(["m"], to: inbox) } }
                    }
                    for _ in 0..<40 {
                        let snapshot = try await store.open(inbox)
                        #expect(snapshot.uidNext == UInt64(snapshot.count + 1))
                        // Drives the other out of memory.
                        _ = try await store.open(sent)
                    }
                    try await group.waitForAll()
                }
                #expect(try await store.open(inbox).count == 160)
            }
        }
    }
}
