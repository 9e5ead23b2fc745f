package import Logging
package import MailStore
import MailVocabulary
import MessageFormat
import SMTPSyntax

/// Takes due mail out of the queue and gives it to the delivery agent, some at a time, and writes down what became of
/// it. It sleeps until something is due or comes.
///
/// Only what is in progress is in memory: what is next is asked for when there is room for it. Delivery is at least
/// once: an outcome that could not be written, since the process ended before, is tried again.
package actor QueueRunner {
    /// Seconds until the store is asked again that refused to take an outcome or a notice.
    private static let storePatience: Int64 = 10
    /// For attempts that were told to end.
    private static let abandonPatience = Duration.seconds(2)
    /// Notices looked for, and reviews done, at once.
    private static let batch = 100

    private let store: any MailStore
    private let agent: any DeliveryAgent
    private let notices: NoticeSending
    private let policy: QueuePolicy
    private let clock: any QueueClock
    private let logger: Logger
    private let signal = WakeSignal()

    private var inFlight: [String: Set<QueueID>] = [:]
    private var tasks: [UInt64: Task<Void, Never>] = [:]
    private var taskCount: UInt64 = 0
    private var isStopping = false
    private var isEnded = false
    private var isAbandoned = false
    private var isWaiting = false
    private var seenCalls = 0
    private var ending: [CheckedContinuation<Void, Never>] = []
    private var activity = QueueActivity()
    /// Messages whose notice could not be sent, and when it is tried again.
    private var refusedNotices: [QueueID: Int64] = [:]

    package init(
        store: any MailStore, agent: any DeliveryAgent, router: any NoticeRouter, policy: QueuePolicy = QueuePolicy(),
        host: String, clock: any QueueClock, logger: Logger
    ) {
        self.store = store
        self.agent = agent
        self.policy = policy
        self.clock = clock
        self.logger = logger
        notices = NoticeSending(
            store: store, router: router, policy: policy, host: host, clock: clock, logger: logger)
    }

    // The loop

    /// Runs until `stop`. Once.
    package func run() async {
        let observation = store.observeQueue { [signal] in signal.wake() }
        while !isStopping {
            var next: Int64?
            seenCalls = signal.count
            do {
                try await reviewOverdue()
                try await startDue()
                try await sendNotices()
                next = try await store.nextQueueTime(after: clock.now())
            } catch {
                logger.error("the queue cannot be read", metadata: ["error": "\(error)"])
                next = clock.now() + Self.storePatience
            }
            if let refused = refusedNotices.values.min() { next = min(next ?? refused, max(refused, clock.now() + 1)) }
            isWaiting = true
            if !isStopping { await wait(until: next) }
            isWaiting = false
        }
        withExtendedLifetime(observation) {}
        isEnded = true
        noteIdle()
    }

    private func wait(until time: Int64?) async {
        await withTaskGroup { [signal, clock] group in
            group.addTask { await signal.wait() }
            if let time { group.addTask { await clock.sleep(until: time) } }
            await group.next()
            group.cancelAll()
        }
    }

    /// Takes up nothing more, lets attempts in progress end for so long, and abandons the rest: what they have not
    /// reported by then is tried again after the next start.
    package func stop(within patience: Duration = .seconds(10)) async {
        isStopping = true
        signal.wake()
        let limit = Task { [weak self] in
            try? await Task.sleep(for: patience)
            await self?.cancelDeliveries()
            try? await Task.sleep(for: Self.abandonPatience)
            await self?.abandonDeliveries()
        }
        while !isIdle { await withCheckedContinuation { ending.append($0) } }
        limit.cancel()
    }

    private var isIdle: Bool { isEnded && (tasks.isEmpty || isAbandoned) }

    private func noteIdle() {
        guard isStopping, isIdle else { return }
        for continuation in ending { continuation.resume() }
        ending = []
    }

    private func cancelDeliveries() {
        guard !Task.isCancelled else { return }
        for task in tasks.values { task.cancel() }
    }

    private func abandonDeliveries() {
        guard !Task.isCancelled else { return }
        isAbandoned = true
        noteIdle()
    }

    package func snapshot() async throws -> QueueSnapshot {
        let counts = try await store.queueCounts()
        return QueueSnapshot(counts: counts, inFlight: inFlightCount, activity: activity)
    }

    private var inFlightCount: Int { inFlight.values.reduce(0) { $0 + $1.count } }

    private func query(_ limit: Int) -> DeliveryQuery {
        DeliveryQuery(
            now: clock.now(), limit: limit, perDestination: policy.perDestination, inFlight: inFlight)
    }

    /// Nothing is in progress, and nothing has come that has not been looked at.
    var isQuiet: Bool { isWaiting && inFlight.isEmpty && seenCalls == signal.count }

    // Deliveries

    private func startDue() async throws {
        let room = policy.concurrency - inFlightCount
        guard room > 0 else { return }
        for due in try await store.dueDeliveries(query(room)) where !isStopping { start(due) }
    }

    private func start(_ due: DueDelivery) {
        inFlight[due.delivery.destination, default: []].insert(due.message.id)
        activity.attempts += 1
        taskCount += 1
        let number = taskCount
        tasks[number] = Task {
            await deliver(due)
            end(due, number)
        }
    }

    private func end(_ due: DueDelivery, _ number: UInt64) {
        tasks[number] = nil
        let destination = due.delivery.destination
        inFlight[destination]?.remove(due.message.id)
        if inFlight[destination]?.isEmpty == true { inFlight[destination] = nil }
        signal.wake()
        noteIdle()
    }

    private func deliver(_ due: DueDelivery) async {
        let message = OutgoingMessage(
            id: due.message.id, identifier: due.message.identifier, envelope: due.message.envelope,
            body: due.message.body, size: due.message.size, recipients: due.recipients.map(\.recipient),
            arrival: due.message.arrival.seconds)
        let outcomes = await agent.deliver(message, to: due.delivery.destination)
        // An attempt that was broken off says nothing.
        if Task.isCancelled, outcomes.allSatisfy({ $0.result == .deferred }) { return }
        let decision = DeliveryDecision(
            due: due, policy: policy, now: clock.now(), random: .random(in: 0...1))
        let settlement = decision.settlement(outcomes)
        count(outcomes, settlement)
        log(due, outcomes)
        await settle(settlement)
    }

    /// Until it is written: what has been delivered must not be again because the store was out of order. It stays in
    /// flight meanwhile.
    private func settle(_ settlement: QueueSettlement) async {
        while true {
            do {
                _ = try await store.settle(settlement, adding: [], queue: [])
                return
            } catch {
                logger.error(
                    "an outcome could not be written",
                    metadata: ["message": "\(settlement.message.value)", "error": "\(error)"])
            }
            if Task.isCancelled { return }
            await clock.sleep(until: clock.now() + Self.storePatience)
        }
    }

    private func count(_ outcomes: [RecipientOutcome], _ settlement: QueueSettlement) {
        if outcomes.allSatisfy({ $0.result == .deferred && $0.concernsDestination }) { activity.unreachable += 1 }
        for (outcome, settled) in zip(outcomes, settlement.recipients) {
            switch outcome.result {
            case .relayed: activity.relayed += 1
            case .delivered: activity.delivered += 1
            case .deferred where settled.change.isFinal: activity.expired += 1
            case .deferred: activity.deferred += 1
            case .failed: activity.failed += 1
            }
        }
    }

    private func log(_ due: DueDelivery, _ outcomes: [RecipientOutcome]) {
        for (recipient, outcome) in zip(due.recipients, outcomes) {
            logger.info(
                "delivery",
                metadata: [
                    "message": "\(due.message.identifier)", "to": "\(recipient.recipient.mailbox)",
                    "result": "\(outcome.result.word)", "status": "\(outcome.status)",
                    "host": "\(outcome.remoteHost ?? "")", "tls": "\(outcome.security ?? "")",
                    "said": "\(outcome.diagnostic)",
                ])
        }
    }

    // What time brings

    private func reviewOverdue() async throws {
        while !isStopping {
            let overdue = try await store.overdueDeliveries(query(Self.batch))
            for due in overdue {
                let decision = DeliveryDecision(due: due, policy: policy, now: clock.now(), random: 0)
                let settlement = decision.review()
                activity.expired += UInt64(settlement.recipients.count { $0.change.isFinal })
                _ = try await store.settle(settlement, adding: [], queue: [])
            }
            if overdue.count < Self.batch { return }
        }
    }

    // Notices

    /// For messages of which nothing is in flight: recipients that share a fate then share a notice.
    private func sendNotices() async throws {
        var last: QueueID?
        let now = clock.now()
        refusedNotices = refusedNotices.filter { $0.value > now }
        while !isStopping {
            let owing = try await store.messagesOwingNotices(after: last, limit: Self.batch)
            let busy = inFlight.values.reduce(into: Set<QueueID>()) { $0.formUnion($1) }
            for id in owing where !busy.contains(id) && refusedNotices[id] == nil { await sendNotice(id) }
            guard owing.count == Self.batch else { return }
            last = owing.last
        }
    }

    private func sendNotice(_ id: QueueID) async {
        do {
            for action in try await notices.send(id) {
                switch action {
                case .failed: activity.failureNotices += 1
                case .delayed: activity.delayNotices += 1
                case .delivered, .relayed, .expanded: activity.successNotices += 1
                }
            }
        } catch {
            logger.error("a notice could not be sent", metadata: ["message": "\(id.value)", "error": "\(error)"])
            refusedNotices[id] = clock.now() + Self.storePatience
        }
    }
}

extension QueueSettlement.Change {
    fileprivate var isFinal: Bool {
        switch self {
        case .finished, .owes(.owesFailure): true
        case .stays, .owes, .told: false
        }
    }
}
