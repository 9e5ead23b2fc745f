package import MailStore

/// The queue at one moment, and what was done since the start: for whoever exports it.
package struct QueueSnapshot: Sendable, Hashable {
    package var counts: QueueCounts
    /// Deliveries in progress.
    package var inFlight: Int
    package var activity: QueueActivity

    package init(counts: QueueCounts, inFlight: Int, activity: QueueActivity) {
        self.counts = counts
        self.inFlight = inFlight
        self.activity = activity
    }
}

/// Since the start.
package struct QueueActivity: Sendable, Hashable {
    /// Deliveries tried.
    package var attempts: UInt64 = 0
    /// Attempts in which the destination could not be reached.
    package var unreachable: UInt64 = 0
    // Recipients.
    package var relayed: UInt64 = 0
    package var delivered: UInt64 = 0
    package var deferred: UInt64 = 0
    package var failed: UInt64 = 0
    package var expired: UInt64 = 0
    // Notices.
    package var failureNotices: UInt64 = 0
    package var delayNotices: UInt64 = 0
    package var successNotices: UInt64 = 0

    package init() {}
}
