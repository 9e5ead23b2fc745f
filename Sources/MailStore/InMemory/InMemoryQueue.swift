import MailVocabulary
import SMTPSyntax

/// The queue of the in-memory store.
struct InMemoryQueue {
    struct Delivery {
        var record: QueuedDelivery
        var turn: Int64
    }

    struct Entry {
        var message: QueuedMessage
        var recipients: [QueuedRecipient]
        var deliveries: [String: Delivery]
    }

    struct Destination {
        var failures = 0
        /// Seconds since 1970; 0 for now.
        var retry: Int64 = 0
    }

    func detail(_ entry: Entry) -> QueuedMessageDetail {
        let deliveries = entry.deliveries.values.map { delivery in
            var record = delivery.record
            record.retry = destinations[record.destination]?.retry ?? 0
            return record
        }
        return QueuedMessageDetail(
            message: entry.message, recipients: entry.recipients,
            deliveries: deliveries.sorted { $0.destination < $1.destination })
    }

    var messages: [QueueID: Entry] = [:]
    var destinations: [String: Destination] = [:]
    /// The last turn that was taken, by priority.
    var turns: [Int: Int64] = [:]

    func nextTurn(_ submitter: AccountID?, priority: Int) -> Int64 {
        var last = turns[priority] ?? 0
        for entry in messages.values
        where entry.message.submitter == submitter && entry.message.envelope.priority == priority {
            for delivery in entry.deliveries.values where delivery.record.state == .ready {
                last = max(last, delivery.turn)
            }
        }
        return last + 1
    }
}

extension InMemoryState {
    mutating func enqueue(_ new: NewQueuedMessage, _ body: BodyID, size: Int) -> QueueID {
        let id = QueueID(newID())
        let message = QueuedMessage(
            id: id, identifier: new.identifier, envelope: new.envelope, body: body, size: size,
            submitter: new.submitter, arrival: new.arrival, holdReason: new.holdReason)
        queue.messages[id] = InMemoryQueue.Entry(message: message, recipients: new.queuedRecipients, deliveries: [:])
        for destination in new.destinations {
            let isReady = new.notBefore <= new.arrival.seconds
            let record = QueuedDelivery(
                destination: destination, state: new.holdReason != nil ? .held : isReady ? .ready : .waiting,
                due: new.notBefore, review: new.firstReview)
            let turn = queue.nextTurn(new.submitter, priority: new.envelope.priority)
            queue.messages[id]?.deliveries[destination] = InMemoryQueue.Delivery(record: record, turn: turn)
            if queue.destinations[destination] == nil { queue.destinations[destination] = .init() }
        }
        noteQueue()
        return id
    }

    func queueCounts() -> QueueCounts {
        var counts = QueueCounts()
        for entry in queue.messages.values {
            counts.messages += 1
            counts.held += entry.message.holdReason == nil ? 0 : 1
            counts.recipients += entry.recipients.count
            counts.octets += entry.message.size
            counts.oldest = min(counts.oldest ?? .max, entry.message.arrival.seconds)
            counts.ready += entry.deliveries.values.count { $0.record.state == .ready }
            counts.waiting += entry.deliveries.values.count { $0.record.state == .waiting }
        }
        counts.destinations = queue.destinations.count
        counts.failingDestinations = queue.destinations.values.count { $0.failures > 0 }
        return counts
    }

    func queuedMessages(_ filter: QueueFilter, after: QueueID?, limit: Int) -> [QueuedMessageDetail] {
        let wanted = queue.messages.values.filter { entry in
            if let after, entry.message.id <= after { return false }
            if let isHeld = filter.isHeld, isHeld != (entry.message.holdReason != nil) { return false }
            if let identifier = filter.identifier, identifier != entry.message.identifier { return false }
            if let destination = filter.destination, entry.deliveries[destination] == nil { return false }
            return filter.sender.map { $0.lowercased() == entry.message.envelope.sender.lowercased() } ?? true
        }
        return wanted.map(queue.detail).sorted { $0.message.id < $1.message.id }.prefix(max(limit, 0)).map { $0 }
    }
}

extension InMemoryStore {
    package func accept(
        _ messages: [(mailbox: MailboxID, messages: [NewMessage])], queue: [NewQueuedMessage]
    ) async throws -> (delivered: [AppendResult], queued: [QueueID]) {
        try change { try $0.accept(messages, queue: queue) }
    }

    package func observeQueue(_ onChange: @escaping @Sendable () -> Void) -> Observation {
        feed.observeQueue(onChange)
    }

    package func queueCounts() async throws -> QueueCounts { look { $0.queueCounts() } }

    package func queuedMessages(
        _ filter: QueueFilter, after: QueueID?, limit: Int
    ) async throws -> [QueuedMessageDetail] {
        look { $0.queuedMessages(filter, after: after, limit: limit) }
    }

    package func queuedMessage(_ id: QueueID) async throws -> QueuedMessageDetail? {
        look { state in state.queue.messages[id].map(state.queue.detail) }
    }
}
