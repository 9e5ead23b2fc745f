/// Content-Type and the other fields that describe a part, as they were understood.
struct MediaType {
    var type: [UInt8]
    var subtype: [UInt8]
    var parameters: [BodyParameter]

    static let text = Array("TEXT".utf8)
    static let message = Array("MESSAGE".utf8)
    static let multipart = Array("MULTIPART".utf8)

    /// RFC 2045 §5.2.
    static let plainText = MediaType(
        type: text, subtype: Array("PLAIN".utf8),
        parameters: [BodyParameter(name: Array("CHARSET".utf8), value: Array("us-ascii".utf8))])
    /// RFC 2046 §5.1.5: the default in a multipart/digest.
    static let encapsulated = MediaType(type: message, subtype: Array("RFC822".utf8), parameters: [])
    /// A part that is not looked into.
    static let opaque = MediaType(
        type: Array("APPLICATION".utf8), subtype: Array("OCTET-STREAM".utf8), parameters: [])

    var isMessage: Bool { type == Self.message && (subtype.isWord("RFC822") || subtype.isWord("GLOBAL")) }
    var isMultipart: Bool { type == Self.multipart }

    /// Blanks at its end are none of it (RFC 2046 §5.1.1); there are senders who write it after RFC 2231.
    var boundary: [UInt8]? {
        let plain = parameters.first { $0.name.isWord("BOUNDARY") }
        guard let found = plain ?? parameters.first(where: { $0.name.isWord("BOUNDARY*") }) else { return nil }
        let value = found.decoded
        return Array(value[..<value.span.trimmed(0..<value.count).upperBound])
    }
}

extension FieldLexer {
    // content = "Content-Type" ":" type "/" subtype *(";" parameter)        RFC 2045 §5.1
    /// Nil for what is not one. `text` alone is taken for text/plain and `multipart` for multipart/mixed, with their
    /// parameters: the only types whose default subtype is known (RFC 2046 §4.1.2, §5.1.3).
    @_lifetime(self: copy self)
    mutating func mediaType() -> MediaType? {
        let type = token()
        skipCFWS()
        var subtype: [UInt8] = []
        if take("/") { subtype = token() }
        guard !type.isEmpty else { return nil }
        if subtype.isEmpty {
            if type == MediaType.text {
                subtype = Array("PLAIN".utf8)
            } else if type == MediaType.multipart {
                subtype = Array("MIXED".utf8)
            } else {
                return nil
            }
        }
        return MediaType(type: type, subtype: subtype, parameters: parameters())
    }

    // disposition = "Content-Disposition" ":" disposition-type *(";" disposition-parm)        RFC 2183 §2
    @_lifetime(self: copy self)
    mutating func disposition() -> BodyPart.Disposition? {
        let type = token()
        let parameters = parameters()
        return type.isEmpty && parameters.isEmpty ? nil : BodyPart.Disposition(type: type, parameters: parameters)
    }

    // token = 1*<any (US-ASCII) CHAR except SPACE, CTLs, or tspecials>        RFC 2045 §5.1
    /// In upper case, with white space before it skipped; empty when there is none. Octets that are not allowed in one
    /// but separate nothing are taken too.
    @_lifetime(self: copy self)
    mutating func token() -> [UInt8] {
        skipCFWS()
        let range = take { byte in
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: "("), UInt8(ascii: ","),
                UInt8(ascii: "\""):
                false
            case _: !isFoldingSpace(byte)
            }
        }
        return range.map { asciiUppercased(bytes[$0]) }
    }

    // Content-Language = "Content-Language" ":" 1#Language-tag        RFC 3282 §2
    @_lifetime(self: copy self)
    mutating func languages() -> [[UInt8]] {
        var tags: [[UInt8]] = []
        repeat {
            skipCFWS()
            let tag = take { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "(") && !isFoldingSpace($0) }
            if !tag.isEmpty { tags.append(bytes.array(tag)) }
            _ = take { $0 != UInt8(ascii: ",") }
        } while take(",") && tags.count < MessageLimits.languages
        return tags
    }

    // *(";" parameter)        parameter = attribute "=" value        value = token / quoted-string        RFC 2045 §5.1
    @_lifetime(self: copy self)
    private mutating func parameters() -> [BodyParameter] {
        var found: [BodyParameter] = []
        while found.count < MessageLimits.parameters {
            skipCFWS()
            _ = take { $0 != UInt8(ascii: ";") }
            guard take(";") else { break }
            let name = token()
            skipCFWS()
            guard !name.isEmpty, take("=") else { continue }
            found.append(BodyParameter(name: name, value: parameterValue()))
        }
        return joiningContinuations(found)
    }

    /// A value without quotes reaches to the semicolon, for there are file names with spaces; a comment ends it where
    /// white space comes before.
    @_lifetime(self: copy self)
    private mutating func parameterValue() -> [UInt8] {
        skipCFWS()
        if peek == UInt8(ascii: "\"") {
            var value: [UInt8] = []
            takeQuotedString(into: &value)
            return value
        }
        var previous: UInt8 = 0
        let range = take { byte in
            defer { previous = byte }
            return byte != UInt8(ascii: ";") && !(byte == UInt8(ascii: "(") && isFoldingSpace(previous))
        }
        return unfoldedHeaderValue(bytes, range)
    }
}
