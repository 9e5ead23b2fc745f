package import MailStore
package import MailVocabulary
package import SASL
package import SMTPSyntax

/// What a submission session asks of its service.
package enum SubmissionWork: Sendable {
    /// With the client's address.
    case authenticate(PasswordCredentials, from: String)
    /// Whether a domain is one of this server's.
    case findDomain(Domain)
    /// A recipient of a message that is to have so many octets; 0 when that is not known.
    case resolve(ForwardPath, declaredSize: UInt64)
    /// A place for a body, a name for the message and the time.
    case beginMessage
    /// The piece of the body in memory is to go to disk.
    case spill(any BodyWriter)
    case deliver(SubmissionDelivery)
}

package enum SubmissionOutcome: Sendable {
    case authentication(AuthenticationResult)
    case domain(DomainLookup)
    case recipient(RecipientResolution)
    case messageBegun(MessageStart)
    /// Nil when it worked.
    case spilled(DeliveryFailure?)
    case delivered(DeliveryFailure?)
}

package enum DomainLookup: Sendable {
    case local, foreign
    case unavailable(reason: String)
}

package enum RecipientResolution: Sendable {
    case local(Account)
    case noSuchUser
    case disabled
    /// Its account has no room for the message, now or (`isPermanent`) whatever is deleted.
    case full(isPermanent: Bool)
    /// Its domain is not one of this server's.
    case notLocal
    case unavailable(reason: String)
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

/// A message that is complete, with its trace, and where it goes.
package struct SubmissionDelivery: Sendable {
    package var writer: any BodyWriter
    /// Distinct.
    package var recipients: [AccountID]
    package var date: Timestamp

    package init(writer: any BodyWriter, recipients: [AccountID], date: Timestamp) {
        self.writer = writer
        self.recipients = recipients
        self.date = date
    }
}

/// Why nothing was stored; the client may try again.
package enum DeliveryFailure: Error, Sendable, Equatable {
    case noSpace
    /// A recipient's account has no room.
    case overQuota
    /// The reason is for the log.
    case unavailable(reason: String)
}
