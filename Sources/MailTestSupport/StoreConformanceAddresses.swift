import MailStore
import MailVocabulary

extension StoreConformance {
    static let addressLaws = [
        StoreConformance("aliases: set, replaced, listed in order, removed") { store in
            let fixture = try await StoreFixture(store)
            let info = try pattern("info@example.org"), all = try pattern("@example.org")
            let (ann, bob) = (try address("Ann@else.example"), try address("bob@example.org"))
            try await store.setAlias(Alias(name: info, targets: [ann, bob]))
            try await store.setAlias(Alias(name: all, targets: [fixture.account.address]))
            try expectEqual(try await store.aliasTargets(info), [ann, bob])
            try expectEqual(try await store.aliasTargets(all), [fixture.account.address])
            try expectEqual(try await store.aliasTargets(try pattern("other@example.org")), nil)
            try expectEqual(try await store.aliases().map(\.name), [all, info])
            try await store.setAlias(Alias(name: info, targets: [bob]))
            try expectEqual(try await store.aliasTargets(info), [bob])
            try await store.removeAlias(info)
            try expectEqual(try await store.aliasTargets(info), nil)
            try await expectError(.noSuchAlias) { try await store.removeAlias(info) }
        },
        StoreConformance("aliases: of served domains only, with distinct targets, not too many") { store in
            _ = try await StoreFixture(store)
            let (info, bob) = (try pattern("info@example.org"), try address("bob@else.example"))
            try await expectError(.noSuchDomain) {
                try await store.setAlias(Alias(name: try pattern("info@else.example"), targets: [bob]))
            }
            try await expectError(.badAliasTargets) { try await store.setAlias(Alias(name: info, targets: [])) }
            try await expectError(.badAliasTargets) {
                try await store.setAlias(Alias(name: info, targets: [bob, bob]))
            }
            let many = (0...StoreLimits.aliasTargets).map { Address(localPart: "u\($0)", domain: bob.domain) }
            try await expectError(.badAliasTargets) { try await store.setAlias(Alias(name: info, targets: many)) }
            try await store.setAlias(Alias(name: info, targets: Array(many.dropFirst())))
            try expectEqual(try await store.aliasTargets(info)?.count, StoreLimits.aliasTargets)
        },
        StoreConformance("aliases: a target goes with its account, an alias with its last target and its domain") {
            store in
            let fixture = try await StoreFixture(store)
            guard let other = Domain("other.example") else { return }
            try await store.addDomain(other)
            let both = try pattern("both@example.org"), only = try pattern("only@other.example")
            let elsewhere = try address("x@else.example")
            let upper = Address(localPart: "JOE", domain: fixture.account.address.domain)
            try await store.setAlias(Alias(name: both, targets: [upper, elsewhere]))
            try await store.setAlias(Alias(name: only, targets: [fixture.account.address]))
            try await store.setAlias(Alias(name: .domain(other), targets: [elsewhere]))
            try await store.deleteAccount(fixture.account.id)
            try expectEqual(try await store.aliasTargets(both), [elsewhere])
            try expectEqual(try await store.aliasTargets(only), nil)
            try await store.deleteDomain(other)
            try expectEqual(try await store.aliases().map(\.name), [both])
        },
        StoreConformance("grants: given, listed in order, taken, gone with the account") { store in
            let fixture = try await StoreFixture(store)
            let id = fixture.account.id
            let (sales, all) = (try pattern("Sales@example.org"), try pattern("@else.example"))
            try expectEqual(try await store.senderGrants(of: id), [])
            for grant in [sales, all, sales] { try await store.grantSender(grant, to: id) }
            try expectEqual(try await store.senderGrants(of: id), [all, sales])
            try await store.revokeSender(all, of: id)
            try expectEqual(try await store.senderGrants(of: id), [sales])
            try await expectError(.noSuchSenderGrant) { try await store.revokeSender(all, of: id) }
            try await expectError(.noSuchAccount) { try await store.grantSender(all, to: AccountID(999_999)) }
            try await store.deleteAccount(id)
            try expectEqual(try await store.senderGrants(of: id), [])
        },
    ]

    private static func pattern(_ text: String) throws -> AddressPattern {
        guard let pattern = AddressPattern(text) else { throw Violation(description: "bad pattern in a law: \(text)") }
        return pattern
    }

    private static func address(_ text: String) throws -> Address {
        guard let address = Address(text) else { throw Violation(description: "bad address in a law: \(text)") }
        return address
    }
}
