package import MailVocabulary

/// Where the messages of an APPEND go (RFC 9051 §6.3.12), and with REPLACE (RFC 8508 §3) which message goes.
package struct AppendTarget: Sendable, Hashable {
    package var mailbox: MailboxName
    /// Nil for APPEND.
    package var replaced: ReplacedMessage?

    package init(mailbox: MailboxName, replaced: ReplacedMessage? = nil) {
        self.mailbox = mailbox
        self.replaced = replaced
    }
}

/// The message that REPLACE takes away.
package struct ReplacedMessage: Sendable, Hashable {
    /// One sequence number or UID, or `*`.
    package var set: SequenceSet
    package var uid: Bool

    package init(set: SequenceSet, uid: Bool) {
        self.set = set
        self.uid = uid
    }
}

/// What an APPEND or REPLACE says, in order. Its messages are not gathered: their octets come behind `literal`.
package enum AppendEvent: Sendable, Hashable {
    case target(AppendTarget)
    /// A message begins (RFC 3502: there may be several).
    case message(flags: [Flag], internalDate: Timestamp?)
    /// A literal that is the message, or (RFC 4469) the next part of it. Always the last of the events: the literal's
    /// octets come next, and then more of the command.
    case literal(LiteralHeader, isWholeMessage: Bool)
    /// The same, where its octets are at hand.
    case text([UInt8], isBinary: Bool)
    /// RFC 4469 §3: what a URL names is the next part of the message.
    case url(String)
    case endOfMessage
    case end
}
