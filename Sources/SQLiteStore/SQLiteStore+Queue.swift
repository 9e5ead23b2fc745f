import GRDB
package import MailStore

extension SQLiteStore {
    package func observeQueue(_ onChange: @escaping @Sendable () -> Void) -> Observation {
        feed.observeQueue(onChange)
    }

    package func queueCounts() async throws -> QueueCounts { try await read { db in try QueueReader.counts(db) } }

    package func queuedMessages(
        _ filter: QueueFilter, after: QueueID?, limit: Int
    ) async throws -> [QueuedMessageDetail] {
        try await read { db in
            try QueueReader.messages(filter, after: after, limit: limit, db).map { try QueueReader.detail($0, db) }
        }
    }

    package func queuedMessage(_ id: QueueID) async throws -> QueuedMessageDetail? {
        try await read { db in try QueueReader.detail(id, db) }
    }
}
