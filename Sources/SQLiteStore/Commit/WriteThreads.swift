import GRDB
import MailStore

// Which message-ids belong to which thread. Written at the end: messages of one transaction may answer each other.

/// A message-id in an account.
struct AccountThreadKey: Hashable {
    var account: AccountID
    var key: ThreadKey
}

extension WriteTransaction {
    /// The thread that a message joins in an account, or begins there.
    func thread(of body: BodyID, _ keys: [ThreadKey], in account: AccountID) throws -> ThreadID {
        let (thread, new) = try ThreadID.of(body, keys) { try find($0, in: account) }
        for key in new { pending.threads[AccountThreadKey(account: account, key: key)] = thread }
        return thread
    }

    private func find(_ key: ThreadKey, in account: AccountID) throws -> ThreadID? {
        if let thread = pending.threads[AccountThreadKey(account: account, key: key)] { return thread }
        let select = try db.cachedStatement(sql: "SELECT thread FROM thread WHERE account = ? AND key = ?")
        return try Int64.fetchOne(select, arguments: [account.value, Int64(bitPattern: key.value)])
            .map { ThreadID($0) }
    }

    func flushThreads() throws {
        guard !pending.threads.isEmpty else { return }
        let insert = try db.cachedStatement(
            sql: "INSERT OR IGNORE INTO thread (account, key, thread) VALUES (?, ?, ?)")
        for (key, thread) in pending.threads {
            try insert.execute(arguments: [key.account.value, Int64(bitPattern: key.key.value), thread.value])
        }
    }
}
