/// The RFC 5322 header in parsed form (RFC 9051 §7.5.2). Octets are as in the message: encoded-words are not decoded.
/// Values are unfolded and trimmed, and hold no CR, LF or NUL, so that any of them can stand in an IMAP string.
package struct Envelope: Sendable, Equatable {
    /// Nil when the field is absent, empty when it is there without a value; the same for the next three.
    package var date: [UInt8]?
    package var subject: [UInt8]?
    package var from: [EnvelopeAddress]
    /// As `from` when the field is absent or empty; the same for `replyTo`.
    package var sender: [EnvelopeAddress]
    package var replyTo: [EnvelopeAddress]
    package var to: [EnvelopeAddress]
    package var cc: [EnvelopeAddress]
    package var bcc: [EnvelopeAddress]
    package var inReplyTo: [UInt8]?
    package var messageID: [UInt8]?

    package init(
        date: [UInt8]? = nil, subject: [UInt8]? = nil, from: [EnvelopeAddress] = [], sender: [EnvelopeAddress] = [],
        replyTo: [EnvelopeAddress] = [], to: [EnvelopeAddress] = [], cc: [EnvelopeAddress] = [],
        bcc: [EnvelopeAddress] = [], inReplyTo: [UInt8]? = nil, messageID: [UInt8]? = nil
    ) {
        self.date = date
        self.subject = subject
        self.from = from
        self.sender = sender
        self.replyTo = replyTo
        self.to = to
        self.cc = cc
        self.bcc = bcc
        self.inReplyTo = inReplyTo
        self.messageID = messageID
    }
}

/// One member of an address list, or a mark that a group begins or ends there (RFC 9051 §7.5.2):
///
///     member          name     mailbox      host
///     address         or nil   local-part   domain      both empty, never nil, when the message has none
///     start of group  nil      group name   nil
///     end of group    nil      nil          nil
package struct EnvelopeAddress: Sendable, Hashable {
    /// The display name, or the last comment of an address that has none; quotes and quoted-pairs are resolved.
    package var name: [UInt8]?
    /// A source route, `@a,@b` (RFC 5322 §4.4), without its colon.
    package var route: [UInt8]?
    package var mailbox: [UInt8]?
    package var host: [UInt8]?

    package init(name: [UInt8]? = nil, route: [UInt8]? = nil, mailbox: [UInt8]?, host: [UInt8]?) {
        self.name = name
        self.route = route
        self.mailbox = mailbox
        self.host = host
    }

    package static func groupStart(_ name: [UInt8]) -> EnvelopeAddress { EnvelopeAddress(mailbox: name, host: nil) }
    package static let groupEnd = EnvelopeAddress(mailbox: nil, host: nil)
}
