// What an index of text must know of a message, so that whatever a scan finds is in it. More may be in it than a scan
// looks at, never less: raw octets stand beside decoded ones where a scan takes the short way over them.

extension SearchedText {
    /// Hands over, piece by piece and folded, every text in which a search looks for `Needle`s: the message's header
    /// and text, those of its parts, and what its summary says of its envelope.
    ///
    /// What is found in the message is found in one of the pieces.
    package func forEachIndexedText(encodedSummary: [UInt8], _ take: (Span<UInt8>) -> Void) {
        for header in headers { SearchedText.takeHeader(header.span, take) }
        for part in parts { part.takeText(take) }
        if let envelope = EncodedEnvelope(encodedSummary: encodedSummary.span) { envelope.takeTexts(take) }
    }

    private static func takeHeader(_ header: Span<UInt8>, _ take: (Span<UInt8>) -> Void) {
        takeFolded(header, take)
        var fields = HeaderFields(header)
        while let field = fields.next() {
            // What is one line, and needs no decoding, has been handed over.
            guard needsUnfolding(header.extracting(header.trimmed(field.fieldRange))) else { continue }
            let line = unfoldedHeaderValue(header, field.fieldRange)
            take(TextFolding.folded(decodeEncodedWords(line.span)).span)
            guard needsDecoding(header.extracting(field.nameRange)) else { continue }
            // A word that begins in the field's name is one in the line, and none in the value.
            take(TextFolding.folded(decodeEncodedWords(unfoldedHeaderValue(header, field.valueRange).span)).span)
        }
    }
}

extension SearchedText.Part {
    fileprivate func takeText(_ take: (Span<UInt8>) -> Void) {
        if encoding == .identity {
            takeFolded(octets.span, take)
            if !octets.span.isASCII { take(TextFolding.folded(decoded).span) }
        } else {
            let plain = encoding.decode(octets.span)
            takeFolded(plain.span, take)
            if !plain.span.isASCII { take(TextFolding.folded((charset ?? .utf8).decode(plain.span)).span) }
        }
    }
}

extension EncodedEnvelope {
    fileprivate func takeTexts(_ take: (Span<UInt8>) -> Void) {
        for list in [from, to, cc, bcc] where list.count > 0 { takeValue(searchedText(of: list).span, take) }
        if let subject { takeValue(bytes.extracting(subject), take) }
    }
}

private func takeValue(_ value: Span<UInt8>, _ take: (Span<UInt8>) -> Void) {
    if needsDecoding(value) { take(TextFolding.folded(decodeEncodedWords(value)).span) }
    takeFolded(value, take)
}

/// ASCII folded, other octets as they are.
private func takeFolded(_ octets: Span<UInt8>, _ take: (Span<UInt8>) -> Void) {
    let folded = unsafe [UInt8](unsafeUninitializedCapacity: octets.count) { buffer, count in
        for index in octets.indices { unsafe buffer[index] = TextFolding.folded(octets[index]) }
        count = octets.count
    }
    take(folded.span)
}

/// Whether unfolding or decoding a field may give another text.
private func needsUnfolding(_ field: Span<UInt8>) -> Bool {
    for index in field.indices {
        let octet = field[index]
        if octet == 0x0A || octet == 0x0D || octet == 0 { return true }
    }
    return needsDecoding(field)
}

/// Whether there may be an encoded-word, or text beyond ASCII.
private func needsDecoding(_ octets: Span<UInt8>) -> Bool {
    var last: UInt8 = 0
    for index in octets.indices {
        let octet = octets[index]
        if octet >= 0x80 || (octet == UInt8(ascii: "?") && last == UInt8(ascii: "=")) { return true }
        last = octet
    }
    return false
}

extension Span<UInt8> {
    fileprivate var isASCII: Bool {
        var all: UInt8 = 0
        for index in indices { all |= self[index] }
        return all < 0x80
    }
}
