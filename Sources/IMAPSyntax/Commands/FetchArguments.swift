package import MailVocabulary

/// What FETCH can ask of a message; macros are already expanded.
package enum FetchItem: Sendable, Hashable {
    case flags
    case uid
    case internalDate
    case rfc822
    case rfc822Header
    case rfc822Text
    case rfc822Size
    case envelope
    /// `BODY`: the structure without extension data.
    case body
    case bodyStructure
    /// `BODY[…]`, or with `peek` `BODY.PEEK[…]`, which leaves `\Seen` alone.
    case section(peek: Bool, BodySection, partial: PartialRange?)
    /// RFC 3516, RFC 9051 §6.4.5: the part with its transfer encoding undone.
    case binary(peek: Bool, part: [UInt32], partial: PartialRange?)
    case binarySize(part: [UInt32])
    /// RFC 8970 §3: the beginning of the text. With `lazy` it need not be computed now.
    case preview(lazy: Bool)
    /// RFC 7162 §3.1.4.
    case modSeq
    /// RFC 8514 §4.2.
    case saveDate
    /// RFC 8474 §5.3.
    case emailID
    case threadID

    // "ALL", "FAST", "FULL"          RFC 9051 §6.4.5
    package static let all: [FetchItem] = [.flags, .internalDate, .rfc822Size, .envelope]
    package static let fast: [FetchItem] = [.flags, .internalDate, .rfc822Size]
    package static let full: [FetchItem] = [.flags, .internalDate, .rfc822Size, .envelope, .body]

    /// Whether fetching it sets `\Seen`.
    package var setsSeen: Bool {
        switch self {
        case .rfc822, .rfc822Text: true
        case .section(let peek, _, _), .binary(let peek, _, _): !peek
        case .flags, .uid, .internalDate, .rfc822Header, .rfc822Size, .envelope, .body, .bodyStructure, .binarySize,
            .preview, .modSeq, .saveDate, .emailID, .threadID:
            false
        }
    }
}

/// The text between the brackets of `BODY[…]`.
package struct BodySection: Sendable, Hashable {
    /// `[1, 2]` for `1.2`; empty for the message itself. Numbers from 1.
    package var part: [UInt32]
    package var text: Text

    package enum Text: Sendable, Hashable {
        /// The part's (or whole message's) octets.
        case full
        case header
        /// Names as the client wrote them.
        case headerFields([String])
        case headerFieldsNot([String])
        case text
        /// Only below a part.
        case mime
    }

    package init(part: [UInt32] = [], _ text: Text = .full) {
        self.part = part
        self.text = text
    }
}

/// `<offset.count>`: octets from `offset`, at most `count` (not 0).
package struct PartialRange: Sendable, Hashable {
    package var offset: UInt64
    package var count: UInt64

    package init(offset: UInt64, count: UInt64) {
        self.offset = offset
        self.count = count
    }
}

/// RFC 4466 §2.4, RFC 7162 §3.1.4.1 and §3.2.6, RFC 9394 §3.3.
package struct FetchModifiers: Sendable, Hashable {
    package var changedSince: UInt64?
    /// Only beside `changedSince`.
    package var vanished = false
    /// Which of the messages that the set names, before `changedSince` chooses among them (RFC 9394 §3.4).
    package var partial: ResultRange?

    package init(changedSince: UInt64? = nil, vanished: Bool = false, partial: ResultRange? = nil) {
        self.changedSince = changedSince
        self.vanished = vanished
        self.partial = partial
    }
}

/// What STORE does to flags (RFC 9051 §6.4.6).
package struct StoreAction: Sendable, Hashable {
    package enum Operation: Sendable, Hashable {
        case replace
        case add
        case remove
    }

    package var operation: Operation
    /// `.SILENT`: no FETCH in answer.
    package var isSilent: Bool
    package var flags: [Flag]
    /// RFC 7162 §3.1.3.
    package var unchangedSince: UInt64?

    package init(_ operation: Operation, isSilent: Bool = false, flags: [Flag], unchangedSince: UInt64? = nil) {
        self.operation = operation
        self.isSilent = isSilent
        self.flags = flags
        self.unchangedSince = unchangedSince
    }
}
