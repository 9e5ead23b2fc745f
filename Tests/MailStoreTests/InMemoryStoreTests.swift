import MailStore
import MailTestSupport
import Synchronization
import Testing

@Suite("The in-memory store keeps every law")
struct InMemoryStoreTests {
    @Test(arguments: StoreConformance.all)
    func conforms(_ law: StoreConformance) async throws { try await law.check(InMemoryStore()) }

    @Test func savedDates() async throws {
        let clock = Mutex<UInt32>(0)
        let store = InMemoryStore(now: { clock.withLock { $0 } })
        try await StoreConformance.checkSavedDates(store) { time in clock.withLock { $0 = time } }
    }

    @Test func quotaDefaults() async throws {
        try await StoreConformance.checkQuotaDefaults(
            InMemoryStore(quotaDefaults: QuotaDefaults(storage: 10, messages: 2)))
    }
}
