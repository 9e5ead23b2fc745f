import GRDB
package import MailStore
package import MailVocabulary

extension SQLiteStore {
    private static let listing = """
        SELECT \(RowReader.mailboxColumns), subscription.name IS NOT NULL FROM mailbox
        LEFT JOIN subscription ON subscription.account = mailbox.account AND subscription.name = mailbox.name
        WHERE mailbox.account = ?
        """

    package func mailboxes(of account: AccountID) async throws -> [Mailbox] {
        try await read { [cache] db in
            // By octets, as MailboxName compares.
            let select = try db.cachedStatement(sql: SQLiteStore.listing + " ORDER BY mailbox.name")
            return try Row.fetchAll(select, arguments: [account.value]).map { row in
                SQLiteStore.withRecent(try RowReader.mailbox(row, isSubscribed: row.value(14)), cache)
            }
        }
    }

    package func mailbox(_ name: MailboxName, of account: AccountID) async throws -> Mailbox? {
        if let names = names.names(of: account) {
            guard let named = names[name] else { return nil }
            // Without leaving the thread, for a mailbox in use.
            if let record = cache.mailbox(named.id)?.record { return SQLiteStore.adding(named, record) }
        }
        return try await read { [cache, names] db in
            let known = try names.load(account) { try RowReader.names(of: account, db) }
            guard let named = known[name] else { return nil }
            let record = try RowReader.state(named.id, db).record
            return SQLiteStore.adding(named, SQLiteStore.withRecent(record, cache))
        }
    }

    private static func adding(_ named: NameCache.Named, _ record: Mailbox) -> Mailbox {
        var mailbox = record
        mailbox.isSubscribed = named.isSubscribed
        return mailbox
    }

    /// Claims of recent messages are known in memory first.
    static func withRecent(_ mailbox: Mailbox, _ cache: IndexCache) -> Mailbox {
        guard let known = cache.mailbox(mailbox.id), known.record.highestModSeq == mailbox.highestModSeq else {
            return mailbox
        }
        var mailbox = mailbox
        mailbox.recentCount = known.record.recentCount
        return mailbox
    }

    package func createMailbox(
        _ name: MailboxName, of account: AccountID, specialUse: SpecialUse?
    ) async throws -> Mailbox {
        try await committer.commit { transaction, _ in
            try transaction.createMailbox(name, of: account, specialUse: specialUse)
        }
    }

    package func adoptUIDValidity(_ uidValidity: UIDValidity, of mailbox: MailboxID) async throws -> Bool {
        _ = try await open(mailbox)
        return try await committer.commit { transaction, _ in
            try transaction.adoptUIDValidity(uidValidity, of: mailbox)
        }
    }

    package func deleteMailbox(_ name: MailboxName, of account: AccountID) async throws -> MailboxID {
        let id = try await committer.commit { transaction, _ in try transaction.deleteMailbox(name, of: account) }
        startPurging()
        return id
    }

    package func renameMailbox(_ name: MailboxName, to target: MailboxName, of account: AccountID) async throws {
        try await committer.commit { transaction, _ in
            try transaction.renameMailbox(name, to: target, of: account)
        }
    }

    package func setSubscribed(_ subscribed: Bool, _ name: MailboxName, of account: AccountID) async throws {
        try await committer.commit { transaction, _ in
            try transaction.setSubscribed(subscribed, name, of: account)
        }
    }

    package func subscriptions(of account: AccountID) async throws -> [MailboxName] {
        try await read { db in
            try String.fetchAll(
                db, sql: "SELECT name FROM subscription WHERE account = ? ORDER BY name", arguments: [account.value]
            ).compactMap { MailboxName($0) }
        }
    }

    package func isSubscribed(_ name: MailboxName, of account: AccountID) async throws -> Bool {
        if let named = names.names(of: account)?[name] { return named.isSubscribed }
        return try await read { db in
            let select = try db.cachedStatement(sql: "SELECT 1 FROM subscription WHERE account = ? AND name = ?")
            return try Int.fetchOne(select, arguments: [account.value, name.text]) != nil
        }
    }

    /// By the index of names: those that begin with the name and a separator, and so come before it and what follows
    /// the separator among the octets.
    static let inferiors = """
        SELECT 1 FROM mailbox WHERE account = ?1 AND name > ?2 || '/' AND name < ?2 || '0' LIMIT 1
        """

    package func hasInferiors(_ name: MailboxName, of account: AccountID) async throws -> Bool {
        try await read { db in
            let select = try db.cachedStatement(sql: SQLiteStore.inferiors)
            return try Int.fetchOne(select, arguments: [account.value, name.text]) != nil
        }
    }

    package func observe(_ mailbox: MailboxID, _ onChange: @escaping @Sendable () -> Void) -> Observation {
        feed.observe(mailbox, onChange)
    }

    package func observe(_ account: AccountID, _ onChange: @escaping @Sendable () -> Void) -> Observation {
        feed.observe(account, onChange)
    }

    package func watch(_ wake: @escaping @Sendable () -> Void) -> ChangeWatch { feed.watch(wake) }
}
