package import MailStore
import MailVocabulary
import SMTPSyntax

extension StoreFixture {
    /// What is due at second 1,000,000 or later: `name destination`.
    package func due(
        _ limit: Int = 100, now: Int64 = 1_000_000, each: Int = 100, inFlight: [String: Set<QueueID>] = [:]
    ) async throws -> [String] {
        try await store.dueDeliveries(
            DeliveryQuery(now: now, limit: limit, perDestination: each, inFlight: inFlight)
        ).map { "\($0.message.identifier) \($0.delivery.destination)" }
    }

    package func overdue(now: Int64, inFlight: [String: Set<QueueID>] = [:]) async throws -> [String] {
        try await store.overdueDeliveries(
            DeliveryQuery(now: now, limit: 100, perDestination: 1, inFlight: inFlight)
        ).map { "\($0.message.identifier) \($0.delivery.destination)" }
    }

    /// Writes the outcome of an attempt at second 1,000,000.
    @discardableResult
    package func settle(
        _ message: QueueID, at destination: String, _ changes: [Int: QueueSettlement.Change], due: Int64? = nil,
        review: Int64 = 2_000_000, failures: Int? = nil, retry: Int64 = 0
    ) async throws -> Bool {
        let last = AttemptRecord(time: 1_000_000, status: "4.4.2", diagnostic: "no", remoteHost: "mx", security: "TLS")
        let settlement = QueueSettlement(
            message: message,
            recipients: changes.sorted { $0.key < $1.key }.map { QueueSettlement.Recipient($0, $1, last: last) },
            delivery: QueueSettlement.Delivery(destination, due: due, review: review, isAttempt: true),
            destination: failures.map { QueueSettlement.Destination(destination, failures: $0, retry: retry) })
        return try await store.settle(settlement, adding: [], queue: [])
    }
}

extension StoreConformance {
    static let turnLaws = [
        StoreConformance("turns: round among submitters, whatever each has brought, everywhere and at a destination") {
            store in
            let fixture = try await StoreFixture(store)
            let (a, b) = (AccountID(7), AccountID(8))
            for number in 1...3 {
                try await fixture.enqueue(fixture.queued("a\(number)", to: "x@one.net", submitter: a))
            }
            try await fixture.enqueue(fixture.queued("b1", to: "x@one.net", submitter: b))
            try await fixture.enqueue(fixture.queued("b2", to: "x@two.net", submitter: b))
            try await fixture.enqueue(fixture.queued("urgent", to: "x@one.net", submitter: a, priority: 3))
            try await fixture.enqueue(fixture.queued("lazy", to: "x@two.net", submitter: b, priority: -4))
            try expectEqual(
                try await fixture.due(),
                [
                    "urgent one.net", "a1 one.net", "b1 one.net", "a2 one.net", "b2 two.net", "a3 one.net",
                    "lazy two.net",
                ])
            // Turns have been taken: who comes anew begins with the present one.
            try await fixture.enqueue(fixture.queued("c1", to: "x@two.net", submitter: AccountID(9)))
            try expectEqual(
                try await fixture.due(3, each: 1), ["urgent one.net", "b2 two.net"])
            try await fixture.expectSound()
        },
        StoreConformance("due: no more than asked for, to a destination and in all; not what is in flight") { store in
            let fixture = try await StoreFixture(store)
            let first = try await fixture.enqueue(
                fixture.queued("1", to: "x@one.net", "y@two.net"), fixture.queued("2", to: "x@one.net"))
            try await fixture.enqueue(fixture.queued("3", to: "x@one.net"), fixture.queued("4", to: "x@three.net"))
            try expectEqual(try await fixture.due(2, each: 2), ["1 one.net", "1 two.net"])
            try expectEqual(try await fixture.due(each: 1), ["1 one.net", "1 two.net", "4 three.net"])
            let inFlight = ["one.net": [first[0]], "two.net": [first[0]]] as [String: Set<QueueID>]
            try expectEqual(try await fixture.due(each: 1, inFlight: inFlight), ["4 three.net"])
            try expectEqual(try await fixture.due(each: 2, inFlight: inFlight), ["2 one.net", "4 three.net"])
            try expectEqual(try await fixture.due(0), [])
            let due = try await store.dueDeliveries(DeliveryQuery(now: 1_000_000, limit: 1, perDestination: 1))
            try expectEqual(due.first?.recipients.map(\.recipient.mailbox.description), ["x@one.net"])
            try expectEqual(due.first?.message.id, first[0])
            try expectEqual(due.first?.delivery.attempts, 0)
            try await fixture.expectSound()
        },
        StoreConformance("due: at its time; nothing goes to a destination that waits, then one at a time") { store in
            let fixture = try await StoreFixture(store)
            let ids = try await fixture.enqueue(
                fixture.queued("1", to: "x@one.net"), fixture.queued("2", to: "x@one.net"),
                fixture.queued("3", to: "x@two.net", notBefore: 1_000_500))
            try expectEqual(try await fixture.due(now: 1_000_499), ["1 one.net", "2 one.net"])
            try expectEqual(try await store.nextQueueTime(after: 1_000_000), 1_000_500)
            try await fixture.settle(ids[0], at: "one.net", [0: .stays], failures: 1, retry: 1_000_060)
            try expectEqual(try await store.queueCounts().failingDestinations, 1)
            try expectEqual(try await fixture.due(now: 1_000_059), [])
            try expectEqual(try await store.nextQueueTime(after: 1_000_000), 1_000_060)
            try expectEqual(try await fixture.due(now: 1_000_060), ["1 one.net"])
            try expectEqual(try await fixture.due(now: 1_000_500), ["1 one.net", "3 two.net"])
            try await fixture.settle(ids[0], at: "one.net", [0: .stays], due: 1_000_900, failures: 0)
            try expectEqual(try await fixture.due(now: 1_000_500), ["2 one.net", "3 two.net"])
            try expectEqual(try await store.nextQueueTime(after: 1_000_500), 1_000_900)
            try await fixture.expectSound()
        },
        StoreConformance("overdue: what was to be looked at by then, held and in flight excepted") { store in
            let fixture = try await StoreFixture(store)
            let ids = try await fixture.enqueue(
                fixture.queued("1", to: "x@one.net"), fixture.queued("held", to: "x@one.net", hold: "why"),
                fixture.queued("2", to: "x@one.net"))
            try expectEqual(try await fixture.overdue(now: 1_003_599), [])
            try expectEqual(try await fixture.overdue(now: 1_003_600), ["1 one.net", "2 one.net"])
            try expectEqual(
                try await fixture.overdue(now: 1_003_600, inFlight: ["one.net": [ids[0]]]), ["2 one.net"])
            try await fixture.settle(ids[2], at: "one.net", [0: .stays], due: 1_000_700, review: 1_000_800)
            try expectEqual(try await fixture.overdue(now: 1_000_800), ["2 one.net"])
            try expectEqual(try await store.nextQueueTime(after: 1_000_700), 1_000_800)
            try expectEqual(try await store.nextQueueTime(after: 1_000_800), 1_003_600)
            try expectEqual(try await store.nextQueueTime(after: 2_000_000), nil)
            try await fixture.expectSound()
        },
    ]
}
