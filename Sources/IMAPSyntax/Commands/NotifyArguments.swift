/// `NOTIFY` (RFC 5465 §3.1).
package enum NotifyRequest: Sendable, Hashable {
    case none
    /// - Parameter status: whether STATUS is told at once of each mailbox whose messages are of interest.
    case set(status: Bool, [EventGroup])
}

/// What is to be told of some mailboxes (RFC 5465 §8).
package struct EventGroup: Sendable, Hashable {
    /// Never `subtreeOne`.
    package var mailboxes: MailboxFilter
    /// Empty for NONE.
    package var events: NotifyEvents
    /// What is to be told of new messages in the selected mailbox.
    package var newMessageItems: [FetchItem]

    package init(_ mailboxes: MailboxFilter, _ events: NotifyEvents, newMessageItems: [FetchItem] = []) {
        self.mailboxes = mailboxes
        self.events = events
        self.newMessageItems = newMessageItems
    }
}

/// RFC 5465 §5.
package struct NotifyEvents: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let messageNew = NotifyEvents(rawValue: 1)
    package static let messageExpunge = NotifyEvents(rawValue: 2)
    package static let flagChange = NotifyEvents(rawValue: 4)
    package static let mailboxName = NotifyEvents(rawValue: 8)
    package static let subscriptionChange = NotifyEvents(rawValue: 16)
    package static let mailboxMetadataChange = NotifyEvents(rawValue: 32)
    package static let serverMetadataChange = NotifyEvents(rawValue: 64)
    /// AnnotationChange, which is of no use without RFC 5257, and what extensions may bring.
    package static let unsupported = NotifyEvents(rawValue: 128)

    /// `message-event` in the grammar.
    package static let ofMessages: NotifyEvents = [.messageNew, .messageExpunge, .flagChange]

    /// All that are supported.
    package static let names: [(name: String, event: NotifyEvents)] = [
        ("MessageNew", .messageNew), ("MessageExpunge", .messageExpunge), ("FlagChange", .flagChange),
        ("MailboxName", .mailboxName), ("SubscriptionChange", .subscriptionChange),
        ("MailboxMetadataChange", .mailboxMetadataChange), ("ServerMetadataChange", .serverMetadataChange),
    ]
}
