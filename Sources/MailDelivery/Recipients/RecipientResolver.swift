package import MailStore
package import MailVocabulary
package import SMTPSyntax

/// Finds out who a recipient is: an account, an alias, a catch-all, somebody elsewhere.
///
/// An address means, in this order: the alias of that name; the account; what the address means without its detail
/// (`user+detail`); the operator's postmaster; the domain's catch-all. An alias that names itself means the account of
/// that name, so that mail can be kept and passed on.
package struct RecipientResolver: Sendable {
    let store: any MailStore
    let settings: DeliverySettings

    package init(store: any MailStore, settings: DeliverySettings) {
        self.store = store
        self.settings = settings
    }

    /// - Parameters:
    ///   - declaredSize: octets of the message; 0 when that is not known. The whole truth is only known when the
    ///     message is there, but this spares most from being sent in vain.
    ///   - onlyLocal: nobody elsewhere, whatever the settings say.
    package func resolve(
        _ path: ForwardPath, declaredSize: UInt64 = 0, onlyLocal: Bool = false
    ) async -> RecipientResolution {
        var expansion = Expansion(size: declaredSize, relays: settings.relaysElsewhere && !onlyLocal)
        do {
            let problem: RecipientResolution? =
                switch path {
                case .postmaster: try await expandPostmaster(&expansion)
                case .mailbox(let mailbox): try await expand(mailbox, [], &expansion)
                }
            guard expansion.destinations.isEmpty else { return .accepted(expansion.destinations) }
            return problem ?? .noSuchUser
        } catch {
            return .unavailable(reason: "\(error)")
        }
    }

    /// Whether mail for the address comes to this account and to nobody else.
    package func leads(_ address: Address, onlyTo account: Account) async throws -> Bool {
        var expansion = Expansion(size: nil, relays: true)
        _ = try await expand(SMTPMailbox(address), [], &expansion)
        guard expansion.destinations.count == 1, case .account(let found)? = expansion.destinations.first else {
            return false
        }
        return found.id == account.id
    }

    private struct Expansion {
        /// Octets; nil when room does not matter.
        var size: UInt64?
        var relays: Bool
        var destinations: [Destination] = []
        private var known: Set<Destination> = []
        var lookups = 0

        init(size: UInt64?, relays: Bool) {
            self.size = size
            self.relays = relays
        }

        mutating func add(_ destination: Destination) {
            if known.insert(destination).inserted { destinations.append(destination) }
        }
    }

    private enum Meaning {
        case account(Account)
        /// With the name that is not to be looked up again further in.
        case alias(Address, [Address])
        case nobody
    }

    /// Adds what the mailbox means, or says why it means nothing.
    /// - Parameter trail: aliases on the way here.
    private func expand(
        _ mailbox: SMTPMailbox, _ trail: [Address], _ expansion: inout Expansion
    ) async throws -> RecipientResolution? {
        expansion.lookups += 1
        guard expansion.lookups <= ExpansionLimits.lookups, trail.count <= ExpansionLimits.depth else {
            return .badAlias
        }
        guard let address = mailbox.address?.canonical, try await store.domains().contains(address.domain) else {
            guard expansion.relays else { return .notLocal }
            return add(.elsewhere(mailbox), &expansion)
        }
        switch try await meaning(of: address, trail) {
        case .account(let account): return try await add(account, &expansion)
        case .alias(let name, let targets):
            var problem: RecipientResolution?
            for target in targets {
                // One target that fails does not take the mail from the others.
                let found = try await expand(SMTPMailbox(target), trail + [name], &expansion)
                if problem == nil || found == .badAlias { problem = found }
                if expansion.destinations.count > ExpansionLimits.destinations { return tooMany(&expansion) }
            }
            return problem
        case .nobody:
            return trail.contains(address) ? .badAlias : .noSuchUser
        }
    }

    private func tooMany(_ expansion: inout Expansion) -> RecipientResolution {
        expansion.destinations = []
        expansion.lookups = ExpansionLimits.lookups
        return .badAlias
    }

    private func meaning(of address: Address, _ trail: [Address]) async throws -> Meaning {
        if let found = try await ownMeaning(of: address, trail) { return found }
        if let base = settings.base(of: address), let found = try await ownMeaning(of: base, trail) { return found }
        if address.localPart == "postmaster", let named = settings.postmaster, named.canonical != address,
            let account = try await store.account(named)
        {
            return .account(account)
        }
        let name = Address(localPart: "", domain: address.domain)
        if !trail.contains(name), let targets = try await store.aliasTargets(.domain(address.domain)) {
            return .alias(name, targets)
        }
        return .nobody
    }

    private func ownMeaning(of address: Address, _ trail: [Address]) async throws -> Meaning? {
        if !trail.contains(address), let targets = try await store.aliasTargets(.address(address)) {
            return .alias(address, targets)
        }
        return try await store.account(address).map { .account($0) }
    }

    private func add(_ account: Account, _ expansion: inout Expansion) async throws -> RecipientResolution? {
        if let size = expansion.size {
            guard !account.isDisabled else { return .disabled }
            let quota = try await store.quota(of: account.id)
            guard quota.canEverHold(octets: size) else { return .full(isPermanent: true) }
            guard quota.hasRoom(messages: 1, octets: size) else { return .full(isPermanent: false) }
        }
        return add(.account(account), &expansion)
    }

    private func add(_ destination: Destination, _ expansion: inout Expansion) -> RecipientResolution? {
        expansion.add(destination)
        return nil
    }

    /// `<Postmaster>`: of any of the domains, else the one that the operator named (RFC 5321 §4.5.1).
    private func expandPostmaster(_ expansion: inout Expansion) async throws -> RecipientResolution? {
        for domain in try await store.domains() {
            let address = Address(localPart: "postmaster", domain: domain)
            if try await ownMeaning(of: address, []) != nil {
                return try await expand(SMTPMailbox(address), [], &expansion)
            }
        }
        guard let named = settings.postmaster else { return .noSuchUser }
        return try await expand(SMTPMailbox(named), [], &expansion)
    }
}

extension DeliverySettings {
    /// The address without its detail; nil when it has none.
    func base(of address: Address) -> Address? {
        guard let separator, let cut = address.localPart.firstIndex(of: separator), cut != address.localPart.startIndex
        else { return nil }
        return Address(localPart: String(address.localPart[..<cut]), domain: address.domain)
    }
}
