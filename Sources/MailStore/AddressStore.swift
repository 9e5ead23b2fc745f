package import MailVocabulary

/// An address that leads to others. Under the name of a whole domain it is the domain's catch-all: it stands for every
/// address that is nobody's.
package struct Alias: Sendable, Hashable {
    package var name: AddressPattern
    /// In order, distinct, at least one; on this server or elsewhere.
    package var targets: [Address]

    package init(name: AddressPattern, targets: [Address]) {
        self.name = name
        self.targets = targets
    }
}

/// Addresses beside the accounts' own, and who may send under which.
package protocol AddressStore: Sendable {
    /// In the order of names.
    func aliases() async throws -> [Alias]
    /// Nil when there is no alias of exactly this name.
    func aliasTargets(_ name: AddressPattern) async throws -> [Address]?
    /// Makes the alias, or gives it other targets. An account may have the same address: mail goes where the alias
    /// says. Throws `noSuchDomain` when its domain is not served, `badAliasTargets` for none, for one that stands
    /// twice, and beyond `StoreLimits.aliasTargets`. It goes with its domain, a target with its account.
    func setAlias(_ alias: Alias) async throws
    /// Throws `noSuchAlias`.
    func removeAlias(_ name: AddressPattern) async throws

    /// Addresses that the account may send as, beside its own; in order. They go with the account.
    func senderGrants(of account: AccountID) async throws -> [AddressPattern]
    /// Granting twice is granting. Throws `noSuchAccount`, `tooManySenderGrants` beyond
    /// `StoreLimits.senderGrantsPerAccount`.
    func grantSender(_ sender: AddressPattern, to account: AccountID) async throws
    /// Throws `noSuchSenderGrant`.
    func revokeSender(_ sender: AddressPattern, of account: AccountID) async throws
}

extension Alias {
    /// What every store requires of one; an empty local part, which only quotes can write, is no name.
    package func check() throws(StoreError) {
        guard (1...StoreLimits.aliasTargets).contains(targets.count), Set(targets).count == targets.count,
            name.localPart != ""
        else {
            throw .badAliasTargets
        }
    }
}
