/// Reads the lexical elements of a structured field (RFC 5322 §3.2) in its folded form: a line end counts as white
/// space, so nothing is copied to be unfolded.
struct FieldLexer: ~Escapable {
    let bytes: Span<UInt8>
    private(set) var position: Int
    let end: Int
    /// What stood between the parentheses of the last comment passed over.
    var lastComment: Range<Int>?

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.lowerBound + min(range.count, MessageLimits.fieldOctets)
    }

    var peek: UInt8? { position < end ? bytes[position] : nil }

    @_lifetime(self: copy self)
    mutating func advance() { position += 1 }

    @_lifetime(self: copy self)
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    // CFWS = (1*([FWS] comment) [FWS]) / FWS        RFC 5322 §3.2.2
    /// Whether there was any.
    @_lifetime(self: copy self)
    @discardableResult mutating func skipCFWS() -> Bool {
        let start = position
        while position < end {
            let byte = bytes[position]
            if isFoldingSpace(byte) {
                position += 1
            } else if byte == UInt8(ascii: "(") {
                skipComment()
            } else {
                break
            }
        }
        return position > start
    }

    // comment = "(" *([FWS] ccontent) [FWS] ")"        RFC 5322 §3.2.2
    /// A comment that is not closed reaches to the end of the field.
    @_lifetime(self: copy self)
    private mutating func skipComment() {
        position += 1
        let start = position
        var depth = 1
        while position < end {
            switch bytes[position] {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: "\\"): position += 1
            case _: break
            }
            position += 1
            if depth == 0 {
                lastComment = start..<position - 1
                return
            }
        }
        position = end
        lastComment = start..<end
    }

    // quoted-string = [CFWS] DQUOTE *([FWS] qcontent) [FWS] DQUOTE [CFWS]        RFC 5322 §3.2.4
    /// At the opening quote: appends the content without line ends and with quoted-pairs resolved. One that is not
    /// closed reaches to the end of the field.
    @_lifetime(self: copy self)
    mutating func takeQuotedString(into text: inout [UInt8]) {
        position += 1
        while position < end {
            var byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return }
            if byte == UInt8(ascii: "\\"), position < end {
                byte = bytes[position]
                position += 1
            }
            if byte != 0x0D, byte != 0x0A, byte != 0 { text.append(byte) }
        }
    }

    /// Takes octets while the predicate holds.
    @_lifetime(self: copy self)
    mutating func take(while predicate: (UInt8) -> Bool) -> Range<Int> {
        let start = position
        while position < end, predicate(bytes[position]) { position += 1 }
        return start..<position
    }
}

/// Appends a range of a field, resolving quoted-pairs and leaving out line ends and NUL: a comment's text.
func appendComment(_ bytes: Span<UInt8>, _ range: Range<Int>, to text: inout [UInt8]) {
    var index = range.lowerBound
    while index < range.upperBound {
        if bytes[index] == UInt8(ascii: "\\"), index + 1 < range.upperBound { index += 1 }
        let byte = bytes[index]
        if byte != 0x0D, byte != 0x0A, byte != 0 { text.append(byte) }
        index += 1
    }
}
