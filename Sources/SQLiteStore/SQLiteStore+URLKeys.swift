import Foundation
import GRDB
package import MailStore
package import MailVocabulary

// Keys that URLs are authorised with (RFC 4467).

extension SQLiteStore {
    package func urlKey(of mailbox: MailboxID) async throws -> Secret? {
        try await read { db in try URLKeys.key(of: mailbox, db) }
    }

    package func urlKey(of mailbox: MailboxID, orNew new: Secret) async throws -> Secret {
        if let key = try await urlKey(of: mailbox) { return key }
        return try await committer.commit { transaction, _ in
            _ = try transaction.draft(mailbox)
            if let key = try URLKeys.key(of: mailbox, transaction.db) { return key }
            let octets = new.withBytes { bytes in bytes.withUnsafeBufferPointer { Data($0) } }
            try transaction.execute("INSERT INTO url_key (mailbox, key) VALUES (?, ?)", [mailbox.value, octets])
            return new
        }
    }

    package func resetURLKeys(of mailboxes: [MailboxID]) async throws {
        try await committer.commit { transaction, _ in
            for mailbox in mailboxes {
                try transaction.execute("DELETE FROM url_key WHERE mailbox = ?", [mailbox.value])
            }
        }
    }
}

private enum URLKeys {
    static func key(of mailbox: MailboxID, _ db: Database) throws -> Secret? {
        let select = try db.cachedStatement(sql: "SELECT key FROM url_key WHERE mailbox = ?")
        return try Data.fetchOne(select, arguments: [mailbox.value]).map { Secret($0) }
    }
}
