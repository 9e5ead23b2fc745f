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

extension PartialRange {
    /// The octets of `content` that are meant; empty when the range begins behind the end.
    func applied(to content: Range<Int>) -> Range<Int> {
        let size = UInt64(content.count)
        let low = min(offset, size)
        let high = low + min(count, size - low)
        return content.lowerBound + Int(low)..<content.lowerBound + Int(high)
    }
}
