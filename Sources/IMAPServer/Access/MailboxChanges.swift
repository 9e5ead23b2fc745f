import MailStore
import MailVocabulary

// CREATE, DELETE and RENAME, for the user's own mailboxes and for others'.

extension IMAPService {
    func create(_ name: MailboxName, _ use: SpecialUse?, for user: Account) async throws -> Mailbox {
        let (owner, ownersName) = try await placeForNew(name, for: user)
        guard owner != user.id else { return try await store.createMailbox(name, of: owner, specialUse: use) }
        // What another's mailbox is for is the owner's to say.
        guard use == nil else { throw StoreError.specialUseTaken }
        if let known = try await store.mailbox(ownersName, of: owner) {
            let isVisible = try await store.rights(of: user.id, on: known.id).contains(.lookUp)
            if isVisible { throw StoreError.mailboxExists } else { throw AccessDenied() }
        }
        return try await store.createMailbox(ownersName, of: owner, specialUse: nil)
    }

    func delete(_ name: MailboxName, for user: Account) async throws -> MailboxID {
        guard Namespaces.isForeign(name) else { return try await store.deleteMailbox(name, of: user.id) }
        let found = try await require(.deleteMailbox, on: name, for: user)
        return try await store.deleteMailbox(found.mailbox.name, of: found.mailbox.account)
    }

    /// A mailbox keeps its owner: mail that changes hands is copied.
    func rename(_ from: MailboxName, to target: MailboxName, for user: Account) async throws {
        guard Namespaces.isForeign(from) || Namespaces.isForeign(target) else {
            return try await store.renameMailbox(from, to: target, of: user.id)
        }
        let found = try await require(.deleteMailbox, on: from, for: user)
        // Renaming INBOX moves its mail out of the way (RFC 3501 §6.3.5): nobody's but the owner's business.
        guard found.isOwn || found.mailbox.name != .inbox else { throw UnusableName() }
        let (owner, name) = try await placeForNew(target, for: user)
        guard owner == found.mailbox.account else { throw UnusableName() }
        try await store.renameMailbox(found.mailbox.name, to: name, of: owner)
    }
}
