import GRDB
import MailStore
import MailVocabulary

// A mailbox is gone with one commit, however large it was: it is struck off the list of mailboxes and put on that of the
// doomed. Its messages, and the bodies that nobody else refers to, go afterwards, some with each commit.

extension WriteTransaction {
    /// What is left when the mailbox is off the list. A small one goes at once.
    func purge(_ mailbox: MailboxID, messages: Int) throws {
        if messages <= rules.purgedAtOnce - pending.purged, try purgeSome(of: mailbox) { return }
        try execute("INSERT OR REPLACE INTO doomed (kind, id) VALUES ('mailbox', ?)", [mailbox.value])
    }

    /// The threads of an account that is gone.
    func purgeThreads(of account: AccountID) throws {
        try execute("INSERT OR REPLACE INTO doomed (kind, id) VALUES ('threads', ?)", [account.value])
    }

    /// True when nothing is left of it.
    private func purgeSome(of mailbox: MailboxID) throws -> Bool {
        let select = try db.cachedStatement(
            sql: "SELECT uid, body FROM message WHERE mailbox = ? ORDER BY uid LIMIT ?")
        let limit = rules.purgedAtOnce
        var (last, bodies) = (Int64(0), [BodyID]())
        let cursor = try Row.fetchCursor(select, arguments: [mailbox.value, limit])
        while let row = try cursor.next() {
            last = try row.value(0)
            bodies.append(BodyID(try row.value(1)))
        }
        try release(bodies)
        try execute("DELETE FROM message WHERE mailbox = ? AND uid <= ?", [mailbox.value, last])
        pending.purged += bodies.count
        return bodies.count < limit
    }

    private func purgeSomeThreads(of account: Int64) throws -> Bool {
        try execute(
            """
            DELETE FROM thread WHERE account = ?
            AND key IN (SELECT key FROM thread WHERE account = ? LIMIT \(rules.purgedAtOnce))
            """, [account, account])
        return db.changesCount < rules.purgedAtOnce
    }

    /// Some of what is doomed; false when nothing is.
    func purgeSome() throws -> Bool {
        let select = try db.cachedStatement(sql: "SELECT kind, id FROM doomed LIMIT 1")
        guard let row = try Row.fetchOne(select) else { return false }
        let (kind, id) = (try row.value(0) as String, try row.value(1) as Int64)
        let isDone = try kind == "mailbox" ? purgeSome(of: MailboxID(id)) : purgeSomeThreads(of: id)
        if isDone { try execute("DELETE FROM doomed WHERE kind = ? AND id = ?", [kind, id]) }
        return true
    }
}

extension SQLiteStore {
    /// Until nothing is doomed. One at a time: whoever comes second has nothing to do.
    func startPurging() {
        upkeep.startPurging { [committer, log] in
            do {
                while try await committer.commit({ transaction, _ in try transaction.purgeSome() }) {
                    try Task.checkCancellation()
                    // Others are served in between.
                    await Task.yield()
                }
            } catch is CancellationError {
            } catch {
                log("removing deleted mailboxes: \(StoreError(anyError: error))")
            }
        }
    }
}
