/// What a part's header says of how its body can be changed.
struct EntityHeader: Sendable {
    enum Kind: Sendable, Hashable {
        case text
        case other
        /// May not be encoded itself (RFC 2046 §5.2.2, RFC 6522 §3), nor is it looked into.
        case rigid
        /// A message that is looked into (RFC 2046 §5.2.1).
        case message
        case multipart(boundary: [UInt8], isDigest: Bool)
    }

    enum Encoding: Sendable, Hashable {
        /// Said, or the default.
        case sevenBit
        case eightBit
        case binary
        /// base64 or quoted-printable.
        case encoded
        case unknown
    }

    /// With the blank line.
    let octets: [UInt8]
    private(set) var kind = Kind.text
    private(set) var encoding = Encoding.sevenBit
    private(set) var hasMIMEVersion = false
    private(set) var hasContentType = false
    /// Covered by a signature that is here: `DKIM-Signature`, or a multipart/signed.
    private(set) var isSigned = false
    /// Of its octets.
    let scan: BodyScan
    /// A whole message's, not a part's.
    let isMessage: Bool

    /// Nil when it is none: a line in it is neither a field nor a continuation.
    init?(_ octets: [UInt8], isMessage: Bool, isInDigest: Bool) {
        self.octets = octets
        self.isMessage = isMessage
        var scan = BodyScan()
        scan.add(octets.span)
        scan.finish()
        self.scan = scan
        if isInDigest { kind = .message }
        let bytes = octets.span
        var fields = HeaderFields(bytes)
        while let field = fields.next() {
            if bytes.isWord("CONTENT-TYPE", in: field.nameRange), !hasContentType {
                hasContentType = true
                var lexer = FieldLexer(bytes, field.valueRange)
                take(lexer.mediaType())
            } else if bytes.isWord("CONTENT-TRANSFER-ENCODING", in: field.nameRange) {
                encoding = EntityHeader.encoding(unfoldedHeaderValue(bytes, field.valueRange))
            } else if bytes.isWord("MIME-VERSION", in: field.nameRange) {
                hasMIMEVersion = true
            } else if bytes.isWord("DKIM-SIGNATURE", in: field.nameRange) {
                isSigned = isSigned || isMessage
            }
        }
        guard fields.hasBlankLine || fields.position == octets.count, fields.position == octets.count else {
            return nil
        }
        // What is encoded would have to be decoded before it is a message or has parts.
        if encoding == .encoded || encoding == .unknown { flatten() }
    }

    private mutating func take(_ media: MediaType?) {
        guard let media else { return kind = .other }
        if media.isMultipart {
            isSigned = isSigned || media.subtype.isWord("SIGNED")
            let boundary = media.boundary ?? []
            kind = boundary.isEmpty ? .rigid : .multipart(boundary: boundary, isDigest: media.subtype.isWord("DIGEST"))
        } else if media.isMessage {
            kind = .message
        } else if media.type == MediaType.message {
            kind = .rigid
        } else {
            kind = media.type == MediaType.text ? .text : .other
        }
    }

    private mutating func flatten() {
        switch kind {
        case .message, .multipart: kind = .rigid
        case .text, .other, .rigid: break
        }
    }

    private static func encoding(_ value: [UInt8]) -> Encoding {
        let name = value.prefix { $0 != 0x20 && $0 != 0x09 && $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "(") }
        switch String(decoding: name.map(asciiUppercased), as: UTF8.self) {
        case "7BIT", "": return .sevenBit
        case "8BIT": return .eightBit
        case "BINARY": return .binary
        case "BASE64", "QUOTED-PRINTABLE": return .encoded
        case _: return .unknown
        }
    }

    /// The header with another encoding in the place of its own; nil: none, which is 7bit.
    func replacingEncoding(by name: StaticString?, isTyped: Bool) -> [UInt8] {
        let bytes = octets.span
        var result: [UInt8] = []
        var fields = HeaderFields(bytes)
        while let field = fields.next() {
            if bytes.isWord("CONTENT-TRANSFER-ENCODING", in: field.nameRange) { continue }
            result.append(bytes, field.fieldRange)
            if result.last != 0x0A { result += [0x0D, 0x0A] }
        }
        if isMessage, !hasMIMEVersion { result += Array("MIME-Version: 1.0\r\n".utf8) }
        // What the octets mean is not known (RFC 1428 §3).
        if isTyped, !hasContentType { result += Array("Content-Type: text/plain; charset=unknown-8bit\r\n".utf8) }
        if let name { result += Array("Content-Transfer-Encoding: \(name)\r\n".utf8) }
        return result + [0x0D, 0x0A]
    }
}
