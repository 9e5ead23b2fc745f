import MailStore
import MailVocabulary
import Synchronization

extension WriteTransaction {
    /// Binds the numbers in order, then the octets, and runs to the end. The statement returns no rows.
    func write(_ sql: String, _ numbers: [Int64], _ octets: [UInt8]? = nil) throws {
        guard let octets else { return try db.write(sql, numbers) }
        try octets.withUnsafeBytes { try db.write(sql, numbers, $0) }
    }
}

/// What accounts may hold and do hold, as last committed: asked for each recipient and each message that comes.
/// Changed on the committer's queue only, so that it never falls behind a commit; read by anyone.
final class QuotaBook: Sendable {
    /// Accounts; then it is begun anew.
    private static let limit = 10_000
    private let quotas = Mutex<[AccountID: Quota]>([:])

    subscript(account: AccountID) -> Quota? {
        get { quotas.withLock { $0[account] } }
        set {
            quotas.withLock { quotas in
                if quotas.count >= Self.limit { quotas.removeAll() }
                quotas[account] = newValue
            }
        }
    }

    /// After a commit.
    func take(_ usage: [AccountID: UsageChange], changed: Set<AccountID>) {
        guard !usage.isEmpty || !changed.isEmpty else { return }
        quotas.withLock { quotas in
            for (account, change) in usage { quotas[account]?.count(change) }
            for account in changed { quotas[account] = nil }
        }
    }
}

extension Quota {
    mutating func count(_ change: UsageChange) {
        storage.usage = UInt64(clamping: Int64(clamping: storage.usage) &+ change.octets)
        messages.usage = UInt64(clamping: Int64(clamping: messages.usage) &+ change.messages)
    }
}
