import GRDB
import MailStore
import MailVocabulary

// Aliases and grants. An empty local part is a whole domain.

extension WriteTransaction {
    func setAlias(_ alias: Alias) throws {
        let known = try db.cachedStatement(sql: "SELECT 1 FROM domain WHERE name = ?")
        guard try Int.fetchOne(known, arguments: [alias.name.domain.name]) != nil else {
            throw StoreError.noSuchDomain
        }
        try alias.check()
        try drop(alias.name)
        for (position, target) in alias.targets.enumerated() {
            try execute(
                "INSERT INTO alias (domain, local, position, target_local, target_domain) VALUES (?, ?, ?, ?, ?)",
                [
                    alias.name.domain.name, alias.name.localPart ?? "", position, target.localPart, target.domain.name,
                ])
        }
        pending.changesAccounts = true
    }

    func removeAlias(_ name: AddressPattern) throws {
        try drop(name)
        guard db.changesCount > 0 else { throw StoreError.noSuchAlias }
        pending.changesAccounts = true
    }

    private func drop(_ name: AddressPattern) throws {
        try execute("DELETE FROM alias WHERE domain = ? AND local = ?", [name.domain.name, name.localPart ?? ""])
    }

    func grantSender(_ sender: AddressPattern, to account: AccountID) throws {
        try require(account)
        try execute(
            "INSERT OR IGNORE INTO sender_grant (account, domain, local) VALUES (?, ?, ?)",
            [account.value, sender.domain.name, sender.localPart ?? ""])
        let count = try db.cachedStatement(sql: "SELECT count(*) FROM sender_grant WHERE account = ?")
        guard try Int.fetchOne(count, arguments: [account.value]) ?? 0 <= StoreLimits.senderGrantsPerAccount else {
            throw StoreError.tooManySenderGrants
        }
        pending.changesAccounts = true
    }

    func revokeSender(_ sender: AddressPattern, of account: AccountID) throws {
        try execute(
            "DELETE FROM sender_grant WHERE account = ? AND domain = ? AND local = ?",
            [account.value, sender.domain.name, sender.localPart ?? ""])
        guard db.changesCount > 0 else { throw StoreError.noSuchSenderGrant }
        pending.changesAccounts = true
    }

    /// What led to an account, or was its own, goes with it.
    func dropAddresses(of account: AccountID) throws {
        try execute("DELETE FROM sender_grant WHERE account = ?", [account.value])
        let select = try db.cachedStatement(sql: "SELECT local, domain FROM account WHERE id = ?")
        guard let row = try Row.fetchOne(select, arguments: [account.value]) else { return }
        let (local, domain): (String, String) = (try row.value(0), try row.value(1))
        try execute(
            "DELETE FROM alias WHERE target_domain = ? AND target_local = ? COLLATE NOCASE", [domain, local])
    }

    func dropAliases(of domain: Domain) throws {
        try execute("DELETE FROM alias WHERE domain = ?", [domain.name])
    }
}
