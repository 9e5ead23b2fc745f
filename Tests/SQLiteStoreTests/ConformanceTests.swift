import Foundation
import MailStore
import MailTestSupport
import SQLiteStore
import Testing

@Suite("The SQLite store keeps every law")
struct ConformanceTests {
    @Test(arguments: StoreConformance.all)
    func conforms(_ law: StoreConformance) async throws {
        try await withStorePath { path in
            let store = try SQLiteStore(path: path)
            try await law.check(store)
            try await store.close()
        }
    }
}

/// A directory for one test, removed afterwards.
func withStorePath<R>(_ body: (String) async throws -> R) async throws -> R {
    let path = NSTemporaryDirectory() + "store-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}
