import GRDB
import GRDBSQLite
import MailStore
import MailVocabulary

// Statements that every message costs, bound and stepped by SQLite's own functions: boxing arguments took longer than
// writing the row.

extension WriteTransaction {
    /// Binds the numbers in order, then the octets, and runs to the end. The statement returns no rows.
    func write(_ sql: String, _ numbers: [Int64], _ octets: [UInt8]? = nil) throws {
        let statement = try db.cachedStatement(sql: sql).sqliteStatement
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, number) in numbers.enumerated() { sqlite3_bind_int64(statement, Int32(index + 1), number) }
        guard let octets else { return try step(statement) }
        try octets.withUnsafeBytes { bytes in
            let place = Int32(numbers.count + 1)
            // They stay where they are until the statement has run; no octets are an empty blob, not NULL.
            if let start = bytes.baseAddress, !bytes.isEmpty {
                sqlite3_bind_blob64(statement, place, start, UInt64(bytes.count), nil)
            } else {
                sqlite3_bind_zeroblob(statement, place, 0)
            }
            try step(statement)
        }
    }

    private func step(_ statement: OpaquePointer) throws {
        let code = sqlite3_step(statement)
        guard code != SQLITE_DONE else { return }
        let connection = sqlite3_db_handle(statement)
        throw DatabaseError(
            resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
            message: sqlite3_errmsg(connection).map { String(cString: $0) })
    }
}

/// What accounts may hold and do hold, as last committed: asked for each message that comes.
/// Used on the committer's queue only.
final class QuotaBook {
    /// Accounts; then it is begun anew.
    private static let limit = 10_000
    private var quotas: [AccountID: Quota] = [:]

    subscript(account: AccountID) -> Quota? {
        get { quotas[account] }
        set {
            if quotas.count >= Self.limit { quotas.removeAll() }
            quotas[account] = newValue
        }
    }

    /// After a commit.
    func take(_ usage: [AccountID: UsageChange], changed: Set<AccountID>) {
        for (account, change) in usage { quotas[account]?.count(change) }
        for account in changed { quotas[account] = nil }
    }
}

extension Quota {
    mutating func count(_ change: UsageChange) {
        storage.usage = UInt64(clamping: Int64(clamping: storage.usage) &+ change.octets)
        messages.usage = UInt64(clamping: Int64(clamping: messages.usage) &+ change.messages)
    }
}
