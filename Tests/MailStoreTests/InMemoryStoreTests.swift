import MailStore
import MailTestSupport
import Testing

@Suite("The in-memory store keeps every law")
struct InMemoryStoreTests {
    @Test(arguments: StoreConformance.all)
    func conforms(_ law: StoreConformance) async throws { try await law.check(InMemoryStore()) }
}
