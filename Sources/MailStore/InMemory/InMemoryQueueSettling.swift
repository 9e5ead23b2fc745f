import MailVocabulary
import SMTPSyntax

// What the scheduler and the operator do to the in-memory queue.

extension InMemoryState {
    private typealias Place = (id: QueueID, destination: String)

    private func due(_ place: Place) -> DueDelivery? {
        guard let entry = queue.messages[place.id], var delivery = entry.deliveries[place.destination]?.record else {
            return nil
        }
        delivery.retry = queue.destinations[place.destination]?.retry ?? 0
        let recipients = entry.recipients.filter {
            $0.state.isWaiting && $0.recipient.mailbox.destination == place.destination
        }
        return DueDelivery(
            message: entry.message, delivery: delivery, recipients: recipients,
            failures: queue.destinations[place.destination]?.failures ?? 0)
    }

    private var places: [Place] {
        queue.messages.flatMap { id, entry in entry.deliveries.keys.map { (id, $0) } }
    }

    mutating func dueDeliveries(_ query: DeliveryQuery) -> [DueDelivery] {
        promote(query.now)
        let ready = places.filter { place in
            due(place)?.delivery.state == .ready && queue.destinations[place.destination]?.retry == 0
                && query.inFlight[place.destination]?.contains(place.id) != true
        }.sorted { order($0) < order($1) }
        var taken: [String: Int] = [:]
        var chosen: [DueDelivery] = []
        for place in ready where chosen.count < query.limit {
            guard let due = due(place) else { continue }
            let allowance = query.allowance(place.destination, failures: due.failures)
            guard taken[place.destination, default: 0] < allowance else { continue }
            taken[place.destination, default: 0] += 1
            let turn = queue.messages[place.id]?.deliveries[place.destination]?.turn ?? 0
            queue.turns[due.message.envelope.priority] = max(
                queue.turns[due.message.envelope.priority] ?? 0, turn)
            chosen.append(due)
        }
        return chosen
    }

    private func order(_ place: Place) -> (Int, Int64, Int64, String) {
        let entry = queue.messages[place.id]
        return (
            -(entry?.message.envelope.priority ?? 0), entry?.deliveries[place.destination]?.turn ?? 0, place.id.value,
            place.destination
        )
    }

    private mutating func promote(_ now: Int64) {
        for (name, destination) in queue.destinations where destination.retry > 0 && destination.retry <= now {
            queue.destinations[name]?.retry = 0
        }
        let due = places.compactMap(due).filter { $0.delivery.state == .waiting && $0.delivery.due <= now }
        for due in due.sorted(by: { ($0.delivery.due, $0.message.id) < ($1.delivery.due, $1.message.id) }) {
            makeReady(due.message, due.delivery.destination)
        }
    }

    private mutating func makeReady(_ message: QueuedMessage, _ destination: String) {
        let turn = queue.nextTurn(message.submitter, priority: message.envelope.priority)
        queue.messages[message.id]?.deliveries[destination]?.turn = turn
        queue.messages[message.id]?.deliveries[destination]?.record.state = .ready
    }

    func overdueDeliveries(_ query: DeliveryQuery) -> [DueDelivery] {
        let overdue = places.compactMap(due).filter { due in
            due.delivery.state != .held && due.delivery.review <= query.now
                && query.inFlight[due.delivery.destination]?.contains(due.message.id) != true
        }
        return Array(
            overdue.sorted { a, b in (a.delivery.review, a.message.id) < (b.delivery.review, b.message.id) }
                .prefix(max(query.limit, 0)))
    }

    func nextQueueTime(after time: Int64) -> Int64? {
        let deliveries = places.compactMap { due($0)?.delivery }.filter { $0.state != .held }
        let times =
            deliveries.filter { $0.state == .waiting }.map(\.due) + deliveries.map(\.review)
            + queue.destinations.values.map(\.retry)
        return times.filter { $0 > time }.min()
    }

    func messagesOwingNotices(after: QueueID?, limit: Int) -> [QueueID] {
        let owing = queue.messages.values.filter { entry in entry.recipients.contains { $0.state.owesNotice } }
        return Array(owing.map(\.message.id).filter { $0 > after ?? QueueID(.min) }.sorted().prefix(max(limit, 0)))
    }

    mutating func settle(
        _ settlement: QueueSettlement, adding messages: [(mailbox: MailboxID, messages: [NewMessage])],
        queue new: [NewQueuedMessage]
    ) throws -> Bool {
        let recipients = queue.messages[settlement.message]?.recipients ?? []
        for item in settlement.recipients {
            guard case .told(let state) = item.change else { continue }
            guard recipients.first(where: { $0.number == item.number })?.state == state else { return false }
        }
        _ = try accept(messages, queue: new)
        if let destination = settlement.destination, queue.destinations[destination.name] != nil {
            queue.destinations[destination.name] = .init(failures: destination.failures, retry: destination.retry)
        }
        settle(settlement, &queue.messages[settlement.message])
        removeWhatIsDone(settlement.message)
        noteQueue()
        return true
    }

    private func settle(_ settlement: QueueSettlement, _ entry: inout InMemoryQueue.Entry?) {
        for item in settlement.recipients {
            guard let index = entry?.recipients.firstIndex(where: { $0.number == item.number }) else { continue }
            if let last = item.last { entry?.recipients[index].last = last }
            if let state = entry?.recipients[index].state.after(item.change) {
                entry?.recipients[index].state = state
            } else {
                entry?.recipients.remove(at: index)
            }
        }
        guard let change = settlement.delivery else { return }
        guard var delivery = entry?.deliveries[change.destination] else { return }
        delivery.record.attempts += change.isAttempt ? 1 : 0
        delivery.record.review = change.review
        if let due = change.due {
            delivery.record.due = due
            if delivery.record.state == .ready { delivery.record.state = .waiting }
        }
        entry?.deliveries[change.destination] = delivery
    }

    private mutating func removeWhatIsDone(_ id: QueueID) {
        guard var entry = queue.messages[id] else { return }
        let waiting = Set(entry.recipients.filter(\.state.isWaiting).map(\.recipient.mailbox.destination))
        entry.deliveries = entry.deliveries.filter { waiting.contains($0.key) }
        queue.messages[id] = entry.recipients.isEmpty ? nil : entry
        if entry.recipients.isEmpty { release(entry.message.body) }
        let used = Set(queue.messages.values.flatMap(\.deliveries.keys))
        queue.destinations = queue.destinations.filter { used.contains($0.key) }
    }

    mutating func changeQueue(_ ids: [QueueID], _ change: QueueChange) -> Int {
        var count = 0
        for id in ids where concerns(change, id) {
            apply(change, to: id)
            count += 1
        }
        if count > 0 { noteQueue() }
        return count
    }

    private func concerns(_ change: QueueChange, _ id: QueueID) -> Bool {
        guard let entry = queue.messages[id] else { return false }
        switch change {
        case .hold: return entry.message.holdReason == nil
        case .release: return entry.message.holdReason != nil
        case .retry: return entry.message.holdReason == nil && !entry.deliveries.isEmpty
        case .drop: return true
        }
    }

    private mutating func apply(_ change: QueueChange, to id: QueueID) {
        guard let entry = queue.messages[id] else { return }
        switch change {
        case .hold(let reason):
            queue.messages[id]?.message.holdReason = reason
            for name in entry.deliveries.keys { queue.messages[id]?.deliveries[name]?.record.state = .held }
        case .release(let now):
            queue.messages[id]?.message.holdReason = nil
            for (name, delivery) in entry.deliveries {
                queue.messages[id]?.deliveries[name]?.record.state = .waiting
                queue.messages[id]?.deliveries[name]?.record.review = max(delivery.record.review, now + 3600)
            }
        case .retry(let now):
            for name in entry.deliveries.keys {
                queue.messages[id]?.deliveries[name]?.record.due = now
                queue.destinations[name]?.retry = 0
                makeReady(entry.message, name)
            }
        case .drop:
            queue.messages[id]?.recipients = []
            removeWhatIsDone(id)
        }
    }
}

extension InMemoryStore {
    package func dueDeliveries(_ query: DeliveryQuery) async throws -> [DueDelivery] {
        try change { $0.dueDeliveries(query) }
    }

    package func overdueDeliveries(_ query: DeliveryQuery) async throws -> [DueDelivery] {
        look { $0.overdueDeliveries(query) }
    }

    package func nextQueueTime(after time: Int64) async throws -> Int64? { look { $0.nextQueueTime(after: time) } }

    package func messagesOwingNotices(after: QueueID?, limit: Int) async throws -> [QueueID] {
        look { $0.messagesOwingNotices(after: after, limit: limit) }
    }

    package func settle(
        _ settlement: QueueSettlement, adding messages: [(mailbox: MailboxID, messages: [NewMessage])],
        queue: [NewQueuedMessage]
    ) async throws -> Bool {
        try change { try $0.settle(settlement, adding: messages, queue: queue) }
    }

    package func changeQueue(_ ids: [QueueID], _ action: QueueChange) async throws -> Int {
        try change { $0.changeQueue(ids, action) }
    }
}
