import GRDB
import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import SQLiteStore

@Suite("Large mailboxes are deleted in small steps")
struct PurgingTests {
    private var options: SQLiteStore.Options {
        var options = SQLiteStore.Options()
        options.compactionInterval = nil
        options.upkeepInterval = nil
        options.upkeep.purgedAtOnce = 10
        return options
    }

    private func count(_ store: SQLiteStore, _ table: String) async throws -> Int {
        try await store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") ?? 0 }
    }

    private func untilPurged(_ store: SQLiteStore) async throws {
        for _ in 0..<2000 where try await count(store, "doomed") > 0 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try await count(store, "doomed") == 0)
    }

    @Test("it is gone at once; what it held goes by and by, and what others refer to stays")
    func mailbox() async throws {
        try await withStorePath { path in
            try await withStore(path, options: options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                let made = try await fixture.create("a").id
                try await fixture.append((1...95).map { "\($0)" }, to: made)
                _ = try await store.copy(uids(3...5), from: made, to: inbox)
                // Without the steps that follow by themselves.
                let account = fixture.account.id
                let name = try StoreFixture.name("a")
                _ = try await store.committer.commit { transaction, _ in
                    try transaction.deleteMailbox(name, of: account)
                }
                #expect(try await store.mailbox(name, of: account) == nil)
                await #expect(throws: StoreError.noSuchMailbox) { try await store.open(made) }
                #expect(try await count(store, "message") == 98)
                #expect(try await store.quota(of: account).messages.usage == 3)
                try await fixture.expectSound()
                // Half of it, as if it were interrupted.
                for _ in 0..<5 {
                    _ = try await store.committer.commit { transaction, _ in try transaction.purgeSome() }
                }
                #expect(try await count(store, "message") == 48)
                try await fixture.expectSound()
            }
            try await withStore(path, options: options) { store in
                try await untilPurged(store)
                let fixture = try await store.firstFixture()
                #expect(try await count(store, "message") == 3)
                #expect(try await count(store, "body") == 3)
                #expect(try await fixture.texts(fixture.mailbox("INBOX").id) == ["3", "4", "5"])
                try await fixture.expectSound()
            }
        }
    }

    @Test("an account with all it had; small ones at once, up to a limit")
    func account() async throws {
        try await withStorePath { path in
            try await withStore(path, options: options) { store in
                let fixture = try await StoreFixture(store)
                for name in ["a", "b", "c"] {
                    try await fixture.append((1...6).map { "\($0)" }, to: fixture.create(name).id)
                }
                let other = try await StoreFixture(store, "ann@example.org")
                try await other.append(["kept"], to: other.mailbox("INBOX").id)
                try await store.deleteAccount(fixture.account.id)
                try await other.expectSound()
                try await untilPurged(store)
                #expect(try await count(store, "message") == 1)
                #expect(try await count(store, "body") == 1)
                try await other.expectSound()
            }
        }
    }
}

@Suite("Names of mailboxes in memory")
struct NameCacheTests {
    private func names(_ ids: Int64...) throws -> [MailboxName: NameCache.Named] {
        try Dictionary(
            uniqueKeysWithValues: ids.map {
                (try StoreFixture.name("m\($0)"), NameCache.Named(id: MailboxID($0), isSubscribed: false))
            })
    }

    @Test("what was read while a commit came between is not kept; the least recently used go")
    func keeping() throws {
        let cache = NameCache(limit: 8)
        let joe = AccountID(1)
        let old = try names(1)
        #expect(
            cache.load(joe) {
                cache.drop([joe]); return old
            }.count == 1)
        #expect(cache.names(of: joe) == nil)
        #expect(cache.load(joe) { old }.count == 1)
        #expect(cache.names(of: joe)?.count == 1)
        for account in Int64(2)...9 { _ = try cache.load(AccountID(account)) { try names(1, 2, 3) } }
        #expect(cache.names(of: joe) == nil)
        #expect(cache.names(of: AccountID(9))?.count == 3)
        cache.drop([AccountID(9)])
        #expect(cache.names(of: AccountID(9)) == nil)
    }

    @Test("created, renamed, subscribed, deleted: each is seen by the next who asks")
    func fresh() async throws {
        try await withStorePath { path in
            try await withStore(path) { store in
                let fixture = try await StoreFixture(store)
                let account = fixture.account.id
                let (a, b) = (try StoreFixture.name("a"), try StoreFixture.name("b"))
                for _ in 0..<3 {
                    #expect(try await store.mailbox(a, of: account) == nil)
                    let made = try await fixture.create("a")
                    #expect(try await store.mailbox(a, of: account) == made)
                    try await fixture.append(["one"], to: made.id)
                    #expect(try await fixture.mailbox("a").messageCount == 1)
                    #expect(try await fixture.mailbox("a").isSubscribed == false)
                    try await store.setSubscribed(true, a, of: account)
                    #expect(try await fixture.mailbox("a").isSubscribed)
                    try await store.setSubscribed(false, a, of: account)
                    try await fixture.rename("a", "b")
                    #expect(try await store.mailbox(a, of: account) == nil)
                    let renamed = try #require(try await store.mailbox(b, of: account))
                    #expect((renamed.id, renamed.name.text, renamed.messageCount) == (made.id, "b", 1))
                    #expect(try await store.mailboxes(of: account).contains(renamed))
                    try await fixture.delete("b")
                    #expect(try await store.mailbox(b, of: account) == nil)
                }
                // The same name in other octets: composed, and not.
                let made = try await fixture.create("caf\u{e9}")
                #expect(try await fixture.mailbox("cafe\u{301}").id == made.id)
            }
        }
    }
}
