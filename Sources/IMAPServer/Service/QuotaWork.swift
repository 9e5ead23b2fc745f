import MailStore
import MailVocabulary

// Quota roots are the accounts' addresses.

extension IMAPService {
    func quota(_ root: Address) async throws -> IMAPOutcome {
        guard let account = try await store.account(root) else { throw StoreError.noSuchAccount }
        return .quota(root: root, try await store.quota(of: account.id))
    }

    func setQuota(_ root: Address, _ limits: QuotaLimits) async throws -> IMAPOutcome {
        guard let account = try await store.account(root) else { throw StoreError.noSuchAccount }
        try await store.setQuota(limits, of: account.id)
        return .quota(root: root, try await store.quota(of: account.id))
    }

    /// The owner of the mailbox, or of the place that a mailbox of the name would have. What another's mailbox holds
    /// is told to whom may read it (RFC 9208 §6).
    func quotaRoot(of name: MailboxName, for user: Account) async throws -> Address {
        guard Namespaces.isForeign(name) else { return user.address }
        _ = try await require(.read, on: name, for: user)
        guard let (owner, _) = Namespaces.parse(name, for: user) else { throw StoreError.noSuchMailbox }
        return owner
    }
}
