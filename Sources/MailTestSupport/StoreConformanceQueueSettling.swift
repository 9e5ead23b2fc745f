import MailStore
import MailVocabulary
import SMTPSyntax

extension StoreConformance {
    static let settlementLaws = [
        StoreConformance("settle: who is done goes, with the last one the message and its body") { store in
            let fixture = try await StoreFixture(store)
            let id = try await fixture.enqueue(fixture.queued("1", to: "a@one.net", "b@one.net", "c@two.net"))[0]
            let body = try await store.queuedMessage(id)?.message.body ?? BodyID(0)
            try await fixture.settle(id, at: "one.net", [0: .finished, 1: .stays], due: 1_000_300)
            let left = try await store.queuedMessage(id)
            try expectEqual(left?.recipients.map(\.number), [1, 2])
            try expectEqual(left?.recipients[0].last?.diagnostic, "no")
            try expectEqual(left?.recipients[0].last?.remoteHost, "mx")
            try expectEqual(left?.recipients[1].last, nil)
            try expectEqual(left?.deliveries.map(\.attempts), [1, 0])
            try expectEqual(left?.deliveries.map(\.state), [.waiting, .ready])
            try expectEqual(try await fixture.due(), ["1 two.net"])
            try await fixture.expectSound()
            try await fixture.settle(id, at: "two.net", [2: .finished])
            try expectEqual(try await store.queuedMessage(id)?.deliveries.map(\.destination), ["one.net"])
            try expectEqual(try await store.queueCounts().destinations, 1)
            try await fixture.settle(id, at: "one.net", [1: .finished])
            try expectEqual(try await store.queuedMessage(id), nil)
            try expectEqual(try await store.queueCounts(), QueueCounts())
            try await expectError(.noSuchBody) { try await store.read(body, 0..<1) }
            // What is gone may be settled again, by an attempt that was in progress.
            try expectEqual(try await fixture.settle(id, at: "one.net", [1: .stays], due: 5), true)
            try await fixture.expectSound()
        },
        StoreConformance("settle: who is to be told of keeps the message; the telling is one commit, once") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            let id = try await fixture.enqueue(fixture.queued("1", to: "a@one.net", "b@one.net"))[0]
            try await fixture.settle(id, at: "one.net", [0: .owes(.owesFailure), 1: .owes(.owesDelay)], due: 1_000_300)
            try expectEqual(try await store.messagesOwingNotices(after: nil, limit: 9), [id])
            try expectEqual(try await store.messagesOwingNotices(after: id, limit: 9), [])
            try expectEqual(
                try await store.queuedMessage(id)?.recipients.map(\.state), [.owesFailure, .owesDelay])
            try await fixture.expectSound()
            let told = QueueSettlement(
                message: id, recipients: [.init(0, .told(.owesFailure)), .init(1, .told(.owesDelay))])
            let notice = try await fixture.message("notice")
            let forwarded = try fixture.queued(notice.body, name: "forwarded", to: ["x@two.net"])
            try await expectError(.noSuchMailbox) {
                try await store.settle(told, adding: [(MailboxID(999_999), [notice])], queue: [forwarded])
            }
            try expectEqual(try await fixture.queueNames(), ["1"])
            try expectEqual(try await store.settle(told, adding: [(inbox, [notice])], queue: [forwarded]), true)
            try expectEqual(try await store.settle(told, adding: [(inbox, [notice])], queue: [forwarded]), false)
            try expectEqual(try await fixture.texts(inbox), ["notice"])
            try expectEqual(try await fixture.queueNames(), ["1", "forwarded"])
            let left = try await store.queuedMessage(id)
            try expectEqual(left?.recipients.map(\.number), [1])
            try expectEqual(left?.recipients.map(\.state), [.delayed])
            try await fixture.expectSound()
            // A delay is told of once; a failure in any case.
            try await fixture.settle(id, at: "one.net", [1: .owes(.owesDelay)], due: 1_000_300)
            try expectEqual(try await store.messagesOwingNotices(after: nil, limit: 9), [])
            try await fixture.settle(id, at: "one.net", [1: .owes(.owesFailure)])
            try expectEqual(try await store.queuedMessage(id)?.deliveries, [])
            let last = QueueSettlement(message: id, recipients: [.init(1, .told(.owesFailure))])
            try expectEqual(try await store.settle(last, adding: [(inbox, [notice])], queue: []), true)
            try expectEqual(try await fixture.queueNames(), ["forwarded"])
            try await fixture.expectSound()
        },
    ]

    static let operatorLaws = [
        StoreConformance("hold and release: nothing of it is tried or looked at meanwhile") { store in
            let fixture = try await StoreFixture(store)
            let ids = try await fixture.enqueue(
                fixture.queued("1", to: "a@one.net", "b@two.net"), fixture.queued("2", to: "a@one.net"))
            try expectEqual(try await store.changeQueue(ids, .hold(reason: "looks odd")), 2)
            try expectEqual(try await store.changeQueue([ids[0]], .hold(reason: "again")), 0)
            try expectEqual(try await store.queuedMessage(ids[0])?.message.holdReason, "looks odd")
            try expectEqual(try await fixture.due(now: 9_000_000), [])
            try expectEqual(try await fixture.overdue(now: 9_000_000), [])
            try expectEqual(try await store.nextQueueTime(after: 0), nil)
            try expectEqual(try await store.changeQueue(ids, .retry(now: 1_000_000)), 0)
            try await fixture.expectSound()
            // An attempt that was in progress ends.
            try await fixture.settle(ids[0], at: "two.net", [1: .stays], due: 1_000_300)
            try expectEqual(try await fixture.due(now: 9_000_000), [])
            try await fixture.expectSound()
            try expectEqual(try await store.changeQueue([ids[0]], .release(now: 1_600_000)), 1)
            try expectEqual(try await store.changeQueue([ids[0]], .release(now: 1_600_000)), 0)
            try expectEqual(try await store.queueCounts().held, 1)
            try expectEqual(try await fixture.due(), ["1 one.net"])
            try expectEqual(try await fixture.overdue(now: 1_603_599), [])
            try expectEqual(try await fixture.overdue(now: 1_603_600), ["1 one.net"])
            try await fixture.expectSound()
        },
        StoreConformance("retry: at once, and its destination with it") { store in
            let fixture = try await StoreFixture(store)
            let ids = try await fixture.enqueue(
                fixture.queued("1", to: "a@one.net"), fixture.queued("2", to: "a@one.net"),
                fixture.queued("3", to: "a@one.net"))
            try await fixture.settle(
                ids[0], at: "one.net", [0: .stays], due: 1_000_900, failures: 3, retry: 1_000_800)
            try expectEqual(try await fixture.due(), [])
            try expectEqual(try await store.changeQueue([ids[0], QueueID(999_999)], .retry(now: 1_000_000)), 1)
            try expectEqual(try await fixture.due(), ["2 one.net"])
            try expectEqual(
                try await fixture.due(inFlight: ["other.net": [ids[0]]], failing: false, store), ["2", "3", "1"])
            try await fixture.expectSound()
        },
        StoreConformance("drop: it is gone, with what its sender was to be told") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            let message = try await fixture.message("shared")
            let ids = try await store.accept(
                [(inbox, [message])],
                queue: [try fixture.queued(message.body, name: "1", to: ["a@one.net", "b@two.net"])]
            ).queued
            try await fixture.settle(ids[0], at: "one.net", [0: .owes(.owesFailure)])
            try expectEqual(try await store.changeQueue(ids + ids, .drop), 1)
            try expectEqual(try await fixture.queueNames(), [])
            try expectEqual(try await store.queueCounts(), QueueCounts())
            try expectEqual(try await store.messagesOwingNotices(after: nil, limit: 9), [])
            try expectEqual(try await fixture.texts(inbox), ["shared"])
            let told = QueueSettlement(message: ids[0], recipients: [.init(0, .told(.owesFailure))])
            try expectEqual(try await store.settle(told, adding: [(inbox, [message])], queue: []), false)
            try expectEqual(try await fixture.texts(inbox), ["shared"])
            try await fixture.expectSound()
        },
    ]
}

extension StoreFixture {
    /// Names due when the destination of all could be reached.
    fileprivate func due(
        inFlight: [String: Set<QueueID>], failing: Bool, _ store: any MailStore
    ) async throws -> [String] {
        let all = try await store.queuedMessages(QueueFilter(), after: nil, limit: 100)
        for detail in all {
            for delivery in detail.deliveries {
                let reached = QueueSettlement(
                    message: detail.message.id, recipients: [],
                    destination: .init(delivery.destination, failures: failing ? 1 : 0, retry: 0))
                _ = try await store.settle(reached, adding: [], queue: [])
            }
        }
        return try await due(inFlight: inFlight).map { String($0.prefix { $0 != " " }) }
    }
}
