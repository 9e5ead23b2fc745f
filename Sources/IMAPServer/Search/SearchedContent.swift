import IMAPSyntax
import MailVocabulary
import MessageFormat

/// What a search knows of one message beyond the index: its summary, and perhaps its text.
struct SearchedContent {
    /// Encoded.
    let summary: [UInt8]
    /// Nil until the body has been read.
    let text: SearchedText?

    /// Nil when the summary is none.
    init?(summary: [UInt8], text: SearchedText? = nil) {
        guard EncodedEnvelope(encodedSummary: summary.span) != nil else { return nil }
        self.summary = summary
        self.text = text
    }

    // The answers: nil when more must be read.

    var sentDay: Int64? {
        guard let date = EncodedEnvelope(encodedSummary: summary.span)?.date else { return nil }
        return Timestamp(messageDate: summary.span.extracting(date))?.dayOfWriting
    }

    func contains(_ needle: Needle, in field: SearchKey.EnvelopeField) -> Bool {
        guard let envelope = EncodedEnvelope(encodedSummary: summary.span) else { return false }
        return switch field {
        case .from: contains(needle, in: envelope.from, of: envelope)
        case .to: contains(needle, in: envelope.to, of: envelope)
        case .cc: contains(needle, in: envelope.cc, of: envelope)
        case .bcc: contains(needle, in: envelope.bcc, of: envelope)
        case .subject: envelope.subject.map { needle.isFound(inHeaderValue: summary.span.extracting($0)) } ?? false
        }
    }

    /// In `Name <local@domain>`, the name decoded.
    private func contains(
        _ needle: Needle, in list: EncodedAddressList, of envelope: borrowing EncodedEnvelope
    ) -> Bool {
        list.count > 0 && needle.isFound(inHeaderValue: envelope.searchedText(of: list).span)
    }

    func contains(_ needle: Needle?, inField name: [UInt8]) -> Bool? { text?.contains(needle, inField: name) }
    func bodyContains(_ needle: Needle) -> Bool? { text?.bodyContains(needle) }
    func textContains(_ needle: Needle) -> Bool? { text.map { $0.headerContains(needle) || $0.bodyContains(needle) } }
}

extension Needle {
    /// In a header field's value, its encoded-words decoded.
    func isFound(inHeaderValue value: Span<UInt8>) -> Bool {
        if isASCII, !Needle.encodedWord.isFound(in: value) {
            if isFound(in: value) { return true }
            guard value.holdsNonASCII else { return false }
        }
        return isFound(in: decodeEncodedWords(value))
    }

    /// What every encoded-word begins with.
    fileprivate static let encodedWord = Needle("=?")

    /// Whether it can only stand within a line: then a header needs no unfolding.
    fileprivate var hasNoBlank: Bool { !octets.contains { $0 == 0x20 || $0 == 0x09 } }
}

extension SearchedText {
    func contains(_ needle: Needle?, inField name: [UInt8]) -> Bool {
        guard let header = headers.first else { return false }
        var fields = HeaderFields(header.span)
        while let field = fields.next() {
            guard header.span.isEqual(field.nameRange, ignoringCase: name) else { continue }
            guard let needle else { return true }
            if needle.isFound(inHeaderValue: unfoldedHeaderValue(header.span, field.valueRange).span) { return true }
        }
        return false
    }

    /// In the message's header.
    func headerContains(_ needle: Needle) -> Bool { SearchedText.contains(needle, in: headers.prefix(1)) }

    private static func contains(_ needle: Needle, in headers: ArraySlice<ArraySlice<UInt8>>) -> Bool {
        headers.contains { header in
            if needle.isASCII, needle.hasNoBlank, !Needle.encodedWord.isFound(in: header.span) {
                if needle.isFound(in: header.span) { return true }
                guard header.span.holdsNonASCII else { return false }
            }
            var fields = HeaderFields(header.span)
            while let field = fields.next() {
                // The field as written, on one line.
                let line = unfoldedHeaderValue(header.span, field.fieldRange)
                if needle.isFound(inHeaderValue: line.span) { return true }
            }
            return false
        }
    }

    /// In text, or in the header of a part or of a message inside: all that is behind the message's header.
    func bodyContains(_ needle: Needle) -> Bool {
        parts.contains { $0.contains(needle) } || SearchedText.contains(needle, in: headers.dropFirst())
    }
}

extension SearchedText.Part {
    fileprivate func contains(_ needle: Needle) -> Bool {
        guard needle.isASCII else { return needle.isFound(in: decoded) }
        let plain = encoding == .identity ? octets : encoding.decode(octets.span)[...]
        // Octets below 128 mean ASCII in all character sets known here; others may be letters with their marks.
        if needle.isFound(in: plain.span) { return true }
        return plain.span.holdsNonASCII && needle.isFound(in: (charset ?? .utf8).decode(plain.span))
    }
}

extension Span<UInt8> {
    fileprivate func isEqual(_ range: Range<Int>, ignoringCase other: [UInt8]) -> Bool {
        func folded(_ octet: UInt8) -> UInt8 { octet &- 0x41 < 26 ? octet | 0x20 : octet }
        guard range.count == other.count else { return false }
        return other.indices.allSatisfy { folded(self[range.lowerBound + $0]) == folded(other[$0]) }
    }
}
