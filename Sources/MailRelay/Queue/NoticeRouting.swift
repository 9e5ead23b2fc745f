package import MailStore
import MailVocabulary
package import SMTPSyntax

/// Knows where a notice goes.
package protocol NoticeRouter: Sendable {
    /// Throws when that cannot be found out now.
    func route(_ sender: SMTPMailbox) async throws -> NoticeRoute
}

/// Mailboxes here, or addresses to which the queue takes it on. Neither: nobody can be told.
package struct NoticeRoute: Sendable, Hashable {
    package var mailboxes: [MailboxID]
    package var recipients: [SMTPMailbox]

    package init(mailboxes: [MailboxID] = [], recipients: [SMTPMailbox] = []) {
        self.mailboxes = mailboxes
        self.recipients = recipients
    }
}

/// A notice for an account here goes to its INBOX, for an address of another domain on through the queue.
package struct AccountNoticeRouter: NoticeRouter {
    private let store: any MailStore

    package init(store: any MailStore) { self.store = store }

    package func route(_ sender: SMTPMailbox) async throws -> NoticeRoute {
        guard let address = sender.address, try await store.domains().contains(address.domain) else {
            return NoticeRoute(recipients: [sender])
        }
        guard let account = try await store.account(address), !account.isDisabled,
            let inbox = try await store.mailbox(.inbox, of: account.id)
        else { return NoticeRoute() }
        return NoticeRoute(mailboxes: [inbox.id])
    }
}
