package import MailVocabulary

/// What an operator may set for mail that is taken in.
package struct DeliverySettings: Sendable {
    /// Where mail for the server's postmaster goes when no account or alias has that name (RFC 5321 §4.5.1).
    package var postmaster: Address?
    /// What `user+detail@example.org` is cut at, to find the account; nil when there are no such addresses.
    package var separator: Character? = "+"
    /// Whether mail for addresses elsewhere is taken, for the queue to carry on.
    package var relaysElsewhere = false
    /// Header fields by which mail goes into Junk.
    package var spamMarks = SpamMark.standard
    /// A copy of what a user submits goes into the mailbox with `\Sent`.
    package var keepsSentCopy = false
    package var repairs = HeaderRepairs.standard
    /// Neither the client's address nor what it calls itself stands in `Received`.
    package var hidesClient = false
    package var rates = RateLimits()

    package init() {}
}

/// A header field that says that a message is spam.
package struct SpamMark: Sendable, Hashable {
    /// In any case.
    package var name: String
    /// What the value begins with, in any case, as a word of its own.
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// `Name: value`; nil for anything else.
    package init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let name = text[..<colon]
        let value = text[text.index(after: colon)...].drop { $0 == " " }
        guard !name.isEmpty, !value.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        self.init(name: String(name), value: String(value))
    }

    /// What SpamAssassin, rspamd and their like set.
    package static let standard = [
        SpamMark(name: "X-Spam-Flag", value: "YES"), SpamMark(name: "X-Spam", value: "Yes"),
        SpamMark(name: "X-Spam-Status", value: "Yes"),
    ]
}

/// What a submission server may put right in a header (RFC 6409 §8).
package struct HeaderRepairs: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A missing `Date` (§8.3, as a missing `Message-ID` is in §8.4).
    package static let date = HeaderRepairs(rawValue: 1)
    package static let messageID = HeaderRepairs(rawValue: 2)
    /// `Sender` when `From` is none of the account's own addresses (§8.1).
    package static let sender = HeaderRepairs(rawValue: 4)
    /// `From` of a message without one: the account's address.
    package static let from = HeaderRepairs(rawValue: 8)
    /// `Bcc` goes (RFC 5322 §3.6.3).
    package static let bcc = HeaderRepairs(rawValue: 16)
    /// The blank line that must stand between header and body: without it, others may read more fields than are checked.
    package static let blankLine = HeaderRepairs(rawValue: 32)

    package static let standard: HeaderRepairs = [.date, .messageID, .sender, .from, .bcc, .blankLine]
}

/// What one user may send; nil for no limit.
package struct RateLimits: Sendable, Hashable {
    package var messagesPerHour: Int?
    package var messagesPerDay: Int?
    package var recipientsPerHour: Int?
    package var recipientsPerDay: Int?

    package init(
        messagesPerHour: Int? = nil, messagesPerDay: Int? = nil, recipientsPerHour: Int? = nil,
        recipientsPerDay: Int? = nil
    ) {
        self.messagesPerHour = messagesPerHour
        self.messagesPerDay = messagesPerDay
        self.recipientsPerHour = recipientsPerHour
        self.recipientsPerDay = recipientsPerDay
    }

    package var isLimited: Bool { self != RateLimits() }
}
