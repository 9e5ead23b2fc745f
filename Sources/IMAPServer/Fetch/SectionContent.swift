import IMAPSyntax
import MailVocabulary
import MessageFormat

/// What a section is, in octets of the message.
enum SectionContent: Equatable {
    /// There is no such part, or no such header: NIL.
    case none
    case octets(Range<Int>)
    /// Some fields of the header at this range.
    case fields(header: Range<Int>, names: [[UInt8]], excluding: Bool, bodyIsEmpty: Bool)
}

extension BodySection {
    /// Whether it is in the message's own header.
    var isOfHeader: Bool {
        switch text {
        case .header, .headerFields, .headerFieldsNot: part.isEmpty
        case .full, .text, .mime: false
        }
    }

    /// Finds the section (RFC 3501 §6.4.5).
    ///
    /// - Parameter root: the message's structure; not needed for the whole message.
    func content(size: Int, root: BodyPart?) -> SectionContent {
        if part.isEmpty, text == .full { return .octets(0..<size) }
        guard let root else { return .none }
        guard !part.isEmpty else { return text == .mime ? .none : content(of: root) }
        guard let found = root.part(at: part.map(Int.init)) else { return .none }
        switch text {
        case .full: return .octets(found.bodyRange)
        // Part 1 of a message that is no multipart has the message's header as its own.
        case .mime: return .octets(found.headerRange)
        case .header, .text, .headerFields, .headerFieldsNot:
            // Below a part number these are of the message in a message/rfc822 part.
            return found.encapsulatedMessage.map(content) ?? .none
        }
    }

    private func content(of message: BodyPart) -> SectionContent {
        switch text {
        case .headerFields(let names):
            .fields(
                header: message.headerRange, names: names.map { Array($0.utf8) }, excluding: false,
                bodyIsEmpty: message.bodyRange.isEmpty)
        case .headerFieldsNot(let names):
            .fields(
                header: message.headerRange, names: names.map { Array($0.utf8) }, excluding: true,
                bodyIsEmpty: message.bodyRange.isEmpty)
        case .text: .octets(message.bodyRange)
        case .full, .header, .mime: .octets(message.headerRange)
        }
    }
}

/// What BINARY asks for, in octets of the message.
enum BinaryContent: Equatable {
    /// There is no such part.
    case none
    case encoded(Range<Int>, TransferEncoding)
    /// RFC 9051 §7.1, UNKNOWN-CTE.
    case unknownEncoding
}

extension BodyPart {
    /// RFC 9051 §6.4.5, `BINARY`; called on the root. The whole message is as it is, and so are a multipart and a
    /// message, whatever their encoding is said to be: only what is in them can be encoded (RFC 2045 §6.4).
    func binaryContent(part: [UInt32], size: Int) -> BinaryContent {
        guard !part.isEmpty else { return .encoded(0..<size, .identity) }
        guard let found = self.part(at: part.map(Int.init)) else { return .none }
        switch found.kind {
        case .multipart, .message: return .encoded(found.bodyRange, .identity)
        case .single, .text:
            guard let encoding = TransferEncoding(found.encoding) else { return .unknownEncoding }
            return .encoded(found.bodyRange, encoding)
        }
    }
}

extension PartialRange {
    /// The octets of `content` that are meant; empty when the range begins behind the end.
    func applied(to content: Range<Int>) -> Range<Int> {
        let size = UInt64(content.count)
        let low = min(offset, size)
        let high = low + min(count, size - low)
        return content.lowerBound + Int(low)..<content.lowerBound + Int(high)
    }
}
