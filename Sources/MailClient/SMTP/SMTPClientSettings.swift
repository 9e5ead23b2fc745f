package import SASL
package import SMTPSyntax

/// What a session is to be like, decided before it begins.
package struct SMTPClientSettings: Sendable {
    package enum Dialect: Sendable, Hashable {
        case smtp
        /// RFC 2033: an answer for each recipient.
        case lmtp
    }

    package enum Security: Sendable, Hashable {
        /// TLS is there from the first octet.
        case implicitTLS
        /// STARTTLS, or nothing is said (RFC 3207 §4).
        case startTLS
        /// STARTTLS where it is offered; else cleartext.
        case opportunistic
        /// None: a local socket, or a second attempt where the policy allows it.
        case cleartext
    }

    package var dialect: Dialect
    package var security: Security
    /// This program's name in EHLO: a domain, or an address literal with its brackets.
    package var name: String
    /// Given only inside TLS; with them a session that does not authenticate is of no use.
    package var credentials: PasswordCredentials?

    package init(
        dialect: Dialect = .smtp, security: Security, name: String, credentials: PasswordCredentials? = nil
    ) {
        self.dialect = dialect
        self.security = security
        self.name = name
        self.credentials = credentials
    }

    /// Whether the session goes on where there is no TLS.
    var allowsCleartext: Bool {
        switch security {
        case .implicitTLS, .startTLS: false
        case .opportunistic, .cleartext: credentials == nil
        }
    }
}

/// One message's way to one server.
package struct SMTPTransaction: Sendable {
    package var envelope: SMTPEnvelope
    /// At least one.
    package var recipients: [SMTPRecipient]
    package var parameters: CommandWriter.MailParameters

    package init(envelope: SMTPEnvelope, recipients: [SMTPRecipient], parameters: CommandWriter.MailParameters) {
        self.envelope = envelope
        self.recipients = recipients
        self.parameters = parameters
    }

    /// BDAT instead of DATA (RFC 3030 §3): binary octets can go no other way.
    var isChunked: Bool { parameters.body == .binary }
}

/// What became of one recipient of a transaction.
package enum SMTPRecipientAnswer: Sendable, Hashable {
    /// The server has the message for this recipient.
    case taken(ReceivedReply)
    /// 4yz or 5yz: to MAIL, RCPT, DATA or the message.
    case refused(ReceivedReply)
    /// The address, or the sender's, cannot be said to this server; nothing was.
    case unsendable
    /// The session ended before an answer came.
    case unanswered(SMTPClientError)
}
