package import MailStore
import SMTPSyntax

/// Takes a message out of the queue, and tells its sender so.
package struct MessageReturning: Sendable {
    private let store: any MailStore
    /// Seconds since 1970.
    private let now: Int64

    package init(store: any MailStore, now: Int64) {
        self.store = store
        self.now = now
    }

    /// Whatever state it is in; what is being tried may be delivered all the same. False when it is not there.
    package func callAsFunction(_ id: QueueID, reason: String) async throws -> Bool {
        guard let detail = try await store.queuedMessage(id) else { return false }
        for delivery in detail.deliveries {
            let recipients = detail.recipients.filter {
                $0.state.isWaiting && $0.recipient.mailbox.destination == delivery.destination
            }
            let due = DueDelivery(message: detail.message, delivery: delivery, recipients: recipients, failures: 0)
            let decision = DeliveryDecision(due: due, policy: QueuePolicy(), now: now, random: 0)
            _ = try await store.settle(decision.dismissal(reason: reason), adding: [], queue: [])
        }
        return true
    }
}
