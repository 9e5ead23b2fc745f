package import MailStore
import MailVocabulary
package import SMTPSyntax
import Synchronization

extension StoreFixture {
    package static func mailbox(_ text: String) throws -> SMTPMailbox {
        guard let address = Address(text) else { throw Violation(description: "bad address in a law: \(text)") }
        return SMTPMailbox(address)
    }

    /// A message for the queue that came at second 1,000,000.
    package func queued(
        _ text: String, to recipients: String..., submitter: AccountID? = nil, priority: Int = 0,
        notBefore: Int64? = nil, hold: String? = nil
    ) async throws -> NewQueuedMessage {
        try await queued(
            staged(Array(text.utf8)), name: text, to: recipients, submitter: submitter, priority: priority,
            notBefore: notBefore, hold: hold)
    }

    package func queued(
        _ body: any StagedBody, name: String, to recipients: [String], submitter: AccountID? = nil, priority: Int = 0,
        notBefore: Int64? = nil, hold: String? = nil
    ) throws -> NewQueuedMessage {
        var envelope = SMTPEnvelope(reversePath: .mailbox(SMTPMailbox(account.address)))
        envelope.priority = priority
        return NewQueuedMessage(
            body: body, envelope: envelope,
            recipients: try recipients.map { SMTPRecipient(mailbox: try StoreFixture.mailbox($0)) },
            identifier: name, submitter: submitter ?? account.id,
            arrival: Timestamp(seconds: 1_000_000, zoneMinutes: 60), notBefore: notBefore, holdReason: hold)
    }

    @discardableResult
    package func enqueue(_ messages: NewQueuedMessage...) async throws -> [QueueID] {
        try await store.accept([], queue: messages).queued
    }

    package func queueNames(_ filter: QueueFilter = QueueFilter()) async throws -> [String] {
        try await store.queuedMessages(filter, after: nil, limit: 1000).map(\.message.identifier)
    }
}

extension StoreConformance {
    static let queueLaws = acceptanceLaws + turnLaws + settlementLaws + operatorLaws

    private static let acceptanceLaws = [
        StoreConformance("accept: into mailboxes and the queue at once; the body is stored once") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            let message = try await fixture.message("one")
            let queued = try fixture.queued(
                message.body, name: "one", to: ["a@example.net", "b@example.com", "c@example.net"])
            let result = try await store.accept([(inbox, [message])], queue: [queued, queued])
            try expectEqual(result.delivered.flatMap(\.uids).map(\.value), [1])
            try expectEqual(result.queued.count, 2)
            let all = try await store.queuedMessages(QueueFilter(), after: nil, limit: 10)
            try expectEqual(all.map(\.message.id), result.queued)
            try expectEqual(Set(all.map(\.message.body)), [try await store.open(inbox)[0].body])
            try expectEqual(all[0].recipients.map(\.recipient), queued.recipients)
            try expectEqual(all[0].recipients.map(\.number), [0, 1, 2])
            try expectEqual(all[0].deliveries.map(\.destination), ["example.com", "example.net"])
            try expectEqual(all[0].deliveries.map(\.state), [.ready, .ready])
            try await fixture.expectSound()
            _ = try await store.remove(uids(1...1), from: inbox, onlyDeleted: false)
            try expectEqual(try await store.read(all[0].message.body, 0..<9), Array("one".utf8))
            try await fixture.expectSound()
        },
        StoreConformance("accept: all or none") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            let queued = try await fixture.queued("one", to: "a@example.net")
            try await expectError(.noSuchMailbox) {
                try await store.accept(
                    [(inbox, [fixture.message("in")]), (MailboxID(999_999), [fixture.message("out")])], queue: [queued])
            }
            try expectEqual(try await fixture.queueNames(), [])
            try expectEqual(try await fixture.rows(inbox), [])
            try await expectError(.unavailable("a message for the queue has no recipients")) {
                try await fixture.enqueue(queued, fixture.queued("two"))
            }
            try expectEqual(try await store.queueCounts(), QueueCounts())
            try await fixture.enqueue(queued)
            try expectEqual(try await fixture.queueNames(), ["one"])
            try await fixture.expectSound()
        },
        StoreConformance("accept: what the envelope says is kept") { store in
            let fixture = try await StoreFixture(store)
            var queued = try await fixture.queued("one", to: "\u{fc}ser@ex\u{e4}mple.net", hold: "suspicious")
            queued.envelope.isInternationalized = true
            queued.envelope.body = .eightBitMIME
            queued.envelope.identifier = "QQ314159"
            queued.envelope.returned = .headers
            queued.envelope.requiresTLS = true
            queued.envelope.priority = -3
            queued.envelope.deadline = DeliveryDeadline(time: 1_000_600, mode: .notified, isTraced: true)
            queued.recipients[0].original = "rfc822;someone@example.org"
            queued.recipients[0].notifications = [.failure, .delay]
            guard let literal = AddressLiteral(content: "192.0.2.1") else { return }
            queued.recipients.append(
                SMTPRecipient(mailbox: SMTPMailbox(localPart: "a b", host: .literal(literal)), notifications: []))
            var notice = try await fixture.queued("two", to: "a@example.net")
            notice.envelope.reversePath = .null
            notice.submitter = nil
            let ids = try await fixture.enqueue(queued, notice)
            let first = try await store.queuedMessage(ids[0])
            try expectEqual(first?.message.envelope, queued.envelope)
            try expectEqual(first?.recipients.map(\.recipient), queued.recipients)
            try expectEqual(first?.message.holdReason, "suspicious")
            try expectEqual(first?.message.arrival, queued.arrival)
            try expectEqual(first?.message.size, 3)
            try expectEqual(first?.message.submitter, fixture.account.id)
            try expectEqual(first?.deliveries.map(\.destination), ["[192.0.2.1]", "ex\u{e4}mple.net"])
            try expectEqual(first?.deliveries.map(\.state), [.held, .held])
            try expectEqual(first?.deliveries.map(\.review), [1_000_600, 1_000_600])
            let second = try await store.queuedMessage(ids[1])
            try expectEqual(second?.message.envelope, notice.envelope)
            try expectEqual(second?.message.submitter, nil)
            try expectEqual(try await store.queuedMessage(QueueID(999_999)), nil)
            try await fixture.expectSound()
        },
        StoreConformance("accept: of who has it already the sender is owed word") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            let message = try await fixture.message("one")
            var queued = try fixture.queued(message.body, name: "one", to: ["a@example.net"])
            queued.delivered = [
                SMTPRecipient(mailbox: SMTPMailbox(fixture.account.address), notifications: .success)
            ]
            var only = queued
            only.recipients = []
            let ids = try await store.accept([(inbox, [message])], queue: [queued, only]).queued
            try expectEqual(try await store.messagesOwingNotices(after: nil, limit: 9), ids)
            let all = try await store.queuedMessages(QueueFilter(), after: nil, limit: 9)
            try expectEqual(all.map { $0.recipients.map(\.state) }, [[.waiting, .owesDelivery], [.owesDelivery]])
            try expectEqual(all.map { $0.deliveries.map(\.destination) }, [["example.net"], []])
            try expectEqual(all[1].recipients[0].last?.status, "2.0.0")
            try await fixture.expectSound()
            let told = QueueSettlement(message: ids[1], recipients: [.init(0, .told(.owesDelivery))])
            try expectEqual(try await store.settle(told, adding: [], queue: []), true)
            try expectEqual(try await store.queueCounts().messages, 1)
            try await fixture.expectSound()
            var spread = only
            spread.expanded = spread.delivered
            let id = try await store.accept([], queue: [spread]).queued[0]
            let states = try await store.queuedMessage(id)?.recipients.map(\.state)
            try expectEqual(states, [.owesDelivery, .owesExpansion])
            for (number, state) in [(0, QueuedRecipient.State.owesDelivery), (1, .owesExpansion)] {
                let told = QueueSettlement(message: id, recipients: [.init(number, .told(state))])
                try expectEqual(try await store.settle(told, adding: [], queue: []), true)
            }
            try expectEqual(try await store.queuedMessage(id), nil)
            try await fixture.expectSound()
        },
        StoreConformance("queue: counted, listed by pages and filters; it is told when something comes") { store in
            let fixture = try await StoreFixture(store)
            let calls = Mutex(0)
            let observation = store.observeQueue { calls.withLock { $0 += 1 } }
            try await fixture.enqueue(
                fixture.queued("one", to: "a@example.net"), fixture.queued("held", to: "a@example.com", hold: "why"),
                fixture.queued("later", to: "a@example.net", "b@example.com", notBefore: 2_000_000))
            try expectEqual(calls.withLock { $0 }, 1)
            withExtendedLifetime(observation) {}
            let counts = try await store.queueCounts()
            try expectEqual(counts.messages, 3)
            try expectEqual(counts.held, 1)
            try expectEqual(counts.recipients, 4)
            try expectEqual(counts.octets, 12)
            try expectEqual(counts.oldest, 1_000_000)
            try expectEqual(counts.destinations, 2)
            try expectEqual(counts.failingDestinations, 0)
            try expectEqual((counts.ready, counts.waiting) == (1, 2), true)
            try expectEqual(try await fixture.queueNames(QueueFilter(isHeld: true)), ["held"])
            try expectEqual(try await fixture.queueNames(QueueFilter(isHeld: false)), ["one", "later"])
            try expectEqual(try await fixture.queueNames(QueueFilter(destination: "example.com")), ["held", "later"])
            try expectEqual(try await fixture.queueNames(QueueFilter(sender: "JOE@example.org")).count, 3)
            try expectEqual(try await fixture.queueNames(QueueFilter(sender: "")), [])
            try expectEqual(try await fixture.queueNames(QueueFilter(identifier: "held")), ["held"])
            let first = try await store.queuedMessages(QueueFilter(), after: nil, limit: 2)
            try expectEqual(first.map(\.message.identifier), ["one", "held"])
            let rest = try await store.queuedMessages(QueueFilter(), after: first[1].message.id, limit: 2)
            try expectEqual(rest.map(\.message.identifier), ["later"])
            try await fixture.expectSound()
        },
    ]
}
