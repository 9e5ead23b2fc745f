import MailDelivery
import MailStore
import SMTPSyntax

/// What MAIL began.
struct Transaction {
    var envelope: SMTPEnvelope
    /// Octets; 0 when that was not said.
    var declaredSize: UInt64 = 0
    /// Seconds since 1970.
    var notBefore: Int64?
    var filters: FilterRun?
    /// A filter wants the message taken and dropped.
    var isDiscarded = false
    var recipients: [AcceptedRecipient] = []
    /// Where they lead, all together.
    var destinations = 0
    /// Whether BDAT or BURL has begun the message.
    var isInParts = false

    init(envelope: SMTPEnvelope) { self.envelope = envelope }
}

/// What BDAT or BURL adds to a message.
enum MessagePart {
    case chunk(BdatCommand)
    case url(BurlCommand)
}

/// How far a chunk has come.
struct ChunkProgress {
    /// Octets to come.
    var remaining: Int
    /// Of the whole chunk, for the reply.
    let size: Int
    let isLast: Bool
    /// It is read and dropped; this is then said.
    var refusal: SMTPReply?
}
