package import MailDelivery
package import MailStore
import MailVocabulary
package import SMTPSyntax

/// Knows where a notice goes.
package protocol NoticeRouter: Sendable {
    /// Throws when that cannot be found out now.
    func route(_ sender: SMTPMailbox) async throws -> NoticeRoute
    /// For what no sender can be told of. Throws as the other does.
    func routeToPostmaster() async throws -> NoticeRoute
}

/// Mailboxes here, or addresses to which the queue takes it on. Neither: nobody can be told.
package struct NoticeRoute: Sendable, Hashable {
    package var mailboxes: [MailboxID]
    package var recipients: [SMTPMailbox]

    package init(mailboxes: [MailboxID] = [], recipients: [SMTPMailbox] = []) {
        self.mailboxes = mailboxes
        self.recipients = recipients
    }

    package var isEmpty: Bool { mailboxes.isEmpty && recipients.isEmpty }
}

/// A notice goes where mail for the address would: to accounts, also by an alias, or on through the queue.
package struct RecipientNoticeRouter: NoticeRouter {
    private let store: any MailStore
    private let resolver: RecipientResolver

    package init(store: any MailStore, resolver: RecipientResolver) {
        self.store = store
        self.resolver = resolver
    }

    package func route(_ sender: SMTPMailbox) async throws -> NoticeRoute {
        guard let address = sender.address, try await store.domains().contains(address.domain) else {
            return NoticeRoute(recipients: [sender])
        }
        return try await route(to: .mailbox(sender))
    }

    package func routeToPostmaster() async throws -> NoticeRoute { try await route(to: .postmaster) }

    private func route(to path: ForwardPath) async throws -> NoticeRoute {
        switch await resolver.resolve(path) {
        case .accepted(let destinations): return try await route(destinations)
        case .unavailable(let reason): throw StoreError.unavailable(reason)
        case .noSuchUser, .disabled, .full, .notLocal, .badAlias: return NoticeRoute()
        }
    }

    private func route(_ destinations: [Destination]) async throws -> NoticeRoute {
        var route = NoticeRoute()
        for destination in destinations {
            switch destination {
            case .account(let account):
                if let inbox = try await store.mailbox(.inbox, of: account.id) { route.mailboxes.append(inbox.id) }
            case .elsewhere(let other): route.recipients.append(other)
            }
        }
        return route
    }
}
