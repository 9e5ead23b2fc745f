import SMTPSyntax

/// How much may be tried now.
package struct DeliveryQuery: Sendable {
    /// Seconds since 1970.
    package var now: Int64
    /// Deliveries wanted.
    package var limit: Int
    /// Deliveries at a time to one destination; one that could not be reached last time gets one at a time.
    package var perDestination: Int
    /// Deliveries in progress, by destination.
    package var inFlight: [String: Set<QueueID>]

    package init(now: Int64, limit: Int, perDestination: Int, inFlight: [String: Set<QueueID>] = [:]) {
        self.now = now
        self.limit = limit
        self.perDestination = perDestination
        self.inFlight = inFlight
    }

    /// How many more may go to a destination that failed so often in a row.
    package func allowance(_ destination: String, failures: Int) -> Int {
        (failures > 0 ? 1 : perDestination) - (inFlight[destination]?.count ?? 0)
    }
}

/// A delivery, and what it takes.
package struct DueDelivery: Sendable, Hashable {
    package var message: QueuedMessage
    package var delivery: QueuedDelivery
    /// Those at the destination that wait.
    package var recipients: [QueuedRecipient]
    /// How often in a row the destination could not be reached.
    package var failures: Int

    package init(message: QueuedMessage, delivery: QueuedDelivery, recipients: [QueuedRecipient], failures: Int) {
        self.message = message
        self.delivery = delivery
        self.recipients = recipients
        self.failures = failures
    }
}

/// What became of a message's recipients.
package struct QueueSettlement: Sendable {
    package enum Change: Sendable, Hashable {
        /// As it was.
        case stays
        /// Waits no longer, and nobody is to be told.
        case finished
        /// The sender is to be told; a recipient that was owed to be told of a delay, or has been, is not again.
        case owes(QueuedRecipient.State)
        /// The sender was owed to be told of this, and is told by the mail that is taken in.
        case told(QueuedRecipient.State)
    }

    package struct Recipient: Sendable {
        package var number: Int
        package var change: Change
        /// Nil: nothing more was heard.
        package var last: AttemptRecord?

        package init(_ number: Int, _ change: Change, last: AttemptRecord? = nil) {
            self.number = number
            self.change = change
            self.last = last
        }
    }

    /// Of those recipients at a destination that wait on.
    package struct Delivery: Sendable {
        package var destination: String
        /// Seconds since 1970; nil: as it was, for a destination that makes all wait.
        package var due: Int64?
        package var review: Int64
        package var isAttempt: Bool

        package init(_ destination: String, due: Int64?, review: Int64, isAttempt: Bool) {
            self.destination = destination
            self.due = due
            self.review = review
            self.isAttempt = isAttempt
        }
    }

    package struct Destination: Sendable {
        package var name: String
        /// Times in a row that it could not be reached.
        package var failures: Int
        /// Seconds since 1970: nothing goes there before; 0 for now.
        package var retry: Int64

        package init(_ name: String, failures: Int, retry: Int64) {
            self.name = name
            self.failures = failures
            self.retry = retry
        }
    }

    package var message: QueueID
    package var recipients: [Recipient]
    package var delivery: Delivery?
    package var destination: Destination?

    package init(
        message: QueueID, recipients: [Recipient], delivery: Delivery? = nil, destination: Destination? = nil
    ) {
        self.message = message
        self.recipients = recipients
        self.delivery = delivery
        self.destination = destination
    }
}

/// What an operator does to messages.
package enum QueueChange: Sendable, Hashable {
    /// Nothing of it is tried, nor does it expire.
    case hold(reason: String)
    /// It goes on; what is overdue is not looked at for an hour after `now`, so that it is tried once more.
    case release(now: Int64)
    /// It is due now, and so is all at its destinations. Not what is held.
    case retry(now: Int64)
    /// It goes, and nobody is told.
    case drop
}

extension QueuedRecipient.State {
    /// What it becomes; nil when the recipient goes. The state itself when nothing changes.
    package func after(_ change: QueueSettlement.Change) -> QueuedRecipient.State? {
        switch change {
        case .stays: self
        case .finished: nil
        case .owes(.owesDelay): self == .waiting ? .owesDelay : self
        case .owes(let state): state
        case .told(.owesDelay): .delayed
        case .told: nil
        }
    }
}
