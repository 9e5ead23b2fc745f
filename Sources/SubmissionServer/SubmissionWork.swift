package import MailDelivery
package import MailStore
package import MailVocabulary
package import SMTPSyntax

/// What a session asks of its service.
package enum SubmissionWork: Sendable {
    /// A response within an exchange; nil when the client sent none with AUTH.
    case authenticate(any AuthenticationExchange, Secret?)
    /// For EHLO: until when mail may be held depends on it.
    case time
    case begin(TransactionRequest)
    case resolve(RecipientRequest)
    /// A place for a body, a name for the message and the time.
    case beginMessage
    /// Whether the account may send as all of these.
    case authorise([Address], Account)
    /// What a URL names, for the account.
    case openURL(String, Account, host: String)
    /// A piece of it.
    case readURL(URLOctets, Range<Int>)
    /// The piece of the body in memory is to go to disk.
    case spill(any BodyWriter)
    case deliver(IncomingMessage)
}

package enum SubmissionOutcome: Sendable {
    case authentication(AuthenticationStep)
    case time(Timestamp)
    case begun(TransactionStart)
    case recipient(RecipientAnswer)
    case messageBegun(MessageStart)
    case standing(SenderStanding)
    /// Nil when there is no such thing, or it is not for the account.
    case openedURL(URLOctets?)
    case readURL([UInt8]?)
    /// Nil when it worked.
    case spilled(DeliveryFailure?)
    case delivered(AcceptanceResult)
}

/// MAIL, where more than its syntax must be looked at.
package struct TransactionRequest: Sendable {
    package var command: MailCommand
    /// Nil for LMTP.
    package var account: Account?
    package var client: FilteredClient
}

package enum TransactionStart: Sendable {
    /// `filters` is nil when there are none. Seconds since 1970 for `notBefore`.
    case accepted(SMTPEnvelope, notBefore: Int64?, filters: FilterRun?, isDiscarded: Bool)
    /// Is somebody else's.
    case notOwn
    case refused(SMTPReply)
    case unavailable(reason: String)
}

/// RCPT.
package struct RecipientRequest: Sendable {
    package var command: RcptCommand
    /// Octets of the message; 0 when that is not known.
    package var declaredSize: UInt64
    /// Recipients that the transaction has.
    package var recipients: Int
    package var account: Account?
    package var filters: FilterRun?
}

package enum RecipientAnswer: Sendable {
    case resolved(RecipientResolution)
    /// A filter wants the whole message dropped; it goes on meanwhile.
    case discarded(RecipientResolution)
    case refused(SMTPReply)
}

package struct MessageStart: Sendable {
    package var writer: any BodyWriter
    /// Unique on this server: letters, digits and "-".
    package var identifier: String
    package var date: Timestamp

    package init(writer: any BodyWriter, identifier: String, date: Timestamp) {
        self.writer = writer
        self.identifier = identifier
        self.date = date
    }
}
