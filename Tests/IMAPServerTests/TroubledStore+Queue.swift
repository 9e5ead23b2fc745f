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
    func dueDeliveries(_ query: DeliveryQuery) async throws -> [DueDelivery] { try await base.dueDeliveries(query) }
    func overdueDeliveries(_ query: DeliveryQuery) async throws -> [DueDelivery] {
        try await base.overdueDeliveries(query)
    }
    func nextQueueTime(after time: Int64) async throws -> Int64? { try await base.nextQueueTime(after: time) }
    func messagesOwingNotices(after: QueueID?, limit: Int) async throws -> [QueueID] {
        try await base.messagesOwingNotices(after: after, limit: limit)
    }
    func settle(
        _ settlement: QueueSettlement, adding messages: [(mailbox: MailboxID, messages: [NewMessage])],
        queue: [NewQueuedMessage]
    ) async throws -> Bool {
        try await base.settle(settlement, adding: messages, queue: queue)
    }
    func changeQueue(_ ids: [QueueID], _ change: QueueChange) async throws -> Int {
        try await base.changeQueue(ids, change)
    }
}
