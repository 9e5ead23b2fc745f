import MailDelivery
import MailRelay
import MailStore
import MailVocabulary
import SMTPSyntax

/// Queued mail for this server's own accounts goes into their mailboxes, everything else further on.
struct LocalFirstAgent: DeliveryAgent {
    var store: any MailStore
    var acceptance: Acceptance
    /// Nil: mail goes nowhere else.
    var elsewhere: (any DeliveryAgent)?

    func deliver(_ message: OutgoingMessage, to destination: String) async -> [RecipientOutcome] {
        do {
            if let domain = Domain(destination), try await store.domains().contains(domain) {
                return await deliverHere(message)
            }
        } catch {
            return message.recipients.map { _ in
                RecipientOutcome(.deferred, status: "4.3.0", diagnostic: "the account store cannot be asked")
            }
        }
        if let elsewhere { return await elsewhere.deliver(message, to: destination) }
        return message.recipients.map { _ in
            RecipientOutcome(.failed, status: "5.7.1", diagnostic: "this server does not relay")
        }
    }

    private func deliverHere(_ message: OutgoingMessage) async -> [RecipientOutcome] {
        let results = await acceptance.deliver(
            queued: message.body, size: message.size, envelope: message.envelope, to: message.recipients)
        return results.map { result in
            switch result {
            case .delivered: RecipientOutcome(.delivered, status: "2.0.0", diagnostic: "in the mailbox")
            case .deferred(let status, let text): RecipientOutcome(.deferred, status: status, diagnostic: text)
            case .failed(let status, let text): RecipientOutcome(.failed, status: status, diagnostic: text)
            }
        }
    }
}
