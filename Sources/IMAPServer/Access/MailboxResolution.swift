package import MailStore
package import MailVocabulary

// From a name to a mailbox and what the user may do with it. Every command that names a mailbox comes through here; for
// the user's own it costs what it did without rights, as the owner has all of them.

/// A mailbox as a user finds it.
package struct FoundMailbox: Sendable {
    /// With the owner's name for it; `account` is the owner.
    package var mailbox: Mailbox
    /// The user's name for it.
    package var name: MailboxName
    package var rights: MailboxRights
    /// Changes with rights: as it was before they were looked up.
    package var accessGeneration: UInt64
    package var isOwn: Bool

    /// Whether SELECT opens it for more than reading (RFC 4314 §5.2).
    var isWritable: Bool {
        !rights.isDisjoint(with: [.insert, .expunge, .markSeen, .write, .deleteMessages])
    }
}

/// The user may know of the mailbox, but not do that (RFC 5530 NOPERM).
struct AccessDenied: Error {}

/// The name is none that this can be done with: a namespace's own, or another owner's.
struct UnusableName: Error {}

extension IMAPService {
    /// Nil for a mailbox that is not there, or of which the user may not know.
    func find(_ name: MailboxName, for user: Account) async throws -> FoundMailbox? {
        guard Namespaces.isForeign(name) else {
            return try await store.mailbox(name, of: user.id).map { mailbox in
                FoundMailbox(mailbox: mailbox, name: name, rights: .all, accessGeneration: 0, isOwn: true)
            }
        }
        guard let (address, ownersName) = Namespaces.parse(name, for: user), let ownersName,
            let owner = try await store.account(address),
            let mailbox = try await store.mailbox(ownersName, of: owner.id)
        else { return nil }
        let generation = store.accessGeneration
        let rights = try await store.rights(of: user.id, on: mailbox.id)
        guard !rights.isDisjoint(with: .any) else { return nil }
        return FoundMailbox(
            mailbox: mailbox, name: name, rights: rights, accessGeneration: generation, isOwn: false)
    }

    /// The mailbox, if the user has all of these rights. Throws `noSuchMailbox` also where the user has none that
    /// would tell of it, and not the right asked for (RFC 4314 §6); `AccessDenied`.
    func require(
        _ rights: MailboxRights, on name: MailboxName, for user: Account
    ) async throws -> FoundMailbox {
        guard let found = try await find(name, for: user) else { throw StoreError.noSuchMailbox }
        guard found.rights.isSuperset(of: rights) else {
            if found.rights.contains(.lookUp) { throw AccessDenied() }
            throw StoreError.noSuchMailbox
        }
        return found
    }

    /// Where a new mailbox of that name would be: its owner, and what the owner calls it. For another's the user needs
    /// `k` on the nearest superior that is there (RFC 4314 §4). Throws `AccessDenied`, `UnusableName`.
    func placeForNew(
        _ name: MailboxName, for user: Account
    ) async throws -> (owner: AccountID, name: MailboxName) {
        guard Namespaces.isForeign(name) else { return (user.id, name) }
        guard let (address, ownersName) = Namespaces.parse(name, for: user), let ownersName else {
            throw UnusableName()
        }
        guard let owner = try await store.account(address) else { throw AccessDenied() }
        var next = ownersName.parent
        while let superior = next {
            if let mailbox = try await store.mailbox(superior, of: owner.id) {
                guard try await store.rights(of: user.id, on: mailbox.id).contains(.create) else { break }
                return (owner.id, ownersName)
            }
            next = superior.parent
        }
        throw AccessDenied()
    }
}
