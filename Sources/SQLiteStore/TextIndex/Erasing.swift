import GRDB
import MailStore
import MailVocabulary

// Expunged mail leaves traces in the index: which trigrams it had. They are taken out once a day, so that a pack is not
// written anew for every message that goes.

extension SQLiteStore {
    /// Forgets accounts and mailboxes that are no more, and, in accounts where it has not been done for long, bodies that
    /// no message has.
    func tidy(_ file: TextIndexFile, _ indexer: TextIndexer) async throws {
        let (accounts, mailboxes) = try await read { db in
            (
                try Int64.fetchSet(db, sql: "SELECT id FROM account"),
                try Int64.fetchSet(db, sql: "SELECT id FROM mailbox")
            )
        }
        let (known, marks) = try await indexer.pool.run { (try file.accounts(), try file.marks()) }
        try await indexer.pool.run { try file.removeMarks(marks.keys.filter { !mailboxes.contains($0) }) }
        var isChanged = false
        let now = Int64(now())
        for (account, erased) in known.sorted(by: { $0.key < $1.key }) {
            if !accounts.contains(account) {
                try await pacing(indexer) { try await indexer.pool.run { try file.removeAccount(account) } }
            } else if now - erased >= indexer.limits.erasing {
                try await erase(account, file, indexer)
                try await indexer.pool.run { try file.setErased(account, at: now) }
            } else {
                continue
            }
            isChanged = true
        }
        if isChanged { try await indexer.pool.run { try file.checkpoint() } }
    }

    private func erase(_ account: Int64, _ file: TextIndexFile, _ indexer: TextIndexer) async throws {
        // Whatever is indexed was there before: what comes from now on is indexed later.
        let alive = try await read { db in try RowReader.bodies(ofAccount: account, db) }
        try await pacing(indexer) { try await indexer.pool.run { try file.eraseLoose(of: account, except: alive) } }
        for pack in try await indexer.pool.run({ try file.packs(of: account) }) {
            try await pacing(indexer) {
                try await indexer.pool.run { try file.erase(pack, of: account, except: alive) }
            }
        }
    }
}

extension RowReader {
    /// Ascending.
    fileprivate static func bodies(ofAccount account: Int64, _ db: Database) throws -> [Int64] {
        var bodies: [Int64] = []
        let sql = "SELECT body FROM message WHERE mailbox IN (SELECT id FROM mailbox WHERE account = ?)"
        try db.forEachRecord(sql, [account]) { bodies.append($0.number(0)) }
        bodies.sort()
        return bodies
    }
}
