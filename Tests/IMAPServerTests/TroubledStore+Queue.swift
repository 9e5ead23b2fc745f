import MailStore

// The queue has no troubles.
extension TroubledStore {
    func accept(
        _ messages: [(mailbox: MailboxID, messages: [NewMessage])], queue: [NewQueuedMessage]
    ) async throws -> (delivered: [AppendResult], queued: [QueueID]) {
        try await base.accept(messages, queue: queue)
    }
    func observeQueue(_ onChange: @escaping @Sendable () -> Void) -> Observation { base.observeQueue(onChange) }
    func queueCounts() async throws -> QueueCounts { try await base.queueCounts() }
    func queuedMessages(
        _ filter: QueueFilter, after: QueueID?, limit: Int
    ) async throws -> [QueuedMessageDetail] {
        try await base.queuedMessages(filter, after: after, limit: limit)
    }
    func queuedMessage(_ id: QueueID) async throws -> QueuedMessageDetail? { try await base.queuedMessage(id) }
}
