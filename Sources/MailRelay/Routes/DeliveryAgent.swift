package import MailStore
package import SMTPSyntax

/// A queued message and those of its recipients that are due at one destination.
package struct OutgoingMessage: Sendable {
    package var id: QueueID
    package var identifier: String
    package var envelope: SMTPEnvelope
    package var body: BodyID
    /// Octets.
    package var size: Int
    /// Distinct, at least one, all at the destination.
    package var recipients: [SMTPRecipient]
    /// Seconds since 1970.
    package var arrival: Int64

    package init(
        id: QueueID, identifier: String, envelope: SMTPEnvelope, body: BodyID, size: Int, recipients: [SMTPRecipient],
        arrival: Int64
    ) {
        self.id = id
        self.identifier = identifier
        self.envelope = envelope
        self.body = body
        self.size = size
        self.recipients = recipients
        self.arrival = arrival
    }
}

/// What became of one recipient in one attempt.
package struct RecipientOutcome: Sendable, Hashable {
    package enum Result: Sendable, Hashable {
        /// The next hop has it. `keepsPromises`: it will send the notices that were asked for (DSN, RFC 3461 §5.2.1).
        case relayed(keepsPromises: Bool)
        /// In a mailbox: an LMTP server's, or one of this server's own.
        case delivered
        case deferred
        case failed
    }

    package var result: Result
    /// X.Y.Z (RFC 3463); made up from the reply's code where the peer gave none.
    package var status: String
    /// The peer's reply, `550 5.1.1 no such user`, or this server's own words; for the notice and the log.
    package var diagnostic: String
    /// The peer's host name, nil when none was reached.
    package var remoteHost: String?
    /// It says nothing of the message or the recipient: no host of the destination could be reached, or wanted to talk.
    /// Other mail there waits too.
    package var concernsDestination = false
    /// Of what was relayed: the next hop knows of the sender's time limit (BY, RFC 2852), if there is one.
    package var takesUpDeadline = true
    /// What the connection's TLS was, for the log: `TLSv1.3 TLS_AES_128_GCM_SHA256 dane`; nil without.
    package var security: String?

    package init(
        _ result: Result, status: String, diagnostic: String, remoteHost: String? = nil,
        concernsDestination: Bool = false, security: String? = nil
    ) {
        self.result = result
        self.status = status
        self.diagnostic = diagnostic
        self.remoteHost = remoteHost
        self.concernsDestination = concernsDestination
        self.security = security
    }
}

/// Takes mail to its next hop. Connections are its own matter: it reuses them and bounds their number.
package protocol DeliveryAgent: Sendable {
    /// One outcome for each recipient, in their order. Never waits for longer than the protocol's timeouts.
    ///
    /// - Parameter destination: a domain in lower case, in A-labels or U-labels as the sender wrote it, or an address
    ///   literal with its brackets: what recipients that can share a transaction have in common.
    func deliver(_ message: OutgoingMessage, to destination: String) async -> [RecipientOutcome]
}
