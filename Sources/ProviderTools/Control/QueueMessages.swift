import MailRelay
import MailStore
import MailVocabulary
import SMTPSyntax

/// What an operator asks about the queue.
package enum QueueRequest: Codable, Sendable, Equatable {
    case status
    case list(QueueSelection)
    case change(QueueSelection, QueueAction)
}

package enum QueueReply: Codable, Sendable, Equatable {
    case status(QueueStatusRecord)
    /// A part of the list.
    case messages([QueuedMessageRecord])
    /// So many messages were changed.
    case changed(Int)
}

/// Which messages: all that every condition given holds for.
package struct QueueSelection: Codable, Sendable, Equatable {
    /// By number, or by the name that logs and trace fields have; empty for any.
    package var messages: [String] = []
    package var isHeld: Bool?
    package var destination: String?
    /// Empty for notices, which have none.
    package var sender: String?

    package init() {}

    package var isEverything: Bool { self == QueueSelection() }
}

package enum QueueAction: Codable, Sendable, Equatable {
    case retry
    case hold(reason: String)
    case release
    case drop
    /// Takes it out, and tells its sender why.
    case giveBack(reason: String)
}

package struct QueuedMessageRecord: Codable, Sendable, Equatable {
    package struct Recipient: Codable, Sendable, Equatable {
        package enum State: String, Codable, Sendable {
            /// To be tried now, or as soon as there is room.
            case due
            case waiting, held
            /// Settled; the sender is being told.
            case failed, relayed, delivered
        }

        package var address: String
        package var destination: String
        package var state: State
        package var attempts: Int
        /// Seconds since 1970; nil when it is held, or settled.
        package var nextAttempt: Int64?
        /// Seconds since 1970; nil before the first.
        package var lastAttempt: Int64?
        package var status: String?
        /// What was heard last.
        package var diagnostic: String?
        package var remoteHost: String?
        package var security: String?
    }

    package var number: Int64
    package var name: String
    package var sender: String
    /// Seconds since 1970.
    package var arrival: Int64
    /// Octets.
    package var size: Int
    package var priority: Int
    package var requiresTLS: Bool
    package var holdReason: String?
    package var recipients: [Recipient]

    init(_ detail: QueuedMessageDetail) {
        let message = detail.message
        number = message.id.value
        name = message.identifier
        sender = message.envelope.sender
        arrival = message.arrival.seconds
        size = message.size
        priority = message.envelope.priority
        requiresTLS = message.envelope.requiresTLS
        holdReason = message.holdReason
        recipients = detail.recipients.map { recipient in
            let destination = recipient.recipient.mailbox.destination
            return Recipient(recipient, detail.deliveries.first { $0.destination == destination })
        }
    }
}

extension QueuedMessageRecord.Recipient {
    fileprivate init(_ queued: QueuedRecipient, _ delivery: QueuedDelivery?) {
        address = queued.recipient.mailbox.description
        destination = queued.recipient.mailbox.destination
        attempts = delivery?.attempts ?? 0
        lastAttempt = queued.last?.time
        status = queued.last?.status
        diagnostic = queued.last?.diagnostic
        remoteHost = queued.last?.remoteHost
        security = queued.last?.security
        state = Self.state(queued, delivery)
        if let delivery, state == .due || state == .waiting { nextAttempt = max(delivery.due, delivery.retry) }
    }

    private static func state(_ queued: QueuedRecipient, _ delivery: QueuedDelivery?) -> State {
        switch queued.state {
        case .owesFailure: .failed
        case .owesRelay, .owesExpansion: .relayed
        case .owesDelivery: .delivered
        case .waiting, .delayed, .owesDelay:
            switch delivery?.state {
            case .held: .held
            case .ready where delivery?.retry == 0: .due
            case .ready, .waiting, nil: .waiting
            }
        }
    }
}

package struct QueueStatusRecord: Codable, Sendable, Equatable {
    package var messages: Int
    package var held: Int
    package var recipients: Int
    package var octets: Int
    /// Seconds since 1970.
    package var oldestArrival: Int64?
    package var destinations: Int
    package var unreachableDestinations: Int
    package var deliveriesDue: Int
    package var deliveriesWaiting: Int
    /// Of the running server; nil when none runs.
    package var activity: Activity?

    /// Since the server's start.
    package struct Activity: Codable, Sendable, Equatable {
        package var inProgress: Int
        package var attempts: UInt64
        package var unreachable: UInt64
        package var relayed: UInt64
        package var delivered: UInt64
        package var deferred: UInt64
        package var failed: UInt64
        package var expired: UInt64
        package var failureNotices: UInt64
        package var delayNotices: UInt64
        package var successNotices: UInt64
    }

    init(_ counts: QueueCounts, _ snapshot: QueueSnapshot?) {
        (messages, held, recipients) = (counts.messages, counts.held, counts.recipients)
        (octets, oldestArrival) = (counts.octets, counts.oldest)
        (destinations, unreachableDestinations) = (counts.destinations, counts.failingDestinations)
        (deliveriesDue, deliveriesWaiting) = (counts.ready, counts.waiting)
        activity = snapshot.map { snapshot in
            let done = snapshot.activity
            return Activity(
                inProgress: snapshot.inFlight, attempts: done.attempts, unreachable: done.unreachable,
                relayed: done.relayed, delivered: done.delivered, deferred: done.deferred, failed: done.failed,
                expired: done.expired, failureNotices: done.failureNotices, delayNotices: done.delayNotices,
                successNotices: done.successNotices)
        }
    }
}

extension QueueRequest {
    /// For the log.
    var name: String {
        switch self {
        case .status: "queue status"
        case .list: "queue list"
        case .change(_, .retry): "queue retry"
        case .change(_, .hold): "queue hold"
        case .change(_, .release): "queue release"
        case .change(_, .drop): "queue drop"
        case .change(_, .giveBack): "queue return"
        }
    }
}
