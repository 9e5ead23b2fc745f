package import MailVocabulary

/// Which address a login name stands for.
package struct LoginNames: Sendable {
    /// Without one, only full addresses are login names.
    package let defaultDomain: Domain?

    package init(defaultDomain: Domain?) { self.defaultDomain = defaultDomain }

    /// The canonical address of a login name or an authorization identity; nil when it can be none.
    package func address(_ name: String) -> Address? {
        if name.utf8.contains(UInt8(ascii: "@")) { return Address(name)?.canonical }
        guard let defaultDomain, Address.isDotAtom(name) else { return nil }
        return Address(localPart: name, domain: defaultDomain).canonical
    }

    /// Whether an authorization identity is the user's own, or there is none.
    func isOwn(_ identity: String?, of address: Address) -> Bool {
        identity.map { self.address($0) == address } ?? true
    }
}
