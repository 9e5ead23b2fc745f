package import MailVocabulary
package import WireFraming

/// How strings may be written to the client.
package enum StringEncoding: Sendable, Hashable {
    /// Octets above 127 only in literals (RFC 3501 §4.3).
    case ascii
    /// UTF-8 in quoted strings too, after ENABLE of IMAP4rev2 or UTF8=ACCEPT (RFC 9051 §4.3, RFC 6855 §3).
    case utf8
}

/// The longest string that is quoted: clients have limits on lines, too.
private let longestQuoted = 1000

private enum StringForm {
    case literal
    case quoted
    /// With a backslash somewhere.
    case escaped
}

extension OutputBuffer {
    // string = quoted / literal          RFC 9051 §9
    /// Quoted when the octets allow it, else a literal. The octets are not checked: a NUL would break the grammar of
    /// both, and is the caller's to replace.
    package mutating func append(string octets: Span<UInt8>, _ encoding: StringEncoding = .ascii) {
        switch form(of: octets, encoding) {
        case .literal:
            append(literalOf: octets.count)
            append(octets)
        case .quoted:
            append(UInt8(ascii: "\""))
            append(octets)
            append(UInt8(ascii: "\""))
        case .escaped:
            append(UInt8(ascii: "\""))
            for index in octets.indices {
                let byte = octets[index]
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { append(UInt8(ascii: "\\")) }
                append(byte)
            }
            append(UInt8(ascii: "\""))
        }
    }

    package mutating func append(string octets: [UInt8], _ encoding: StringEncoding = .ascii) {
        append(string: octets.span, encoding)
    }

    package mutating func append(string text: String, _ encoding: StringEncoding = .ascii) {
        append(string: text.utf8.span, encoding)
    }

    // nstring = string / nil
    package mutating func append(nstring octets: [UInt8]?, _ encoding: StringEncoding = .ascii) {
        guard let octets else { return append("NIL" as StaticString) }
        append(string: octets.span, encoding)
    }

    package mutating func append(nstring text: String?, _ encoding: StringEncoding = .ascii) {
        guard let text else { return append("NIL" as StaticString) }
        append(string: text, encoding)
    }

    // astring = 1*ASTRING-CHAR / string
    /// An atom when that can be. NIL is quoted: some clients take it for no string at all.
    package mutating func append(astring octets: [UInt8], _ encoding: StringEncoding = .ascii) {
        let isNil = octets.count == 3 && octets.map { $0 & 0xDF } == Array("NIL".utf8)
        guard !octets.isEmpty, octets.count <= longestQuoted, !isNil, octets.allSatisfy(CharacterClass.isAstring) else {
            return append(string: octets.span, encoding)
        }
        append(octets)
    }

    // literal = "{" number64 "}" CRLF *CHAR8
    /// The header alone, for octets that follow piece by piece.
    package mutating func append(literalOf count: Int) {
        append(UInt8(ascii: "{"))
        append(decimal: count)
        append("}\r\n" as StaticString)
    }

    // literal8 = "~{" number64 "}" CRLF *OCTET          RFC 3516 §4.4
    package mutating func append(binaryLiteralOf count: Int) {
        append(UInt8(ascii: "~"))
        append(literalOf: count)
    }

    // mailbox = "INBOX" / astring
    package mutating func append(mailbox name: MailboxName, _ encoding: MailboxEncoding) {
        append(mailboxText: name.text, encoding)
    }

    /// A reference or a prefix: what is like a mailbox's name without being one.
    package mutating func append(mailboxText text: String, _ encoding: MailboxEncoding) {
        switch encoding {
        case .modifiedUTF7: append(astring: encoding.encode(text))
        case .utf8: append(astring: encoding.encode(text), .utf8)
        }
    }

    private func form(of octets: Span<UInt8>, _ encoding: StringEncoding) -> StringForm {
        guard octets.count <= longestQuoted else { return .literal }
        var isASCII = true
        var isPlain = true
        for index in octets.indices {
            switch octets[index] {
            case 0x00, 0x0A, 0x0D: return .literal
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): isPlain = false
            case 0x80...0xFF: isASCII = false
            case _: break
            }
        }
        guard isASCII || (encoding == .utf8 && isUTF8(octets)) else { return .literal }
        return isPlain ? .quoted : .escaped
    }

    private func isUTF8(_ octets: Span<UInt8>) -> Bool { (try? UTF8Span(validating: octets)) != nil }
}
