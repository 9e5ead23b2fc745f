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

/// A notice for somebody here goes into their INBOX, by whichever of their addresses; for others on through the queue.
struct ResolvingNoticeRouter: NoticeRouter {
    var store: any MailStore
    var resolver: RecipientResolver

    func route(_ sender: SMTPMailbox) async throws -> NoticeRoute {
        switch await resolver.resolve(.mailbox(sender)) {
        case .accepted(let destinations): return try await route(to: destinations)
        // What tells of a failure is taken whatever the quota says; the store has the last word.
        case .full: return try await AccountNoticeRouter(store: store).route(sender)
        case .notLocal: return NoticeRoute(recipients: [sender])
        case .noSuchUser, .disabled, .badAlias: return NoticeRoute()
        case .unavailable(let reason): throw StoreError.unavailable(reason)
        }
    }

    private func route(to destinations: [Destination]) async throws -> NoticeRoute {
        var route = NoticeRoute()
        for destination in destinations {
            switch destination {
            case .account(let account):
                if let inbox = try await store.mailbox(.inbox, of: account.id) { route.mailboxes.append(inbox.id) }
            case .elsewhere(let mailbox): route.recipients.append(mailbox)
            }
        }
        return route
    }
}
