import GRDB
import MailStore
import MailVocabulary

// Quota roots: an account's limits, and what it holds, in the account's own row.

extension RowReader {
    /// Nil when there is no such account.
    static func quota(of account: AccountID, _ defaults: QuotaDefaults, _ db: Database) throws -> Quota? {
        let select = try db.cachedStatement(
            sql: "SELECT quota_storage, quota_messages, size, messages FROM account WHERE id = ?")
        return try Row.fetchOne(select, arguments: [account.value]).map { row in
            let limits = QuotaLimits(storage: QuotaLimit(try row.value(0)), messages: QuotaLimit(try row.value(1)))
            return Quota(
                limits, defaults, octets: UInt64(clamping: try row.value(2) as Int64),
                messages: UInt64(clamping: try row.value(3) as Int64))
        }
    }
}

extension QuotaLimit {
    fileprivate init(_ stored: Int64?) {
        switch stored {
        case nil: self = .standard
        case let limit? where limit >= 0: self = .limited(UInt64(limit))
        case _?: self = .unlimited
        }
    }

    fileprivate var stored: Int64? {
        switch self {
        case .standard: nil
        case .unlimited: -1
        case .limited(let limit): Int64(clamping: limit)
        }
    }
}

/// How a transaction moves what an account holds.
struct UsageChange: Sendable {
    var octets: Int64 = 0
    var messages: Int64 = 0

    init() {}

    /// What a mailbox holds.
    init(_ mailbox: Mailbox) {
        octets = Int64(clamping: mailbox.size)
        messages = Int64(mailbox.messageCount)
    }

    // Wrapping: a counter that was read may be damaged.
    static func + (a: UsageChange, b: UsageChange) -> UsageChange {
        var sum = a
        sum.octets &+= b.octets
        sum.messages &+= b.messages
        return sum
    }

    static func - (a: UsageChange, b: UsageChange) -> UsageChange {
        var difference = a
        difference.octets &-= b.octets
        difference.messages &-= b.messages
        return difference
    }
}

extension WriteTransaction {
    func setQuota(_ limits: QuotaLimits, of account: AccountID) throws {
        try require(account)
        pending.changedQuotas.insert(account)
        try execute(
            "UPDATE account SET quota_storage = ?, quota_messages = ? WHERE id = ?",
            [limits.storage.stored, limits.messages.stored, account.value])
    }

    func setAdministrator(_ isAdministrator: Bool, _ account: AccountID) throws {
        try require(account)
        try execute("UPDATE account SET administrator = ? WHERE id = ?", [isAdministrator, account.value])
        pending.changesAccounts = true
    }

    /// Throws `overQuota` when the account, with all that this transaction has added before, has no room for more.
    /// Returns whether it is near its limit then.
    func requireRoom(for items: [RowContent], in account: AccountID) throws -> Bool {
        guard var quota = try quota(of: account), quota.isLimited else { return false }
        quota.count(pending.usage[account] ?? UsageChange())
        return try quota.requireRoom(messages: items.count, octets: items.reduce(0) { $0 + UInt64($1.size) })
    }

    /// Before what this transaction adds.
    private func quota(of account: AccountID) throws -> Quota? {
        guard !pending.changedQuotas.contains(account) else {
            return try RowReader.quota(of: account, rules.quotaDefaults, db)
        }
        if let known = quotas[account] { return known }
        let quota = try RowReader.quota(of: account, rules.quotaDefaults, db)
        quotas[account] = quota
        return quota
    }

    func flushUsage() throws {
        for (account, change) in pending.usage where change.octets != 0 || change.messages != 0 {
            try write(
                "UPDATE account SET size = size + ?, messages = messages + ? WHERE id = ?",
                [change.octets, change.messages, account.value])
        }
    }
}
