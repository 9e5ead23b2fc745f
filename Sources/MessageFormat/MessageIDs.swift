/// The message identifiers of a Message-ID, In-Reply-To or References field, in a form in which equal ones are the same
/// octets (RFC 5256 §3, THREAD=REFERENCES): without angle brackets, white space, comments, quotes and quoted-pairs.
/// What is no identifier is passed over.
///
/// - Parameter limit: how many there can be; of more, the first and the last are given: the thread's root, and the
///   nearest ancestors.
package func messageIDs(in value: Span<UInt8>, limit: Int = MessageLimits.references) -> [[UInt8]] {
    messageIDs(value, 0..<value.count, limit: limit)
}

func messageIDs(_ bytes: Span<UInt8>, _ range: Range<Int>, limit: Int) -> [[UInt8]] {
    var lexer = FieldLexer(bytes, range)
    var found: [[UInt8]] = []
    while let id = lexer.messageID() {
        // Taking one out of the middle for each further one would cost the square of their number.
        if found.count >= 2 * limit { found.removeSubrange(1...found.count - limit) }
        found.append(id)
    }
    if found.count > limit, limit > 0 { found.removeSubrange(1...found.count - limit) }
    return found
}

extension FieldLexer {
    // msg-id  = [CFWS] "<" id-left "@" id-right ">" [CFWS]        RFC 5322 §3.6.4
    // id-left = dot-atom-text / obs-id-left        obs-id-left = local-part        RFC 5322 §4.5.4
    /// The next one that there is.
    @_lifetime(self: copy self)
    fileprivate mutating func messageID() -> [UInt8]? {
        while let byte = peek {
            if byte == UInt8(ascii: "(") {
                skipCFWS()
            } else if byte == UInt8(ascii: "<") {
                advance()
                if let id = bracketedID() { return id }
            } else {
                advance()
            }
        }
        return nil
    }

    /// Behind "<"; stops at a "<" that should not be there: another may begin with it.
    @_lifetime(self: copy self)
    private mutating func bracketedID() -> [UInt8]? {
        // Mostly nothing in it is quoted or commented.
        let plain = take(while: isPlainInID)
        guard plain.count <= MessageLimits.messageID else { return nil }
        var id = bytes.array(plain)
        var at = id.lastIndex(of: UInt8(ascii: "@"))
        while let byte = peek {
            switch byte {
            case UInt8(ascii: ">"):
                advance()
                // Something stands on both sides.
                guard let at, at > 0, at < id.count - 1 else { return nil }
                return id
            case UInt8(ascii: "<"): return nil
            case UInt8(ascii: "\""): takeQuotedString(into: &id)
            case UInt8(ascii: "("), 0x20, 0x09, 0x0D, 0x0A, 0: skipCFWS()
            case _:
                if byte == UInt8(ascii: "@") { at = id.count }
                id.append(byte)
                advance()
            }
            guard id.count <= MessageLimits.messageID else { return nil }
        }
        return nil
    }
}

/// An octet of an identifier that stands for itself.
private func isPlainInID(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ">"), UInt8(ascii: "<"), UInt8(ascii: "\""), UInt8(ascii: "("), 0x20, 0x09, 0x0D, 0x0A, 0: false
    case _: true
    }
}
