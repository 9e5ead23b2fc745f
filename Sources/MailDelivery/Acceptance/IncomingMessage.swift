package import MailStore
package import MailVocabulary
package import SMTPSyntax

/// A recipient that was accepted, and where its mail goes.
package struct AcceptedRecipient: Sendable {
    package var recipient: SMTPRecipient
    package var destinations: [Destination]

    package init(_ recipient: SMTPRecipient, _ destinations: [Destination]) {
        self.recipient = recipient
        self.destinations = destinations
    }
}

/// A message that has come in whole.
package struct IncomingMessage: Sendable {
    /// The message with this server's `Received`, as the next hop is to get it; after `Return-Path` when
    /// `hasReturnPath`.
    package var writer: any BodyWriter
    /// Only where `Acceptance.wantsReturnPath` says so.
    package var hasReturnPath = false
    /// Unique on this server: letters, digits and "-".
    package var identifier: String
    package var arrival: Timestamp
    package var envelope: SMTPEnvelope
    package var recipients: [AcceptedRecipient]
    /// Whose message it is; nil for what comes by LMTP or is this server's own.
    package var submitter: Account?
    /// Seconds since 1970; nil for at once.
    package var notBefore: Int64?
    package var filters: FilterRun?
    /// Spam marks in the header are somebody's who may judge: a filter's, or an MTA's that hands it over.
    package var hasJudgedHeader = false
    /// Each recipient may fail alone (LMTP).
    package var isPerRecipient = false

    package init(
        writer: any BodyWriter, identifier: String, arrival: Timestamp, envelope: SMTPEnvelope,
        recipients: [AcceptedRecipient], submitter: Account? = nil
    ) {
        self.writer = writer
        self.identifier = identifier
        self.arrival = arrival
        self.envelope = envelope
        self.recipients = recipients
        self.submitter = submitter
    }
}

/// Why nothing was taken in; the client may try again.
package enum DeliveryFailure: Error, Sendable, Equatable {
    case noSpace
    /// A recipient's account has no room.
    case overQuota
    /// The user has sent as much as is allowed for now.
    case tooMuch(SubmissionRates.Excess)
    /// The reason is for the log.
    case unavailable(reason: String)

    package init(_ error: any Error) {
        self =
            switch error {
            case StoreError.noSpace: .noSpace
            case StoreError.overQuota: .overQuota
            case let error as DeliveryFailure: error
            case _: .unavailable(reason: "\(error)")
            }
    }
}

/// What became of a message.
package enum AcceptanceResult: Sendable, Equatable {
    /// It is durable. Failures by the recipient's place in `recipients`: only where each may fail alone.
    case taken(failures: [Int: DeliveryFailure])
    /// A filter took it and dropped it.
    case discarded
    /// By a filter.
    case refused(SMTPReply)
    case failed(DeliveryFailure)
}

/// A message that this server wrote: a notice, a report.
package struct OwnMessage: Sendable {
    package var envelope: SMTPEnvelope
    package var recipients: [SMTPRecipient]
    /// Complete: fields, blank line, body; lines end with CRLF.
    package var content: [UInt8]

    package init(envelope: SMTPEnvelope, recipients: [SMTPRecipient], content: [UInt8]) {
        self.envelope = envelope
        self.recipients = recipients
        self.content = content
    }
}

extension IncomingMessage {
    /// Another sender, with the parameters that a filter gave with it. What it did not give stays; nor does it take back
    /// that TLS is required, or say of the octets what they are not.
    mutating func take(_ sender: MailCommand, canWait: Bool) {
        envelope.reversePath = sender.reversePath
        if sender.isInternationalized { envelope.isInternationalized = true }
        if sender.requiresTLS { envelope.requiresTLS = true }
        envelope.identifier = sender.identifier ?? envelope.identifier
        envelope.returned = sender.returned ?? envelope.returned
        envelope.priority = sender.priority ?? envelope.priority
        envelope.deadline = sender.deliverBy?.deadline(from: arrival.seconds) ?? envelope.deadline
        if canWait, let release = sender.release { notBefore = release.time(from: arrival.seconds) }
    }
}
