import MailVocabulary

/// How mailbox names are written on the wire.
package enum MailboxEncoding: Sendable, Hashable {
    /// IMAP4rev1 (RFC 3501 §5.1.3).
    case modifiedUTF7
    /// After ENABLE of IMAP4rev2 or UTF8=ACCEPT (RFC 9051 §5.1, RFC 6855 §3).
    case utf8

    /// Nil when the octets are not a name in this encoding.
    package func decode(_ octets: [UInt8]) -> String? {
        switch self {
        case .modifiedUTF7: ModifiedUTF7.decode(octets)
        case .utf8: String(validating: octets, as: UTF8.self)
        }
    }

    package func encode(_ text: String) -> [UInt8] {
        switch self {
        case .modifiedUTF7: ModifiedUTF7.encode(text)
        case .utf8: Array(text.utf8)
        }
    }
}

extension CommandParser {
    // mailbox = "INBOX" / astring
    mutating func mailbox() throws(SyntaxError) -> MailboxName {
        try mailboxName(try decoded(try astring("a mailbox name")))
    }

    /// A name that is to be made: a separator at its end only says that inferiors will follow (RFC 9051 §6.3.4).
    mutating func newMailbox() throws(SyntaxError) -> MailboxName {
        var text = try decoded(try astring("a mailbox name"))
        if text.count > 1, text.last == MailboxName.separator { text.removeLast() }
        return try mailboxName(text)
    }

    mutating func mailboxName(_ text: String) throws(SyntaxError) -> MailboxName {
        guard let name = MailboxName(text) else {
            throw SyntaxError(
                "A mailbox name has no empty levels and no control characters, and is not endless", answer: .no,
                code: .cannot)
        }
        if name.text != text { normalised.append(NormalisedName(supplied: text, name: name)) }
        return name
    }

    func decoded(_ octets: [UInt8]) throws(SyntaxError) -> String {
        guard let text = encoding.decode(octets) else {
            switch encoding {
            case .modifiedUTF7: throw SyntaxError("The mailbox name is not in modified UTF-7")
            case .utf8: throw SyntaxError("The mailbox name is not in UTF-8")
            }
        }
        return text
    }
}
