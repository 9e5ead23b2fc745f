import MailStore
package import MailVocabulary

// GETACL, SETACL, DELETEACL, LISTRIGHTS (RFC 4314 §3), for who has the right `a`.

/// An identifier as a client writes it: `anyone`, an address, or a local part of the user's domain; with `-` before it
/// for negative rights.
package struct NamedIdentifier: Sendable, Hashable {
    /// Nil: `anyone`.
    package var address: Address?
    package var isNegative: Bool

    private static let anyone = "anyone"

    /// Nil for text that can be nobody's name.
    init?(_ text: String, domain: Domain) {
        isNegative = text.hasPrefix("-")
        let name = isNegative ? String(text.dropFirst()) : text
        guard name.asciiLowercased() != Self.anyone else { return }
        if name.utf8.contains(UInt8(ascii: "@")) {
            address = Address(name)?.canonical
        } else if Address.isDotAtom(name) {
            address = Address(localPart: name, domain: domain).canonical
        }
        guard address != nil else { return nil }
    }

    /// As it is told.
    static func text(_ address: Address?, isNegative: Bool) -> String {
        (isNegative ? "-" : "") + (address?.description ?? anyone)
    }
}

/// What a SETACL or DELETEACL is to do.
package struct AccessChange: Sendable {
    package var identifier: NamedIdentifier
    package var rights: RightsChange
}

/// No account of the domain is meant.
struct UnknownIdentifier: Error {}

extension IMAPService {
    /// The owner first, who is in no list and has every right.
    func accessList(
        of name: MailboxName, for user: Account
    ) async throws -> [(identifier: String, rights: MailboxRights)] {
        let found = try await require(.administer, on: name, for: user)
        let entries = try await store.accessList(of: found.mailbox.id).map { entry in
            (
                identifier: NamedIdentifier.text(entry.address, isNegative: entry.identifier.isNegative),
                rights: entry.rights
            )
        }
        return [(NamedIdentifier.text(owner(of: found, for: user), isNegative: false), .all)] + entries
    }

    func changeAccess(_ change: AccessChange, on name: MailboxName, for user: Account) async throws {
        let found = try await require(.administer, on: name, for: user)
        let identifier = change.identifier
        if identifier.address == owner(of: found, for: user) {
            // Nobody is locked out of what is theirs: only what leaves the owner all rights is done, which is nothing.
            let isHarmless =
                identifier.isNegative
                ? change.rights.applied(to: []).isEmpty : change.rights.applied(to: .all) == .all
            guard isHarmless else { throw UnusableName() }
            return
        }
        let account = try await account(identifier, for: user)
        try await store.changeAccess(
            change.rights, of: AccessIdentifier(account, isNegative: identifier.isNegative), on: found.mailbox.id)
    }

    /// Whether the identifier is the mailbox's owner. Throws `UnknownIdentifier`.
    func isOwner(_ identifier: NamedIdentifier, of name: MailboxName, for user: Account) async throws -> Bool {
        let found = try await require(.administer, on: name, for: user)
        if identifier.address == owner(of: found, for: user) { return true }
        _ = try await account(identifier, for: user)
        return false
    }

    private func owner(of found: FoundMailbox, for user: Account) -> Address? {
        found.isOwn ? user.address : Namespaces.parse(found.name, for: user)?.owner
    }

    /// Nil for `anyone`.
    private func account(_ identifier: NamedIdentifier, for user: Account) async throws -> AccountID? {
        guard let address = identifier.address else { return nil }
        // Whether another domain has such an account is not to be learnt here.
        guard address.domain == user.address.domain, let account = try await store.account(address) else {
            throw UnknownIdentifier()
        }
        return account.id
    }
}
