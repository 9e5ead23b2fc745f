import MailStore
import MailTestSupport
import SQLiteStore
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
}
