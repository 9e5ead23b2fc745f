/// What a transaction says of a message as a whole, and every hop hands on.
package struct SMTPEnvelope: Sendable, Hashable {
    package var reversePath: ReversePath
    /// Needs SMTPUTF8 on the next hop (RFC 6531).
    package var isInternationalized = false
    /// As declared; nil is 7BIT or not said.
    package var body: MailCommand.Body?
    /// ENVID, decoded from xtext (RFC 3461 §4.4).
    package var identifier: String?
    /// RET (RFC 3461 §4.3).
    package var returned: ReturnedContent?
    /// REQUIRETLS (RFC 8689): never to a hop without verified TLS that promises the same.
    package var requiresTLS = false
    /// MT-PRIORITY, -9 to 9 (RFC 6710); 0 when not said.
    package var priority = 0
    /// BY (RFC 2852).
    package var deadline: DeliveryDeadline?

    package init(reversePath: ReversePath) { self.reversePath = reversePath }
}

package enum ReturnedContent: String, Sendable, Hashable {
    case full = "FULL"
    case headers = "HDRS"
}

/// `BY` (RFC 2852 §4), made absolute on arrival.
package struct DeliveryDeadline: Sendable, Hashable {
    package enum Mode: String, Sendable, Hashable {
        /// Undelivered by then: it goes back.
        case returned = "R"
        /// Undelivered by then: the sender is told, and it goes on.
        case notified = "N"
    }

    /// Seconds since 1970.
    package var time: Int64
    package var mode: Mode
    /// Each hop that takes it up is told of (`T`).
    package var isTraced: Bool

    package init(time: Int64, mode: Mode, isTraced: Bool = false) {
        (self.time, self.mode, self.isTraced) = (time, mode, isTraced)
    }
}

/// One recipient of a transaction.
package struct SMTPRecipient: Sendable, Hashable {
    package var mailbox: SMTPMailbox
    /// ORCPT with its address type, decoded from xtext: `rfc822;user@example.net` (RFC 3461 §4.2).
    package var original: String?
    /// NOTIFY; nil when it was not said: failures, and delays if the server likes (RFC 3461 §4.1).
    package var notifications: NotificationConditions?

    package init(mailbox: SMTPMailbox, original: String? = nil, notifications: NotificationConditions? = nil) {
        (self.mailbox, self.original, self.notifications) = (mailbox, original, notifications)
    }
}

/// When the sender wants to be told (RFC 3461 §4.1). Empty is NEVER.
package struct NotificationConditions: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let success = NotificationConditions(rawValue: 1)
    package static let failure = NotificationConditions(rawValue: 2)
    package static let delay = NotificationConditions(rawValue: 4)
}
