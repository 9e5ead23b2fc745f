import MailStore
import MailVocabulary
import SMTPSyntax

// What follows from an attempt, or from the passing of time: pure functions. The order of things is that of RFC 3461
// §5.2: who is told of what is the sender's wish; of a message without a sender, the postmaster is told that it failed.

/// A delivery, judged at one moment.
struct DeliveryDecision {
    let due: DueDelivery
    let policy: QueuePolicy
    /// Seconds since 1970.
    let now: Int64
    /// 0 to 1.
    let random: Double

    private var envelope: SMTPEnvelope { due.message.envelope }

    /// When the message is returned, whatever a next attempt would say.
    private var end: (time: Int64, status: String, reason: String) {
        let expiry = due.message.arrival.seconds &+ policy.expiry
        if let deadline = envelope.deadline, deadline.mode == .returned, deadline.time < expiry {
            // The sender set the time (BY, RFC 2852 §4).
            return (deadline.time, "5.4.7", "the sender's time limit for delivery has passed")
        }
        return (expiry, "4.4.7", "the message could not be delivered in time")
    }

    /// When the sender is to be told that it takes long; nil for never.
    private var delayTime: Int64? {
        let own = policy.delayNotice.map { due.message.arrival.seconds &+ $0 }
        let asked = envelope.deadline.flatMap { $0.mode == .notified ? $0.time : nil }
        return [own, asked].compactMap { $0 }.min()
    }

    // After an attempt

    func settlement(_ outcomes: [RecipientOutcome]) -> QueueSettlement {
        let results = due.recipients.indices.map { index in
            index < outcomes.count
                ? outcomes[index]
                : RecipientOutcome(.deferred, status: "4.3.0", diagnostic: "nothing was heard of this recipient")
        }
        let isUnreachable = results.allSatisfy { $0.result == .deferred && $0.concernsDestination }
        let recipients = zip(due.recipients, results).map { settle($0, $1) }
        let isTriedAgain = !isUnreachable
        return QueueSettlement(
            message: due.message.id, recipients: recipients,
            delivery: QueueSettlement.Delivery(
                due.delivery.destination,
                due: isTriedAgain
                    ? now &+ policy.retryDelay(failures: due.delivery.attempts + 1, random: random) : nil,
                review: nextReview(recipients), isAttempt: true),
            destination: destination(isUnreachable: isUnreachable))
    }

    private func destination(isUnreachable: Bool) -> QueueSettlement.Destination? {
        let name = due.delivery.destination
        if isUnreachable {
            let failures = due.failures + 1
            return QueueSettlement.Destination(
                name, failures: failures, retry: now &+ policy.retryDelay(failures: failures, random: random))
        }
        return due.failures == 0 ? nil : QueueSettlement.Destination(name, failures: 0, retry: 0)
    }

    private func settle(_ queued: QueuedRecipient, _ outcome: RecipientOutcome) -> QueueSettlement.Recipient {
        let last = AttemptRecord(
            time: now, status: outcome.status, diagnostic: outcome.diagnostic, remoteHost: outcome.remoteHost,
            security: outcome.security)
        switch outcome.result {
        case .relayed(let keepsPromises):
            return QueueSettlement.Recipient(
                queued.number, tellsOfRelay(queued, outcome, keepsPromises) ? .owes(.owesRelay) : .finished, last: last)
        case .delivered:
            return QueueSettlement.Recipient(
                queued.number, isAsked(queued, .success) ? .owes(.owesDelivery) : .finished, last: last)
        case .failed:
            return fail(queued, last)
        case .deferred:
            return now >= end.time ? expire(queued, last) : wait(queued, last)
        }
    }

    private func tellsOfRelay(
        _ queued: QueuedRecipient, _ outcome: RecipientOutcome, _ keepsPromises: Bool
    ) -> Bool {
        if !keepsPromises, isAsked(queued, .success) { return true }
        guard let deadline = envelope.deadline, mayTell, queued.recipient.notifications != [] else { return false }
        // The sender traces the message (BY, RFC 2852 §4), or is told of delays no further: each hop tells, unless
        // nothing is wanted at all.
        return deadline.isTraced || (deadline.mode == .notified && !outcome.takesUpDeadline)
    }

    private var mayTell: Bool { envelope.reversePath != .null }

    /// The sender has asked for it.
    private func isAsked(_ queued: QueuedRecipient, _ condition: NotificationConditions) -> Bool {
        mayTell && queued.recipient.notifications?.contains(condition) == true
    }

    /// The sender has asked for it, or has not said what he wants.
    private func isWanted(_ queued: QueuedRecipient, _ condition: NotificationConditions) -> Bool {
        mayTell && queued.recipient.notifications?.contains(condition) != false
    }

    private func fail(_ queued: QueuedRecipient, _ last: AttemptRecord?) -> QueueSettlement.Recipient {
        // Without a sender, whatever NOTIFY says, the postmaster is to be told (RFC 3461 §5.2): what failed may be the
        // notice of another failure, and nobody else would hear of that.
        let tells = mayTell ? isWanted(queued, .failure) : policy.tellsPostmaster
        return QueueSettlement.Recipient(queued.number, tells ? .owes(.owesFailure) : .finished, last: last)
    }

    private func expire(_ queued: QueuedRecipient, _ heard: AttemptRecord?) -> QueueSettlement.Recipient {
        var last = heard ?? AttemptRecord(time: now, status: end.status, diagnostic: end.reason)
        last.status = end.status
        return fail(queued, last)
    }

    private func wait(_ queued: QueuedRecipient, _ last: AttemptRecord?) -> QueueSettlement.Recipient {
        let isLate = delayTime.map { now >= $0 } ?? false
        let tells = isLate && queued.state == .waiting && isWanted(queued, .delay)
        return QueueSettlement.Recipient(queued.number, tells ? .owes(.owesDelay) : .stays, last: last)
    }

    /// When those that wait on are to be looked at: at the end, or when a delay is to be told of.
    private func nextReview(_ settled: [QueueSettlement.Recipient]) -> Int64 {
        let mayBeTold = zip(due.recipients, settled).contains { queued, settled in
            settled.change == .stays && queued.state == .waiting && isWanted(queued, .delay)
        }
        guard mayBeTold, let delayTime, delayTime > now else { return max(end.time, now &+ 1) }
        return min(max(end.time, now &+ 1), delayTime)
    }

    // Without an attempt

    /// It goes back because an operator wants it so.
    func dismissal(reason: String) -> QueueSettlement {
        let last = AttemptRecord(time: now, status: "5.0.0", diagnostic: reason)
        return QueueSettlement(
            message: due.message.id, recipients: due.recipients.map { fail($0, last) },
            delivery: QueueSettlement.Delivery(due.delivery.destination, due: nil, review: now, isAttempt: false))
    }

    /// It was to be looked at.
    func review() -> QueueSettlement {
        let recipients = due.recipients.map { queued in
            now >= end.time ? expire(queued, queued.last) : wait(queued, nil)
        }
        return QueueSettlement(
            message: due.message.id, recipients: recipients,
            delivery: QueueSettlement.Delivery(
                due.delivery.destination, due: nil, review: nextReview(recipients), isAttempt: false))
    }
}
