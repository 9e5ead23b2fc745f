import Foundation
import GRDB
import MailStore
import MailVocabulary

// Domains and accounts.

extension WriteTransaction {
    func addDomain(_ domain: Domain) throws {
        guard try !exists(domain) else { throw StoreError.domainExists }
        try execute("INSERT INTO domain (name) VALUES (?)", [domain.name])
        pending.changesAccounts = true
    }

    func deleteDomain(_ domain: Domain) throws {
        guard try exists(domain) else { throw StoreError.noSuchDomain }
        let user = try db.cachedStatement(sql: "SELECT 1 FROM account WHERE domain = ? LIMIT 1")
        guard try Int.fetchOne(user, arguments: [domain.name]) == nil else { throw StoreError.domainInUse }
        try execute("DELETE FROM domain WHERE name = ?", [domain.name])
        try dropAliases(of: domain)
        pending.changesAccounts = true
    }

    private func exists(_ domain: Domain) throws -> Bool {
        let select = try db.cachedStatement(sql: "SELECT 1 FROM domain WHERE name = ?")
        return try Int.fetchOne(select, arguments: [domain.name]) != nil
    }

    func addAccounts(_ new: [(Address, StoredCredentials)]) throws -> [Account] {
        var addresses: Set<Address> = []
        let taken = try db.cachedStatement(sql: "SELECT 1 FROM account WHERE domain = ? AND local = ?")
        for domain in Set(new.map(\.0.domain)) {
            guard try exists(domain) else { throw StoreError.noSuchDomain }
        }
        for address in new.map(\.0.canonical) {
            guard addresses.insert(address).inserted,
                try Int.fetchOne(taken, arguments: [address.domain.name, address.localPart]) == nil
            else { throw StoreError.accountExists }
        }
        return try new.map { try addAccount($0.canonical, $1) }
    }

    private func addAccount(_ address: Address, _ credentials: StoredCredentials) throws -> Account {
        try execute("INSERT INTO account (local, domain) VALUES (?, ?)", [address.localPart, address.domain.name])
        let account = Account(id: AccountID(db.lastInsertedRowID), address: address)
        try writeCredentials(credentials, of: account.id)
        for (name, specialUse) in DefaultMailboxes.all {
            try addMailbox(name, to: account.id, specialUse: specialUse)
            try execute("INSERT INTO subscription (account, name) VALUES (?, ?)", [account.id.value, name.text])
        }
        return account
    }

    func setCredentials(_ credentials: StoredCredentials, of account: AccountID) throws {
        try require(account)
        try writeCredentials(credentials, of: account)
    }

    private func writeCredentials(_ credentials: StoredCredentials, of account: AccountID) throws {
        let scram = credentials.scramSHA256
        let scram1 = credentials.scramSHA1
        try execute(
            """
            INSERT OR REPLACE INTO credentials
            (account, argon2id, scram_salt, scram_iterations, scram_stored_key, scram_server_key,
             scram1_salt, scram1_iterations, scram1_stored_key, scram1_server_key, shared_secret)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                account.value, credentials.argon2id, Data(scram.salt), scram.iterations, Data(scram.storedKey),
                Data(scram.serverKey), scram1.map { Data($0.salt) }, scram1?.iterations,
                scram1.map { Data($0.storedKey) }, scram1.map { Data($0.serverKey) },
                credentials.sharedSecret.map { Data($0.octets) },
            ])
        pending.changesAccounts = true
    }

    func deleteAccount(_ account: AccountID) throws {
        try require(account)
        try dropAddresses(of: account)
        for id in try mailboxNames(of: account).values { try dropMailbox(id) }
        try dropAccess(of: account)
        try dropAnnotations(of: account)
        for sql in [
            "DELETE FROM subscription WHERE account = ?", "DELETE FROM credentials WHERE account = ?",
            "DELETE FROM account WHERE id = ?",
        ] { try execute(sql, [account.value]) }
        try purgeThreads(of: account)
        pending.changes.accounts.insert(account)
        pending.changedQuotas.insert(account)
        pending.changesAccounts = true
    }

    func require(_ account: AccountID) throws {
        let select = try db.cachedStatement(sql: "SELECT 1 FROM account WHERE id = ?")
        guard try Int.fetchOne(select, arguments: [account.value]) != nil else { throw StoreError.noSuchAccount }
    }
}
