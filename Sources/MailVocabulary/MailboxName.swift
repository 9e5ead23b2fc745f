/// A mailbox's name in Unicode (NFC is the client's business), hierarchy by "/"; INBOX in any case is `INBOX`.
/// Modified UTF-7 exists only on the wire (IMAPSyntax).
package struct MailboxName: Sendable, Hashable, Comparable, CustomStringConvertible {
    package static let separator: Character = "/"
    /// Octets of UTF-8; generous for people, small enough to bound listings.
    package static let maximumLength = 1000
    /// Levels of hierarchy.
    package static let maximumDepth = 64

    package static let inbox = MailboxName(verified: "INBOX")

    package let text: String

    /// Nil for a name that cannot be a mailbox: empty, too long, an empty level, a control character.
    package init?(_ text: String) {
        let levels = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        // Net-Unicode without controls and separators of lines (RFC 9051 §5.1, RFC 9755 §3).
        guard text.unicodeScalars.allSatisfy({ !Self.isForbidden($0) }) else { return nil }
        guard !text.isEmpty, text.utf8.count <= Self.maximumLength, levels.count <= Self.maximumDepth,
            levels.allSatisfy({ !$0.isEmpty })
        else { return nil }
        self.init(verified: MailboxName.normalisingInbox(text))
    }

    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1F, 0x7F...0x9F, 0x2028, 0x2029: true
        case _: false
        }
    }

    private init(verified text: String) { self.text = text }

    /// `inbox/x` is the same as `INBOX/x`: only the first level is case-insensitive (RFC 9051 §5.1).
    private static func normalisingInbox(_ text: String) -> String {
        let first = text.prefix { $0 != separator }
        guard String(first).asciiLowercased() == "inbox" else { return text }
        return "INBOX" + text.dropFirst(first.count)
    }

    /// From the outermost level in.
    package var levels: [Substring] { text.split(separator: Self.separator) }

    package var parent: MailboxName? {
        guard let cut = text.lastIndex(of: Self.separator) else { return nil }
        return MailboxName(verified: String(text[..<cut]))
    }

    package func isInferior(to other: MailboxName) -> Bool { text.hasPrefix(other.text + "/") }

    package var description: String { text }
    package static func < (a: MailboxName, b: MailboxName) -> Bool {
        a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
    }
}

/// What a mailbox is for (RFC 6154 §2, RFC 8457).
package enum SpecialUse: String, Sendable, Hashable, CaseIterable {
    case all = "\\All"
    case archive = "\\Archive"
    case drafts = "\\Drafts"
    case flagged = "\\Flagged"
    case important = "\\Important"
    case junk = "\\Junk"
    case sent = "\\Sent"
    case trash = "\\Trash"
}
