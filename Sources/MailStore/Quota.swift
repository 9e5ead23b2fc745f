// What an account may hold (RFC 9208): one quota root for each account, with octets and messages.

/// A limit as it is set for an account.
package enum QuotaLimit: Sendable, Hashable {
    /// Whatever the operator gives everyone.
    case standard
    case unlimited
    case limited(UInt64)

    /// Nil for no limit.
    package func effective(_ standard: UInt64?) -> UInt64? {
        switch self {
        case .standard: standard
        case .unlimited: nil
        case .limited(let limit): limit
        }
    }
}

package struct QuotaLimits: Sendable, Hashable {
    /// Octets.
    package var storage: QuotaLimit
    package var messages: QuotaLimit

    package init(storage: QuotaLimit = .standard, messages: QuotaLimit = .standard) {
        self.storage = storage
        self.messages = messages
    }
}

/// What accounts get that have no limits of their own; nil for no limit.
package struct QuotaDefaults: Sendable, Hashable {
    /// Octets.
    package var storage: UInt64?
    package var messages: UInt64?

    package init(storage: UInt64? = nil, messages: UInt64? = nil) {
        self.storage = storage
        self.messages = messages
    }
}

/// An account's limits as they are in effect, and what it holds. A message counts with all its octets in every mailbox
/// that it is in.
package struct Quota: Sendable, Hashable {
    package struct Resource: Sendable, Hashable {
        package var usage: UInt64
        /// Nil for none.
        package var limit: UInt64?

        package init(usage: UInt64, limit: UInt64?) {
            self.usage = usage
            self.limit = limit
        }

        func hasRoom(for addition: UInt64) -> Bool {
            guard let limit else { return true }
            let (sum, overflow) = usage.addingReportingOverflow(addition)
            return !overflow && sum <= limit
        }

        /// The soft limit: nine tenths.
        func isNear(with addition: UInt64) -> Bool { limit.map { usage + addition > $0 / 10 * 9 + $0 % 10 } ?? false }
    }

    /// Octets.
    package var storage: Resource
    package var messages: Resource

    package init(_ limits: QuotaLimits, _ defaults: QuotaDefaults, octets: UInt64, messages count: UInt64) {
        storage = Resource(usage: octets, limit: limits.storage.effective(defaults.storage))
        messages = Resource(usage: count, limit: limits.messages.effective(defaults.messages))
    }

    package var isLimited: Bool { storage.limit != nil || messages.limit != nil }

    package func hasRoom(messages count: Int, octets: UInt64) -> Bool {
        storage.hasRoom(for: octets) && messages.hasRoom(for: UInt64(max(0, count)))
    }

    /// Whether one message would have room if there were no other.
    package func canEverHold(octets: UInt64) -> Bool {
        storage.limit ?? .max >= octets && messages.limit ?? .max >= 1
    }

    /// Throws `overQuota`.
    ///
    /// - Returns: whether an addition brings the account near its limit, which people should be told.
    package func requireRoom(messages count: Int, octets: UInt64) throws(StoreError) -> Bool {
        guard count > 0 else { return false }
        guard hasRoom(messages: count, octets: octets) else { throw .overQuota }
        return storage.isNear(with: octets) || messages.isNear(with: UInt64(count))
    }
}
