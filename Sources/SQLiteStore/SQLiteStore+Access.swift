import GRDB
package import MailStore
package import MailVocabulary

extension SQLiteStore {
    package func accessList(of mailbox: MailboxID) async throws -> [AccessEntry] {
        try await read { db in
            guard try Int.fetchOne(db, sql: "SELECT 1 FROM mailbox WHERE id = ?", arguments: [mailbox.value]) != nil
            else { throw StoreError.noSuchMailbox }
            let select = try db.cachedStatement(
                sql: """
                    SELECT access.account, negative, rights, account.local, account.domain FROM access
                    LEFT JOIN account ON account.id = access.account WHERE mailbox = ?
                    ORDER BY account.local, negative
                    """)
            return try Row.fetchAll(select, arguments: [mailbox.value]).compactMap { row in
                let account: Int64 = try row.value(0)
                var address: Address?
                if account != 0 {
                    // An entry of nobody gives nothing; `verify` tells of it.
                    guard let local: String = try row.value(3), let name: String = try row.value(4),
                        let domain = Domain(name)
                    else { return nil }
                    address = Address(localPart: local, domain: domain)
                }
                return AccessEntry(
                    identifier: AccessIdentifier(
                        account == 0 ? nil : AccountID(account), isNegative: try row.value(1)),
                    address: address, rights: MailboxRights(stored: try row.value(2)))
            }
        }
    }

    package func changeAccess(
        _ change: RightsChange, of identifier: AccessIdentifier, on mailbox: MailboxID
    ) async throws {
        try await committer.commit { transaction, _ in
            try transaction.changeAccess(change, of: identifier, on: mailbox)
        }
    }

    package func rights(of account: AccountID, on mailbox: MailboxID) async throws -> MailboxRights {
        try await read { db in
            let owner = try db.cachedStatement(sql: "SELECT account FROM mailbox WHERE id = ?")
            guard let owner = try Int64.fetchOne(owner, arguments: [mailbox.value]) else { return [] }
            guard owner != account.value else { return .all }
            let select = try db.cachedStatement(
                sql: """
                    SELECT negative, rights FROM access WHERE mailbox = ?1 AND account IN (0, ?2)
                    AND domain = (SELECT domain FROM account WHERE id = ?2)
                    """)
            var effective = EffectiveRights()
            for row in try Row.fetchAll(select, arguments: [mailbox.value, account.value]) {
                effective.add(MailboxRights(stored: try row.value(1)), isNegative: try row.value(0))
            }
            return effective.rights
        }
    }

    /// By the index of identifiers: two stretches of it, whatever else there is.
    private static let shared = """
        SELECT \(RowReader.mailboxColumns), negative, rights, owner_local, owner_domain FROM access
        JOIN mailbox ON mailbox.id = access.mailbox
        JOIN (SELECT id AS owner, local AS owner_local, domain AS owner_domain FROM account) ON owner = mailbox.account
        WHERE access.domain = (SELECT domain FROM account WHERE id = ?1) AND access.account IN (0, ?1)
        AND mailbox.account <> ?1 ORDER BY mailbox.id
        """

    package func sharedMailboxes(with account: AccountID) async throws -> [SharedMailbox] {
        try await read { [cache] db in
            let select = try db.cachedStatement(sql: SQLiteStore.shared)
            var shared: [SharedMailbox] = []
            var effective = EffectiveRights()
            let cursor = try Row.fetchCursor(select, arguments: [account.value])
            while let row = try cursor.next() {
                if try shared.last?.mailbox.id.value != row.value(0) as Int64 {
                    SQLiteStore.settle(&shared, &effective)
                    guard shared.count < StoreLimits.sharedMailboxes else { break }
                    shared.append(try SQLiteStore.sharedMailbox(row, cache))
                }
                effective.add(
                    MailboxRights(stored: try row.decode(forColumn: "rights")),
                    isNegative: try row.decode(forColumn: "negative"))
            }
            SQLiteStore.settle(&shared, &effective)
            return shared
        }
    }

    private static func sharedMailbox(_ row: Row, _ cache: IndexCache) throws -> SharedMailbox {
        let domain: String = try row.decode(forColumn: "owner_domain")
        guard let domain = Domain(domain) else { throw StoreError.damaged("an account's domain") }
        return SharedMailbox(
            mailbox: withRecent(try RowReader.mailbox(row), cache),
            owner: Address(localPart: try row.decode(forColumn: "owner_local"), domain: domain), rights: [])
    }

    /// All rows of the last mailbox have been seen.
    private static func settle(_ shared: inout [SharedMailbox], _ effective: inout EffectiveRights) {
        guard let last = shared.indices.last else { return }
        shared[last].rights = effective.rights
        if effective.rights.isEmpty { shared.removeLast() }
        effective = EffectiveRights()
    }

    package var accessGeneration: UInt64 { feed.accessGeneration }
}
