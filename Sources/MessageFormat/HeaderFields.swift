/// A field of a header, by ranges of the bytes it was read from.
package struct HeaderField: Sendable, Equatable {
    /// Without the colon and blanks before it.
    package var nameRange: Range<Int>
    /// What follows the colon, with folding and leading blanks; without the line end.
    package var valueRange: Range<Int>
    /// The whole field with its line end, if it has one.
    package var fieldRange: Range<Int>
}

/// Reads a header's fields one by one (RFC 5322 §2.2; §4.5 allows blanks before the colon). Line ends are CRLF or LF.
///
/// The header ends at a blank line, at the end of the bytes, or before a line that is neither a field nor a
/// continuation: a body whose blank line is missing starts there. An mbox separator ("From " without a colon) before
/// the first field is passed over.
package struct HeaderFields: ~Escapable {
    package let bytes: Span<UInt8>
    /// Where the next field starts; once `next` has given nil, where the body does.
    package private(set) var position: Int
    /// Whether the header ended with a blank line; false until `next` has given nil.
    package private(set) var hasBlankLine = false
    /// Line feeds passed.
    private(set) var lineFeeds = 0
    private let start: Int

    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>, at position: Int = 0) {
        self.bytes = bytes
        self.position = max(0, position)
        start = self.position
    }

    @_lifetime(self: copy self)
    package mutating func next() -> HeaderField? {
        guard !hasBlankLine, position < bytes.count else { return nil }
        if position == start, separatorLine() {
            position = lineEnd(from: position)
            guard position < bytes.count else { return nil }
        }
        if let length = blankLineLength() {
            position += length
            lineFeeds += 1
            hasBlankLine = true
            return nil
        }
        guard let (name, colon) = fieldName() else { return nil }
        let start = position
        repeat { position = lineEnd(from: position) } while position < bytes.count && isBlank(bytes[position])
        let value = colon + 1..<max(colon + 1, withoutLineEnd(position))
        return HeaderField(nameRange: name, valueRange: value, fieldRange: start..<position)
    }

    /// The first octet of the line that is next, and the one after; the structure parser looks for boundaries there.
    var startsWithDashes: Bool {
        position + 1 < bytes.count && bytes[position] == UInt8(ascii: "-") && bytes[position + 1] == UInt8(ascii: "-")
    }

    // field-name = 1*ftext        ftext = %d33-57 / %d59-126        RFC 5322 §3.6.8
    private func fieldName() -> (name: Range<Int>, colon: Int)? {
        var index = position
        while index < bytes.count, bytes[index] > 0x20, bytes[index] < 0x7F, bytes[index] != UInt8(ascii: ":") {
            index += 1
        }
        let name = position..<index
        while index < bytes.count, isBlank(bytes[index]) { index += 1 }
        guard !name.isEmpty, index < bytes.count, bytes[index] == UInt8(ascii: ":") else { return nil }
        return (name, index)
    }

    private func blankLineLength() -> Int? {
        if bytes[position] == 0x0A { return 1 }
        guard bytes[position] == 0x0D, position + 1 < bytes.count, bytes[position + 1] == 0x0A else { return nil }
        return 2
    }

    private func separatorLine() -> Bool {
        let word = bytes[position] == UInt8(ascii: ">") ? position + 1 : position
        return bytes.count - word >= 5 && bytes.isWord("FROM ", in: word..<word + 5) && fieldName() == nil
    }

    /// Behind the line's LF, or the end of the bytes.
    @_lifetime(self: copy self)
    private mutating func lineEnd(from index: Int) -> Int {
        let feed = bytes.lineFeed(from: index)
        guard feed < bytes.count else { return bytes.count }
        lineFeeds += 1
        return feed + 1
    }

    private func withoutLineEnd(_ end: Int) -> Int {
        guard end > 0, bytes[end - 1] == 0x0A else { return end }
        return end > 1 && bytes[end - 2] == 0x0D ? end - 2 : end - 1
    }
}

/// A field's value in one line: line ends removed (RFC 5322 §2.2.3), blanks at both ends trimmed; CR and NUL, which no
/// IMAP string may carry, removed.
///
/// - Parameter limit: octets kept at most.
package func unfoldedHeaderValue(_ bytes: Span<UInt8>, _ range: Range<Int>, limit: Int = .max) -> [UInt8] {
    let trimmed = bytes.trimmed(range)
    var isPlain = trimmed.count <= limit
    for index in trimmed where bytes[index] <= 0x0D {
        let byte = bytes[index]
        if byte == 0x0A || byte == 0x0D || byte == 0 { isPlain = false }
    }
    if isPlain { return bytes.array(trimmed) }
    var value: [UInt8] = []
    value.reserveCapacity(min(trimmed.count, limit))
    for index in trimmed {
        let byte = bytes[index]
        guard byte != 0x0A, byte != 0x0D, byte != 0 else { continue }
        guard value.count < limit else { break }
        value.append(byte)
    }
    return value
}

/// The first field with this name in a header, unfolded; nil when there is none. `name` in any case.
package func headerValue(_ name: [UInt8], in header: Span<UInt8>) -> [UInt8]? {
    var fields = HeaderFields(header)
    while let field = fields.next() {
        if isFieldName(header, field.nameRange, name) { return unfoldedHeaderValue(header, field.valueRange) }
    }
    return nil
}

/// The fields of a header with these names, or all others, as they are, with the blank line
/// (`BODY[HEADER.FIELDS (…)]`, `HEADER.FIELDS.NOT`; RFC 9051 §6.4.5.1). Names match without regard to ASCII case.
///
/// - Parameter bodyIsEmpty: whether nothing follows the header: then a blank line is given only if it has one.
package func selectHeaderFields(
    from header: Span<UInt8>, names: [[UInt8]], excluding: Bool, bodyIsEmpty: Bool = false
) -> [UInt8] {
    var selected: [UInt8] = []
    var fields = HeaderFields(header)
    // Comparing with each is the quickest for few; a header of short fields and a long list of names must not
    // multiply.
    let sought = names.count > 16 ? Set(names.map { $0.map(asciiUppercased) }) : []
    while let field = fields.next() {
        let isNamed =
            sought.isEmpty
            ? names.contains { isFieldName(header, field.nameRange, $0) }
            : sought.contains(field.nameRange.map { asciiUppercased(header[$0]) })
        guard isNamed != excluding else { continue }
        selected.append(header, field.fieldRange)
        // A field cut off by the end of the message: what follows must be a line of its own.
        if selected.last != 0x0A { selected += [0x0D, 0x0A] }
    }
    if fields.hasBlankLine || !bodyIsEmpty { selected += [0x0D, 0x0A] }
    return selected
}

private func isFieldName(_ bytes: Span<UInt8>, _ range: Range<Int>, _ name: [UInt8]) -> Bool {
    guard range.count == name.count else { return false }
    for offset in 0..<name.count
    where asciiUppercased(bytes[range.lowerBound + offset]) != asciiUppercased(name[offset]) {
        return false
    }
    return true
}
