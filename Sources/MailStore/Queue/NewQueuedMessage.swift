package import MailVocabulary
package import SMTPSyntax

/// A message that is to go elsewhere. Its body is stored once, also when messages in mailboxes share it.
package struct NewQueuedMessage: Sendable {
    /// Complete, with its trace, as the next hop is to get it: lines end with CRLF, no dot-stuffing.
    package var body: any StagedBody
    package var envelope: SMTPEnvelope
    /// Distinct. At least one of these, of `delivered` or of `expanded`.
    package var recipients: [SMTPRecipient]
    /// Who has it in a mailbox here, and of whom the sender wants to be told so (NOTIFY=SUCCESS).
    package var delivered: [SMTPRecipient] = []
    /// Aliases of several addresses, of which the sender wants to be told that it went on (NOTIFY=SUCCESS).
    package var expanded: [SMTPRecipient] = []
    /// Its name in `Received` fields, replies and logs.
    package var identifier: String
    /// Whose turn it uses; nil for the server's own notices.
    package var submitter: AccountID?
    package var arrival: Timestamp
    /// Seconds since 1970: no attempt before (FUTURERELEASE, RFC 4865).
    package var notBefore: Int64
    /// Seconds since 1970: what has not been settled by then is looked at, whether it was tried or not. Nil: an hour
    /// after it may first be tried, or at the sender's deadline if that is earlier.
    package var review: Int64?
    /// It stays until an operator releases it; why.
    package var holdReason: String?

    package init(
        body: any StagedBody, envelope: SMTPEnvelope, recipients: [SMTPRecipient], identifier: String,
        submitter: AccountID?, arrival: Timestamp, notBefore: Int64? = nil, review: Int64? = nil,
        holdReason: String? = nil
    ) {
        self.body = body
        self.envelope = envelope
        self.recipients = recipients
        self.identifier = identifier
        self.submitter = submitter
        self.arrival = arrival
        self.notBefore = notBefore ?? arrival.seconds
        self.review = review
        self.holdReason = holdReason
    }

    package var firstReview: Int64 { review ?? min(notBefore &+ 3600, envelope.deadline?.time ?? .max) }

    /// As they begin: those that wait, and those whose sender is to be told.
    package var queuedRecipients: [QueuedRecipient] {
        let waiting = recipients.enumerated().map { QueuedRecipient(number: $0, recipient: $1) }
        let told = AttemptRecord(time: arrival.seconds, status: "2.0.0", diagnostic: "delivered to a mailbox here")
        let owing = delivered.enumerated().map {
            QueuedRecipient(number: recipients.count + $0, recipient: $1, state: .owesDelivery, last: told)
        }
        let spread = AttemptRecord(time: arrival.seconds, status: "2.0.0", diagnostic: "sent on to several addresses")
        let aliases = expanded.enumerated().map {
            QueuedRecipient(
                number: recipients.count + delivered.count + $0, recipient: $1, state: .owesExpansion, last: spread)
        }
        return waiting + owing + aliases
    }
}
