import Foundation
import GRDB
import MailStore
import MailTestSupport
import Testing

@testable import SQLiteStore

/// A directory for one test, removed afterwards.
func withStorePath<R>(_ body: (String) async throws -> R) async throws -> R {
    let path = NSTemporaryDirectory() + "store-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// Opens, works, closes.
@discardableResult
func withStore<R>(
    _ path: String, options: SQLiteStore.Options = SQLiteStore.Options(), _ body: (SQLiteStore) async throws -> R
) async throws -> R {
    let store = try SQLiteStore(path: path, options: options)
    do {
        let result = try await body(store)
        try await store.close()
        return result
    } catch {
        try? await store.close()
        throw error
    }
}

extension SQLiteStore {
    func firstFixture() async throws -> StoreFixture {
        StoreFixture(self, try #require(try await accounts().first))
    }

    /// Around the committer: what a bug or a damaged disk could have done.
    func tamper(_ sql: String) throws {
        try pool.writeWithoutTransaction { db in try db.execute(sql: sql) }
    }
}

func segmentFiles(_ path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path + "/segments").sorted()
}

extension FileLayer {
    /// A disk that takes nothing more.
    static var full: FileLayer {
        FileLayer(
            write: { _, _, _ in
                errno = ENOSPC
                return -1
            }, syncData: { fdatasync($0) })
    }
}
