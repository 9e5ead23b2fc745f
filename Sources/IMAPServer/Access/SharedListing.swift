import IMAPSyntax
import MailStore
import MailVocabulary

// What LIST and LSUB are computed from: the user's own mailboxes, and others' that the user may look up.

extension IMAPService {
    func listing(for user: Account, _ request: ListRequest) async throws -> MailboxListing {
        let reachesOthers = request.patterns.contains { Namespaces.mayMatchForeign(request.reference + $0) }
        let own = try await store.mailboxes(of: user.id)
        let subscriptions = try await store.subscriptions(of: user.id)
        let shared = reachesOthers ? try await visibleMailboxes(for: user) : []
        return MailboxListing(own, shared: shared, subscriptions: subscriptions)
    }

    /// For LSUB, which asks for no mailbox.
    func subscriptionListing(of user: Account) async throws -> MailboxListing {
        MailboxListing([], subscriptions: try await store.subscriptions(of: user.id))
    }

    /// Others' mailboxes with the right `l`, under the user's names for them. What they are for (RFC 6154) is true for
    /// their owner only.
    func visibleMailboxes(for user: Account) async throws -> [SharedMailbox] {
        try await store.sharedMailboxes(with: user.id).compactMap { shared in
            guard shared.rights.contains(.lookUp),
                let name = Namespaces.name(of: shared.mailbox.name, owner: shared.owner)
            else { return nil }
            var shared = shared
            shared.mailbox.name = name
            shared.mailbox.specialUse = nil
            return shared
        }
    }
}
