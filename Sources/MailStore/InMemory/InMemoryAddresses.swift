package import MailVocabulary

extension InMemoryState {
    mutating func setAlias(_ alias: Alias) throws {
        guard domains.contains(alias.name.domain) else { throw StoreError.noSuchDomain }
        try alias.check()
        aliases[alias.name] = alias.targets
    }

    mutating func removeAlias(_ name: AddressPattern) throws {
        guard aliases.removeValue(forKey: name) != nil else { throw StoreError.noSuchAlias }
    }

    mutating func grantSender(_ sender: AddressPattern, to account: AccountID) throws {
        guard accounts[account] != nil else { throw StoreError.noSuchAccount }
        var grants = senderGrants[account] ?? []
        grants.insert(sender)
        guard grants.count <= StoreLimits.senderGrantsPerAccount else { throw StoreError.tooManySenderGrants }
        senderGrants[account] = grants
    }

    mutating func revokeSender(_ sender: AddressPattern, of account: AccountID) throws {
        guard senderGrants[account]?.remove(sender) != nil else { throw StoreError.noSuchSenderGrant }
    }

    /// What led to an account, or was its own, goes with it.
    mutating func dropAddresses(of account: Account) {
        senderGrants[account.id] = nil
        for (name, targets) in aliases {
            let rest = targets.filter { $0.canonical != account.address }
            aliases[name] = rest.isEmpty ? nil : rest
        }
    }

    mutating func dropAliases(of domain: Domain) {
        aliases = aliases.filter { $0.key.domain != domain }
    }
}

extension InMemoryStore {
    package func aliases() async throws -> [Alias] {
        look { $0.aliases.map { Alias(name: $0, targets: $1) }.sorted { $0.name < $1.name } }
    }

    package func aliasTargets(_ name: AddressPattern) async throws -> [Address]? { look { $0.aliases[name] } }

    package func setAlias(_ alias: Alias) async throws { try change { try $0.setAlias(alias) } }

    package func removeAlias(_ name: AddressPattern) async throws { try change { try $0.removeAlias(name) } }

    package func senderGrants(of account: AccountID) async throws -> [AddressPattern] {
        look { $0.senderGrants[account]?.sorted() ?? [] }
    }

    package func grantSender(_ sender: AddressPattern, to account: AccountID) async throws {
        try change { try $0.grantSender(sender, to: account) }
    }

    package func revokeSender(_ sender: AddressPattern, of account: AccountID) async throws {
        try change { try $0.revokeSender(sender, of: account) }
    }
}
