import GRDB
import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import SQLiteStore

@Suite("What was expunged, and since when")
struct ExpungeHistoryTests {
    @Test("each removal is known by its MODSEQ, also after reopening")
    func exact() async throws {
        try await withStorePath { path in
            var marks: [(ModSeq, NumberSet)] = []
            try await withStore(path) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append((1...20).map { "\($0)" }, to: inbox)
                for number in UInt32(1)...6 {
                    let before = try await store.open(inbox).highestModSeq
                    let gone = uids(number...number, (number + 10)...(number + 10))
                    _ = try await store.remove(gone, from: inbox, onlyDeleted: false)
                    for index in marks.indices { marks[index].1 = marks[index].1.union(gone) }
                    marks.append((before, gone))
                }
                for (since, gone) in marks { #expect(try await store.expunged(inbox, since: since) == gone) }
            }
            try await withStore(path) { store in
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                for (since, gone) in marks { #expect(try await store.expunged(inbox, since: since) == gone) }
                let now = try await store.open(inbox).highestModSeq
                #expect(try await store.expunged(inbox, since: now).isEmpty)
                await #expect(throws: StoreError.noSuchMailbox) {
                    try await store.expunged(MailboxID(999), since: ModSeq(1))
                }
                try await fixture.expectSound()
            }
        }
    }

    private func removals(_ count: Int) -> [Removal] {
        (1...count).map { Removal(modSeq: ModSeq(UInt64($0)), uids: uids(UInt32($0 * 2)...UInt32($0 * 2))) }
    }

    private func answer(_ removals: [Removal], since: UInt64) -> NumberSet? {
        var all = NumberSet()
        for removal in removals where removal.modSeq.value > since {
            guard let uids = removal.uids else { return nil }
            all = all.union(uids)
        }
        return all
    }

    @Test("a long history gets short: what is new stays exact, what is old names more, never less")
    func shortened() throws {
        let long = removals(1000)
        #expect(ExpungeHistory.shortened(removals(ExpungeHistory.countLimit)) == nil)
        let short = try #require(ExpungeHistory.shortened(long))
        #expect(short.count < ExpungeHistory.countLimit)
        for since in stride(from: UInt64(0), to: 1001, by: 7) {
            let (exact, kept) = (try #require(answer(long, since: since)), try #require(answer(short, since: since)))
            #expect(kept.intersection(exact) == exact)
            #expect(kept.count <= exact.count + ExpungeHistory.together)
            if since >= 1000 - UInt64(ExpungeHistory.exact) { #expect(kept == exact) }
        }
        #expect(short.map(\.modSeq) == short.map(\.modSeq).sorted())
    }

    @Test("what takes too many octets is forgotten, the oldest first, and that is remembered")
    func forgotten() throws {
        let short = try #require(ExpungeHistory.shortened(removals(100), octetLimit: 500))
        #expect(short.count < 60)
        #expect(short[0].uids == nil)
        #expect(answer(short, since: short[0].modSeq.value - 1) == nil)
        #expect(answer(short, since: short[0].modSeq.value) == answer(removals(100), since: short[0].modSeq.value))
        // Again, with what was forgotten before.
        let shorter = try #require(ExpungeHistory.shortened(short, octetLimit: 100))
        #expect(shorter.filter { $0.uids == nil }.count == 1)
        #expect(shorter[0].modSeq > short[0].modSeq)
        #expect(ExpungeHistory.shortened(shorter, octetLimit: 100) == nil)
    }

    @Test("asked about a time that is forgotten, the answer is all that is missing")
    func beyondHistory() async throws {
        try await withStorePath { path in
            try await withStore(path, options: IndexFileTests.options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append((1...10).map { "\($0)" }, to: inbox)
                let start = try await store.open(inbox).highestModSeq
                _ = try await store.remove(uids(2...3), from: inbox, onlyDeleted: false)
                let middle = try await store.open(inbox).highestModSeq
                _ = try await store.remove(uids(7...7, 10...10), from: inbox, onlyDeleted: false)
                // By damage, which counts as forgotten.
                try store.tamper("UPDATE expunged SET uids = x'' WHERE modseq = \(middle.value)")
                #expect(try await store.expunged(inbox, since: start) == uids(2...3, 7...7, 10...10))
                #expect(try await store.expunged(inbox, since: middle) == uids(7...7, 10...10))
            }
        }
    }

    @Test("a busy mailbox's history stays short, and an index file goes on being used")
    func busy() async throws {
        try await withStorePath { path in
            let (before, marks) = try await withStore(path, options: IndexFileTests.options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append((1...400).map { "\($0)" }, to: inbox)
                try await store.saveIndex(of: inbox)
                var marks: [(ModSeq, UInt32)] = []
                for number in UInt32(1)...300 {
                    marks.append((try await store.open(inbox).highestModSeq, number))
                    _ = try await store.remove(uids(number...number), from: inbox, onlyDeleted: false)
                }
                store.cache.saved(inbox, .max)
                try await store.maintain()
                let kept = try await store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM expunged") ?? 0 }
                #expect(kept < 200)
                for (since, first) in marks {
                    let gone = try await store.expunged(inbox, since: since)
                    #expect(gone.contains(first) && gone.max == 300)
                    #expect(gone.count <= 301 - Int(first) + ExpungeHistory.together)
                }
                return (try await fixture.rows(inbox), marks.count)
            }
            #expect(marks == 300)
            try await withStore(path, options: IndexFileTests.options) { store in
                let fixture = try await store.firstFixture()
                #expect(try await fixture.rows(fixture.mailbox("INBOX").id) == before)
                try await fixture.expectSound()
            }
        }
    }
}
