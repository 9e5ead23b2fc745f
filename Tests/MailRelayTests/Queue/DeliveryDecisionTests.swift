import MailStore
import MailVocabulary
import SMTPSyntax
import Testing

@testable import MailRelay

@Suite("What follows from an attempt")
struct DeliveryDecisionTests {
    private static let arrival: Int64 = 1_000_000

    private func due(
        attempts: Int = 0, failures: Int = 0, state: QueuedRecipient.State = .waiting,
        notify: [NotificationConditions?] = [nil], _ change: (inout SMTPEnvelope) -> Void = { _ in }
    ) throws -> DueDelivery {
        let sender = try #require(Address("joe@example.org"))
        let recipient = try #require(Address("ann@example.net"))
        var envelope = SMTPEnvelope(reversePath: .mailbox(SMTPMailbox(sender)))
        change(&envelope)
        return DueDelivery(
            message: QueuedMessage(
                id: QueueID(1), identifier: "Q1", envelope: envelope, body: BodyID(1), size: 10, submitter: nil,
                arrival: Timestamp(seconds: Self.arrival)),
            delivery: QueuedDelivery(
                destination: "example.net", state: .ready, due: Self.arrival, review: Self.arrival + 3600,
                attempts: attempts),
            recipients: notify.enumerated().map { number, notify in
                QueuedRecipient(
                    number: number,
                    recipient: SMTPRecipient(mailbox: SMTPMailbox(recipient), notifications: notify), state: state)
            }, failures: failures)
    }

    private func decide(
        _ due: DueDelivery, _ outcomes: [RecipientOutcome], after seconds: Int64 = 5, random: Double = 0.5
    ) -> QueueSettlement {
        DeliveryDecision(due: due, policy: QueuePolicy(), now: Self.arrival + seconds, random: random)
            .settlement(outcomes)
    }

    private func changes(_ settlement: QueueSettlement) -> [QueueSettlement.Change] {
        settlement.recipients.map(\.change)
    }

    @Test("a temporary failure waits ever longer, with jitter, up to an hour")
    func backoff() throws {
        let delays = try [0, 1, 2, 5, 6, 7, 100].map { attempts in
            try decide(due(attempts: attempts), [.busy]).delivery?.due.map { $0 - Self.arrival - 5 }
        }
        #expect(delays == [60, 120, 300, 1800, 3600, 3600, 3600])
        #expect(try decide(due(), [.busy], random: 0).delivery?.due == Self.arrival + 5 + 48)
        #expect(try decide(due(), [.busy], random: 1).delivery?.due == Self.arrival + 5 + 72)
        let settlement = try decide(due(), [.busy])
        #expect(changes(settlement) == [.stays])
        #expect(settlement.recipients[0].last?.diagnostic == "450 4.2.1 try again later")
        #expect(settlement.delivery?.isAttempt == true)
        #expect(settlement.delivery?.review == Self.arrival + 4 * 3600)
        #expect(settlement.destination == nil)
    }

    @Test("a destination that cannot be reached makes all wait that goes there; the message keeps its turn")
    func unreachable() throws {
        let first = try decide(due(notify: [nil, nil]), [.unreachable, .unreachable])
        #expect(first.destination?.failures == 1)
        #expect(first.destination?.retry == Self.arrival + 65)
        #expect(first.delivery?.due == nil)
        #expect(try decide(due(failures: 3), [.unreachable]).destination?.retry == Self.arrival + 605)
        let mixed = try decide(due(failures: 3, notify: [nil, nil]), [.unreachable, .busy])
        #expect(mixed.destination?.failures == 0)
        #expect(mixed.destination?.retry == 0)
        #expect(mixed.delivery?.due != nil)
    }

    @Test("who is told of a failure: who did not say, and who asked; without a sender the postmaster (RFC 3461 §5.2)")
    func failures() throws {
        let notify: [NotificationConditions?] = [nil, [.failure], [.success, .delay], []]
        let outcomes = [RecipientOutcome](repeating: .refused, count: 4)
        let owes = QueueSettlement.Change.owes(.owesFailure)
        #expect(try changes(decide(due(notify: notify), outcomes)) == [owes, owes, .finished, .finished])
        let silent = try due(notify: notify) { $0.reversePath = .null }
        #expect(changes(decide(silent, outcomes)) == [owes, owes, owes, owes])
        var policy = QueuePolicy()
        policy.tellsPostmaster = false
        let untold = DeliveryDecision(due: silent, policy: policy, now: Self.arrival + 5, random: 0).settlement(
            outcomes)
        #expect(changes(untold) == [.finished, .finished, .finished, .finished])
        // Of nothing but failures.
        let late = [RecipientOutcome](repeating: .busy, count: 4)
        #expect(changes(decide(silent, late, after: 4 * 3600)) == [.stays, .stays, .stays, .stays])
    }

    @Test("who is told of a success: who asked, by the last hop that knows of such requests")
    func successes() throws {
        let notify: [NotificationConditions?] = [nil, [.failure], [.success], []]
        func all(_ outcome: RecipientOutcome) throws -> [QueueSettlement.Change] {
            try changes(decide(due(notify: notify), [outcome, outcome, outcome, outcome]))
        }
        #expect(try all(.relayed) == [.finished, .finished, .finished, .finished])
        #expect(try all(.relayedWithoutPromises) == [.finished, .finished, .owes(.owesRelay), .finished])
        #expect(try all(.delivered) == [.finished, .finished, .owes(.owesDelivery), .finished])
        let traced = try due(notify: notify) {
            $0.deadline = DeliveryDeadline(time: Self.arrival + 600, mode: .notified, isTraced: true)
        }
        let told = QueueSettlement.Change.owes(.owesRelay)
        #expect(
            changes(decide(traced, [.relayed, .relayed, .relayed, .relayed])) == [told, told, told, .finished])
        // A hop that knows of no time limits will tell of no delay.
        let limited = try due(notify: notify) {
            $0.deadline = DeliveryDeadline(time: Self.arrival + 600, mode: .notified)
        }
        var relayed = RecipientOutcome.relayed
        #expect(changes(decide(limited, [relayed, relayed, relayed, relayed])).allSatisfy { $0 == .finished })
        relayed.takesUpDeadline = false
        #expect(changes(decide(limited, [relayed, relayed, relayed, relayed])) == [told, told, told, .finished])
    }

    @Test("a delay is told of after four hours, once, to whom it may be")
    func delays() throws {
        let notify: [NotificationConditions?] = [nil, [.delay], [.failure], []]
        let busy = [RecipientOutcome](repeating: .busy, count: 4)
        let early = try decide(due(notify: notify), busy, after: 4 * 3600 - 1)
        #expect(changes(early) == [.stays, .stays, .stays, .stays])
        let late = try decide(due(notify: notify), busy, after: 4 * 3600)
        let owes = QueueSettlement.Change.owes(.owesDelay)
        #expect(changes(late) == [owes, owes, .stays, .stays])
        #expect(late.delivery?.review == Self.arrival + 5 * 86_400)
        #expect(try changes(decide(due(state: .delayed), [.busy], after: 5 * 3600)) == [.stays])
        let review = DeliveryDecision(
            due: try due(notify: notify), policy: QueuePolicy(), now: Self.arrival + 4 * 3600, random: 0
        ).review()
        #expect(changes(review) == [owes, owes, .stays, .stays])
        #expect(review.delivery?.isAttempt == false)
        #expect(review.delivery?.due == nil)
    }

    @Test("after five days a message goes back, tried or not")
    func expiry() throws {
        let days: Int64 = 5 * 86_400
        #expect(try changes(decide(due(), [.busy], after: days - 1)) == [.owes(.owesDelay)])
        let expired = try decide(due(), [.busy], after: days)
        #expect(changes(expired) == [.owes(.owesFailure)])
        #expect(expired.recipients[0].last?.status == "4.4.7")
        #expect(expired.recipients[0].last?.diagnostic == "450 4.2.1 try again later")
        let untried = DeliveryDecision(
            due: try due(), policy: QueuePolicy(), now: Self.arrival + days, random: 0
        ).review()
        #expect(changes(untried) == [.owes(.owesFailure)])
        #expect(untried.recipients[0].last?.diagnostic == "the message could not be delivered in time")
        #expect(try changes(decide(due(), [.relayed], after: days + 60)) == [.finished])
    }

    @Test("a sender's time limit: it goes back, or he is told and it goes on")
    func deadlines() throws {
        let back = try due { $0.deadline = DeliveryDeadline(time: Self.arrival + 600, mode: .returned) }
        #expect(decide(back, [.busy]).delivery?.review == Self.arrival + 600)
        let returned = decide(back, [.busy], after: 600)
        #expect(changes(returned) == [.owes(.owesFailure)])
        #expect(returned.recipients[0].last?.status == "5.4.7")
        let told = try due { $0.deadline = DeliveryDeadline(time: Self.arrival + 600, mode: .notified) }
        #expect(decide(told, [.busy]).delivery?.review == Self.arrival + 600)
        let notified = decide(told, [.busy], after: 600)
        #expect(changes(notified) == [.owes(.owesDelay)])
        #expect(notified.delivery?.review == Self.arrival + 5 * 86_400)
    }

    @Test("an agent that says less than it was asked has deferred the rest")
    func missingOutcomes() throws {
        let settlement = try decide(due(notify: [nil, nil]), [.relayed])
        #expect(changes(settlement) == [.finished, .stays])
        #expect(settlement.recipients[1].last?.status == "4.3.0")
    }
}
