import MailStore
import MailTestSupport
import SQLiteStore
import Synchronization
import Testing

@Suite("The SQLite store keeps every law")
struct ConformanceTests {
    @Test(arguments: StoreConformance.all)
    func conforms(_ law: StoreConformance) async throws {
        try await withStorePath { path in
            try await withStore(path) { try await law.check($0) }
        }
    }

    /// Nearly nothing stays in memory: indexes are dropped and loaded again all the time.
    @Test(arguments: StoreConformance.all)
    func conformsWithoutMemory(_ law: StoreConformance) async throws {
        var options = SQLiteStore.Options()
        options.indexRows = 20
        options.segmentSize = 64 << 10
        options.parkedOctets = 3000
        options.log = { _ in }
        try await withStorePath { path in
            try await withStore(path, options: options) { try await law.check($0) }
        }
    }

    @Test("Saved dates, threads, limits and usage are there after opening again")
    func savedDatesAreKept() async throws {
        let clock = Clock()
        var options = SQLiteStore.Options()
        options.now = { clock.now }
        try await withStorePath { path in
            try await withStore(path, options: options) { store in
                try await StoreConformance.checkSavedDates(store) { clock.now = $0 }
                let account = try #require(try await store.accounts().first).id
                try await store.setQuota(QuotaLimits(storage: .limited(9), messages: .unlimited), of: account)
                try await store.setAdministrator(true, account)
            }
            try await withStore(path) { store in
                let fixture = try await store.firstFixture()
                let sent = try await store.open(try await fixture.mailbox("Sent").id)
                #expect([sent[0].savedDate, sent[1].savedDate] == [2_000_000_000, .max])
                #expect(sent[0].thread == ThreadID(begunBy: sent[0].body))
                let quota = try await store.quota(of: fixture.account.id)
                #expect(quota.storage == Quota.Resource(usage: 9, limit: 9))
                #expect(quota.messages == Quota.Resource(usage: 3, limit: nil))
                #expect(fixture.account.isAdministrator)
                await #expect(throws: StoreError.overQuota) {
                    try await fixture.append(["x"], to: try await fixture.mailbox("INBOX").id)
                }
            }
        }
    }

    @Test func quotaDefaults() async throws {
        var options = SQLiteStore.Options()
        options.quotaDefaults = QuotaDefaults(storage: 10, messages: 2)
        try await withStorePath { path in
            try await withStore(path, options: options) { try await StoreConformance.checkQuotaDefaults($0) }
        }
    }
}

/// A clock that is set.
private final class Clock: Sendable {
    private let seconds = Mutex<UInt32>(0)
    var now: UInt32 {
        get { seconds.withLock { $0 } }
        set { seconds.withLock { $0 = newValue } }
    }
}
