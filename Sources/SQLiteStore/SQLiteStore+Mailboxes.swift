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
        let found = try await read { [cache] db in
            let select = try db.cachedStatement(sql: SQLiteStore.listing + " AND mailbox.name = ?")
            return try Row.fetchOne(select, arguments: [account.value, name.text]).map { row in
                SQLiteStore.withRecent(try RowReader.mailbox(row, isSubscribed: row.value(14)), cache)
            }
        }
        // The same text may be written with other octets (composed or not).
        guard found == nil, !name.text.utf8.allSatisfy({ $0 < 0x80 }) else { return found }
        return try await mailboxes(of: account).first { $0.name == name }
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
        try await committer.commit { transaction, _ in try transaction.deleteMailbox(name, of: account) }
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

    package func observe(_ mailbox: MailboxID, _ onChange: @escaping @Sendable () -> Void) -> Observation {
        feed.observe(mailbox, onChange)
    }

    package func observe(_ account: AccountID, _ onChange: @escaping @Sendable () -> Void) -> Observation {
        feed.observe(account, onChange)
    }
}
