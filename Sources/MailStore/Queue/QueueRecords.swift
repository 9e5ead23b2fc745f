package import MailVocabulary
package import SMTPSyntax

/// A message in the queue, for as long as one of its recipients waits. Never another's, also when it is gone.
package struct QueueID: Sendable, Hashable, Comparable {
    package let value: Int64
    package init(_ value: Int64) { self.value = value }
    package static func < (a: QueueID, b: QueueID) -> Bool { a.value < b.value }
}

package struct QueuedMessage: Sendable, Hashable {
    package var id: QueueID
    package var identifier: String
    package var envelope: SMTPEnvelope
    package var body: BodyID
    /// Octets.
    package var size: Int
    /// Nil for the server's own notices.
    package var submitter: AccountID?
    package var arrival: Timestamp
    /// Why it is held; nil when it is not.
    package var holdReason: String?

    package init(
        id: QueueID, identifier: String, envelope: SMTPEnvelope, body: BodyID, size: Int, submitter: AccountID?,
        arrival: Timestamp, holdReason: String? = nil
    ) {
        self.id = id
        self.identifier = identifier
        self.envelope = envelope
        self.body = body
        self.size = size
        self.submitter = submitter
        self.arrival = arrival
        self.holdReason = holdReason
    }
}

/// A recipient that waits, or of whom the sender is still to be told.
package struct QueuedRecipient: Sendable, Hashable {
    package enum State: Int, Sendable {
        case waiting
        /// Waits, and the sender has been told so.
        case delayed
        /// Waits, and the sender is to be told so.
        case owesDelay
        // The rest waits no longer, but its sender is to be told of it.
        case owesFailure
        /// Handed on to a system that tells of nothing.
        case owesRelay
        case owesDelivery
        /// An alias of several addresses, to which it goes on.
        case owesExpansion

        package var isWaiting: Bool {
            switch self {
            case .waiting, .delayed, .owesDelay: true
            case .owesFailure, .owesRelay, .owesDelivery, .owesExpansion: false
            }
        }

        package var owesNotice: Bool {
            switch self {
            case .waiting, .delayed: false
            case .owesDelay, .owesFailure, .owesRelay, .owesDelivery, .owesExpansion: true
            }
        }
    }

    /// Within the message: stays what it is.
    package var number: Int
    package var recipient: SMTPRecipient
    package var state: State
    /// Nil before the first attempt.
    package var last: AttemptRecord?

    package init(number: Int, recipient: SMTPRecipient, state: State = .waiting, last: AttemptRecord? = nil) {
        self.number = number
        self.recipient = recipient
        self.state = state
        self.last = last
    }
}

/// What was heard of a recipient when delivery was tried last.
package struct AttemptRecord: Sendable, Hashable {
    /// Octets of an answer that are kept: five lines of the longest that SMTP allows (RFC 5321 §4.5.3.1.5).
    package static let diagnosticLimit = 2560

    /// Seconds since 1970.
    package var time: Int64
    /// X.Y.Z (RFC 3463).
    package var status: String
    package var diagnostic: String
    package var remoteHost: String?
    package var security: String?

    package init(time: Int64, status: String, diagnostic: String, remoteHost: String? = nil, security: String? = nil) {
        self.time = time
        self.status = status
        self.diagnostic = String(decoding: diagnostic.utf8.prefix(Self.diagnosticLimit), as: UTF8.self)
        self.remoteHost = remoteHost
        self.security = security
    }
}

/// A message's waiting recipients at one destination.
package struct QueuedDelivery: Sendable, Hashable {
    package enum State: Sendable, Hashable {
        /// Until it is due.
        case waiting
        case ready
        case held
    }

    package var destination: String
    package var state: State
    /// Seconds since 1970: when it is, or was, to be tried.
    package var due: Int64
    /// Seconds since 1970: when it is to be looked at, tried or not.
    package var review: Int64
    /// So far.
    package var attempts: Int
    /// Seconds since 1970: nothing goes to the destination before; 0 when it could be reached, or was not tried.
    package var retry: Int64 = 0

    package init(destination: String, state: State, due: Int64, review: Int64, attempts: Int = 0) {
        self.destination = destination
        self.state = state
        self.due = due
        self.review = review
        self.attempts = attempts
    }
}

/// A message with all that is to become of it.
package struct QueuedMessageDetail: Sendable, Hashable {
    package var message: QueuedMessage
    /// By number.
    package var recipients: [QueuedRecipient]
    /// By destination.
    package var deliveries: [QueuedDelivery]

    package init(message: QueuedMessage, recipients: [QueuedRecipient], deliveries: [QueuedDelivery]) {
        self.message = message
        self.recipients = recipients
        self.deliveries = deliveries
    }
}

/// What an operator looks for. Nil is anything.
package struct QueueFilter: Sendable, Hashable {
    package var isHeld: Bool?
    package var destination: String?
    /// As in the envelope, without brackets and in any case; empty for the null reverse-path.
    package var sender: String?
    package var identifier: String?

    package init(
        isHeld: Bool? = nil, destination: String? = nil, sender: String? = nil, identifier: String? = nil
    ) {
        self.isHeld = isHeld
        self.destination = destination
        self.sender = sender
        self.identifier = identifier
    }
}

package struct QueueCounts: Sendable, Hashable {
    package var messages = 0
    package var held = 0
    package var recipients = 0
    /// Of messages; bodies that several share are counted for each.
    package var octets = 0
    /// Seconds since 1970: the arrival of the message that has waited longest.
    package var oldest: Int64?
    package var destinations = 0
    /// Destinations that could not be reached when they were tried last.
    package var failingDestinations = 0
    /// Deliveries that are due, and deliveries that wait for another attempt.
    package var ready = 0
    package var waiting = 0

    package init() {}
}
