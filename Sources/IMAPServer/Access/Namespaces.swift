import MailStore
import MailVocabulary

/// The names under which a user finds mailboxes (RFC 2342):
///
///     Projects                              the user's own
///     Other Users/ann@example.org/Projects  another account's of the same domain
///     Shared/News                           the domain's: those of the account `shared@` that domain
///
/// What is under the two prefixes is there only for whom an access control list lets see it. The account `shared` is
/// one like any other: whoever may log in to it makes mailboxes and gives rights.
package enum Namespaces {
    package static let separator = MailboxName.separator
    /// With the separator, as NAMESPACE tells them.
    package static let otherUsers = "Other Users/"
    package static let shared = "Shared/"
    /// Local part of the account whose mailboxes are the domain's.
    package static let sharedLocalPart = "shared"

    /// Whether a name is not the user's own: under a prefix, or a prefix itself.
    static func isForeign(_ name: MailboxName) -> Bool { isForeign(name.text) }

    static func isForeign(_ text: String) -> Bool {
        [otherUsers, shared].contains { text.hasPrefix($0) || text == $0.dropLast() }
    }

    /// Whose mailbox a foreign name means, and what its owner calls it; nil for a name that no mailbox can have for
    /// this user: there is one name for each.
    static func parse(_ name: MailboxName, for user: Account) -> (owner: Address, name: MailboxName?)? {
        let domain = user.address.domain
        let owner: Address
        let rest: Substring
        if name.text.hasPrefix(shared) {
            owner = Address(localPart: sharedLocalPart, domain: domain)
            rest = name.text.dropFirst(shared.count)
        } else {
            guard name.text.hasPrefix(otherUsers),
                let (address, below) = parseOwner(name.text.dropFirst(otherUsers.count)),
                address.domain == domain, address.localPart != sharedLocalPart
            else { return nil }
            (owner, rest) = (address, below)
        }
        guard owner != user.address else { return nil }
        guard !rest.isEmpty else { return (owner, nil) }
        return MailboxName(String(rest)).map { (owner, $0) }
    }

    /// An address up to its end or a separator behind its domain. (A local part may hold the separator.)
    private static func parseOwner(_ text: Substring) -> (Address, Substring)? {
        guard let at = text.firstIndex(of: "@") else { return nil }
        let end = text[at...].firstIndex(of: separator) ?? text.endIndex
        guard let address = Address(String(text[..<end])) else { return nil }
        return (address.canonical, text[end...].dropFirst())
    }

    /// What a user of the same domain calls another's mailbox; nil when that is too long to be a name.
    static func name(of mailbox: MailboxName, owner: Address) -> MailboxName? {
        owner.localPart == sharedLocalPart
            ? MailboxName(shared + mailbox.text) : MailboxName("\(otherUsers)\(owner)/\(mailbox.text)")
    }

    /// Whether a pattern of LIST can match a name that is not the user's own: what is shared is then looked up.
    static func mayMatchForeign(_ pattern: String) -> Bool {
        let literal = pattern.prefix { $0 != "*" && $0 != "%" }
        return [otherUsers, shared].contains { $0.hasPrefix(literal) || literal.hasPrefix($0) }
    }
}
