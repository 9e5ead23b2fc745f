/// Where mail that is not for this server's own accounts goes.
package struct RelayConfiguration: Sendable, Equatable {
    package enum Mode: String, Sendable, CaseIterable {
        /// Nowhere: it is refused.
        case none
        /// To the mail exchangers of its domains.
        case direct
        /// To one server, that takes it on.
        case smarthost
    }

    package enum Security: String, Sendable, CaseIterable {
        case implicit, starttls
    }

    package var mode = Mode.none
    package var smarthost: Endpoint?
    package var smarthostSecurity = Security.implicit
    package var username: String?
    package var passwordFile: String?
    package var passwordCommand: String?
    /// Domains with a way of their own: `example.org=lmtp:/run/lmtp`, `example.net=smtp:192.0.2.1:25`.
    package var transports: [String] = []
    /// Where mail exchangers are spoken to.
    package var port = 25
    package var maximumConnections = 100
    package var maximumConnectionsPerDestination = 4
    /// Where MTA-STS policies are fetched.
    package var policyPort = 443
    package var reportsTLS = false
    package var tlsReportContact: String?

    package init() {}
}

/// How long mail waits, and how often it is tried.
package struct QueueConfiguration: Sendable, Equatable {
    package var expiry = Duration.seconds(5 * 86_400)
    package var delayNotice = Duration.seconds(4 * 3600)
    package var firstRetry = Duration.seconds(60)
    package var longestRetry = Duration.seconds(2 * 3600)
    package var tellsPostmaster = true

    package init() {}
}

/// How names are looked up.
package struct DNSConfiguration: Sendable, Equatable {
    /// Empty: this server asks the authoritative servers itself.
    package var forwarders: [Endpoint] = []
    /// Nil: the root's, that comes with the server.
    package var trustAnchorFile: String?

    package init() {}
}

/// What looks at mail before it is taken in.
package struct FilterConfiguration: Sendable, Equatable {
    package enum Failure: String, Sendable, CaseIterable {
        case tempfail, reject
    }

    package var milters: [String] = []
    package var failure = Failure.tempfail
    package var timeout = Duration.seconds(60)
    /// A field that says so sends a message to Junk: `X-Spam-Flag: YES`.
    package var spamFields = ["X-Spam-Flag: YES", "X-Spam: Yes", "X-Spam-Status: Yes"]

    package init() {}
}

/// Where mail comes in from a server for inbound mail (RFC 2033).
package struct LMTPConfiguration: Sendable, Equatable {
    package var socket: String?
    /// Permission bits of the socket.
    package var socketMode = 0o660
    /// Names or numbers; nil for the server's own.
    package var socketOwner: String?
    package var socketGroup: String?
    /// Loopback addresses alone.
    package var loopback: [Endpoint] = []

    package init() {}
}

/// What submission does with users' mail (RFC 6409 §6, §8).
package struct SubmissionConfiguration: Sendable, Equatable {
    package var addsDate = true
    package var addsMessageID = true
    package var addsSender = true
    package var removesBcc = true
    package var hidesClient = false
    package var keepsSentCopy = false
    /// Between user and detail; nil: there are no details.
    package var detailSeparator: String? = "+"
    package var recipientsPerMessage = 1000
    package var messagesPerHour: Int? = 1000
    package var messagesPerDay: Int?
    package var recipientsPerHour: Int?
    package var recipientsPerDay: Int? = 10_000
    package var longestHold = Duration.seconds(30 * 86_400)
    /// The least that `BY` may ask for (RFC 2852).
    package var shortestDeliverBy = Duration.seconds(60)
    /// Above it, what users ask for counts as this (RFC 6710).
    package var highestPriority = 4

    package init() {}
}
