import GRDB
package import MailStore
package import MailVocabulary

// Aliases and grants, cached with the accounts: every recipient and many senders ask for them.

extension SQLiteStore {
    package func aliases() async throws -> [Alias] {
        try await read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT domain, local, target_domain, target_local FROM alias ORDER BY domain, local, position
                    """)
            var found: [Alias] = []
            for row in rows {
                let name = try AddressRows.pattern(row.value(0), row.value(1))
                let target = try AddressRows.address(row.value(2), row.value(3))
                if found.last?.name == name {
                    found[found.count - 1].targets.append(target)
                } else {
                    found.append(Alias(name: name, targets: [target]))
                }
            }
            return found
        }
    }

    package func aliasTargets(_ name: AddressPattern) async throws -> [Address]? {
        // What stands for the catch-all in a row is no address's local part here.
        guard name.localPart != "" else { return nil }
        return try await accountCache.value {
            $0.aliases[name]
        } _: {
            $0.aliases[name] = .some($1)
        } _: {
            try await readOnce { db in
                let select = try db.cachedStatement(
                    sql: """
                        SELECT target_domain, target_local FROM alias WHERE domain = ? AND local = ? ORDER BY position
                        """)
                let targets = try Row.fetchAll(select, arguments: [name.domain.name, name.localPart ?? ""])
                    .map { try AddressRows.address($0.value(0), $0.value(1)) }
                return targets.isEmpty ? nil : targets
            }
        }
    }

    package func setAlias(_ alias: Alias) async throws {
        try await committer.commit { transaction, _ in try transaction.setAlias(alias) }
    }

    package func removeAlias(_ name: AddressPattern) async throws {
        try await committer.commit { transaction, _ in try transaction.removeAlias(name) }
    }

    package func senderGrants(of account: AccountID) async throws -> [AddressPattern] {
        try await accountCache.value {
            $0.senderGrants[account]
        } _: {
            $0.senderGrants[account] = $1
        } _: {
            try await readOnce { db in
                let select = try db.cachedStatement(
                    sql: "SELECT domain, local FROM sender_grant WHERE account = ? ORDER BY domain, local")
                return try Row.fetchAll(select, arguments: [account.value])
                    .map { try AddressRows.pattern($0.value(0), $0.value(1)) }
            }
        }
    }

    package func grantSender(_ sender: AddressPattern, to account: AccountID) async throws {
        try await committer.commit { transaction, _ in try transaction.grantSender(sender, to: account) }
    }

    package func revokeSender(_ sender: AddressPattern, of account: AccountID) async throws {
        try await committer.commit { transaction, _ in try transaction.revokeSender(sender, of: account) }
    }
}

private enum AddressRows {
    static func pattern(_ domain: String, _ local: String) throws -> AddressPattern {
        guard !local.isEmpty else {
            guard let domain = Domain(domain) else { throw StoreError.damaged("an alias's domain") }
            return .domain(domain)
        }
        return .address(try address(domain, local))
    }

    static func address(_ domain: String, _ local: String) throws -> Address {
        guard let domain = Domain(domain) else { throw StoreError.damaged("an alias's domain") }
        return Address(localPart: local, domain: domain)
    }
}
