import GRDB
package import MailStore
package import MailVocabulary

extension SQLiteStore {
    package func domains() async throws -> [Domain] {
        try await accountCache.value {
            $0.domains
        } _: {
            $0.domains = $1
        } _: {
            try await read { db in
                try String.fetchAll(db, sql: "SELECT name FROM domain ORDER BY name").map { name in
                    guard let domain = Domain(name) else { throw StoreError.damaged("a domain's name") }
                    return domain
                }
            }
        }
    }

    package func addDomain(_ domain: Domain) async throws {
        try await committer.commit { transaction, _ in try transaction.addDomain(domain) }
    }

    package func deleteDomain(_ domain: Domain) async throws {
        try await committer.commit { transaction, _ in try transaction.deleteDomain(domain) }
    }

    package func accounts() async throws -> [Account] {
        try await read { db in
            try Row.fetchAll(db, sql: "SELECT id, local, domain, disabled, administrator FROM account ORDER BY id")
                .map { try RowReader.account($0) }
        }
    }

    package func account(_ address: Address) async throws -> Account? {
        let address = address.canonical
        return try await accountCache.value {
            $0.accounts[address]
        } _: {
            $0.accounts[address] = .some($1)
        } _: {
            try await readOnce { db in try RowReader.account(address, db) }
        }
    }

    package func credentials(of account: AccountID) async throws -> StoredCredentials? {
        try await accountCache.value {
            $0.credentials[account]
        } _: {
            $0.credentials[account] = .some($1)
        } _: {
            try await readOnce { db in try RowReader.credentials(of: account, db) }
        }
    }

    package func addAccounts(_ new: [(Address, StoredCredentials)]) async throws -> [Account] {
        try await committer.commit { transaction, _ in try transaction.addAccounts(new) }
    }

    package func setCredentials(_ credentials: StoredCredentials, of account: AccountID) async throws {
        try await committer.commit { transaction, _ in try transaction.setCredentials(credentials, of: account) }
    }

    package func deleteAccount(_ account: AccountID) async throws {
        try await committer.commit { transaction, _ in try transaction.deleteAccount(account) }
        startPurging()
    }

    package func quota(of account: AccountID) async throws -> Quota {
        if let known = quotas[account] { return known }
        return try await read { [quotaDefaults] db in
            guard let quota = try RowReader.quota(of: account, quotaDefaults, db) else {
                throw StoreError.noSuchAccount
            }
            return quota
        }
    }

    package func setQuota(_ limits: QuotaLimits, of account: AccountID) async throws {
        try await committer.commit { transaction, _ in try transaction.setQuota(limits, of: account) }
    }

    package func setAdministrator(_ isAdministrator: Bool, _ account: AccountID) async throws {
        try await committer.commit { transaction, _ in try transaction.setAdministrator(isAdministrator, account) }
    }
}

extension RowReader {
    fileprivate static func account(_ address: Address, _ db: Database) throws -> Account? {
        let select = try db.cachedStatement(
            sql: "SELECT id, local, domain, disabled, administrator FROM account WHERE domain = ? AND local = ?")
        return try Row.fetchOne(select, arguments: [address.domain.name, address.localPart])
            .map { try RowReader.account($0) }
    }

    fileprivate static func credentials(of account: AccountID, _ db: Database) throws -> StoredCredentials? {
        let select = try db.cachedStatement(
            sql: """
                SELECT argon2id, scram_salt, scram_iterations, scram_stored_key, scram_server_key,
                    scram1_salt, scram1_iterations, scram1_stored_key, scram1_server_key, shared_secret
                FROM credentials WHERE account = ?
                """)
        return try Row.fetchOne(select, arguments: [account.value]).map { row in
            try StoredCredentials(
                argon2id: row.value(0), scramSHA256: scramVerifier(row, 1),
                scramSHA1: row.hasNull(atIndex: 5) ? nil : scramVerifier(row, 5),
                sharedSecret: row.hasNull(atIndex: 9) ? nil : SharedSecret(RowReader.bytes(row, 9)))
        }
    }

    /// From four columns.
    private static func scramVerifier(_ row: Row, _ first: Int) throws -> SCRAMVerifier {
        SCRAMVerifier(
            salt: RowReader.bytes(row, first), iterations: try row.value(first + 1),
            storedKey: RowReader.bytes(row, first + 2), serverKey: RowReader.bytes(row, first + 3))
    }
}
