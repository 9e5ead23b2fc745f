import IMAPSyntax
import MailVocabulary
import MessageFormat

/// What a search knows of one message beyond the index: its summary, and perhaps its text.
struct SearchedContent {
    let envelope: Envelope
    /// Nil until the body has been read.
    var text: SearchedText?

    // The answers: nil when more must be read.

    var sentDay: Int64? {
        envelope.date.flatMap { Timestamp(messageDate: $0.span) }?.dayOfWriting
    }

    func contains(_ needle: Needle, in field: SearchKey.EnvelopeField) -> Bool {
        switch field {
        case .from: contains(needle, in: envelope.from)
        case .to: contains(needle, in: envelope.to)
        case .cc: contains(needle, in: envelope.cc)
        case .bcc: contains(needle, in: envelope.bcc)
        case .subject: envelope.subject.map { needle.isFound(inHeaderValue: $0) } ?? false
        }
    }

    /// In `Name <local@domain>`, the name decoded.
    private func contains(_ needle: Needle, in addresses: [EnvelopeAddress]) -> Bool {
        addresses.contains { address in
            var written = address.name ?? []
            if let mailbox = address.mailbox {
                written += Array(" <".utf8) + mailbox
                if let host = address.host { written += [UInt8(ascii: "@")] + host }
                written.append(UInt8(ascii: ">"))
            }
            return needle.isFound(inHeaderValue: written)
        }
    }

    func contains(_ needle: Needle?, inField name: [UInt8]) -> Bool? { text?.contains(needle, inField: name) }
    func bodyContains(_ needle: Needle) -> Bool? { text?.bodyContains(needle) }
    func textContains(_ needle: Needle) -> Bool? { text.map { $0.headerContains(needle) || $0.bodyContains(needle) } }
}

extension Needle {
    /// In a header field's value, its encoded-words decoded.
    func isFound(inHeaderValue value: [UInt8]) -> Bool {
        if isASCII, !value.hasEncodedWord { return isFound(in: value.span) }
        return isFound(in: decodeEncodedWords(value.span))
    }
}

extension [UInt8] {
    /// Whether `=?` stands in it.
    fileprivate var hasEncodedWord: Bool {
        guard count > 1 else { return false }
        return (1..<count).contains { self[$0] == UInt8(ascii: "?") && self[$0 - 1] == UInt8(ascii: "=") }
    }
}

/// The parts of a message that have text, as they were read.
struct SearchedText {
    /// The message's header, then those of parts and of messages inside.
    var headers: [[UInt8]] = []
    var parts: [Part] = []

    struct Part {
        /// With their transfer encoding.
        var octets: [UInt8]
        var encoding: TransferEncoding
        /// Nil when it is none that is known.
        var charset: Charset?
    }

    func contains(_ needle: Needle?, inField name: [UInt8]) -> Bool {
        guard let header = headers.first else { return false }
        var fields = HeaderFields(header.span)
        while let field = fields.next() {
            guard header[field.nameRange].isEqualIgnoringCase(name) else { continue }
            guard let needle else { return true }
            if needle.isFound(inHeaderValue: unfoldedHeaderValue(header.span, field.valueRange)) { return true }
        }
        return false
    }

    func headerContains(_ needle: Needle) -> Bool {
        headers.contains { header in
            var fields = HeaderFields(header.span)
            while let field = fields.next() {
                // The field as written, on one line.
                let line = unfoldedHeaderValue(header.span, field.fieldRange)
                if needle.isFound(inHeaderValue: line) { return true }
            }
            return false
        }
    }

    func bodyContains(_ needle: Needle) -> Bool { parts.contains { $0.contains(needle) } }
}

extension SearchedText.Part {
    fileprivate func contains(_ needle: Needle) -> Bool {
        // Octets below 128 mean ASCII in all character sets known here.
        if needle.isASCII, encoding == .identity { return needle.isFound(in: octets.span) }
        let decoded = encoding.decode(octets.span)
        if needle.isASCII { return needle.isFound(in: decoded.span) }
        return needle.isFound(in: (charset ?? .utf8).decode(decoded.span))
    }
}

extension ArraySlice<UInt8> {
    fileprivate func isEqualIgnoringCase(_ other: [UInt8]) -> Bool {
        func folded(_ octet: UInt8) -> UInt8 { octet &- 0x41 < 26 ? octet | 0x20 : octet }
        return elementsEqual(other) { folded($0) == folded($1) }
    }
}
