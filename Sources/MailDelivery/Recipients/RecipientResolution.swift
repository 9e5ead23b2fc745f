package import MailStore
package import SMTPSyntax

/// Where mail for a recipient goes.
package enum Destination: Sendable, Hashable {
    case account(Account)
    case elsewhere(SMTPMailbox)
}

/// What became of looking a recipient up.
package enum RecipientResolution: Sendable, Equatable {
    /// Distinct, at least one.
    case accepted([Destination])
    case noSuchUser
    case disabled
    /// Its account has no room for the message, now or (`isPermanent`) whatever is deleted.
    case full(isPermanent: Bool)
    /// Its domain is not one of this server's.
    case notLocal
    /// Aliases that lead to themselves, too deep, or to too many.
    case badAlias
    case unavailable(reason: String)
}

/// What aliases may make of one recipient.
enum ExpansionLimits {
    /// Aliases behind each other: departments of departments, with room.
    static let depth = 10
    /// Destinations.
    static let destinations = 1_000
    /// Addresses looked up: bounds what many aliases of many bad targets cost.
    static let lookups = 4_000
}
