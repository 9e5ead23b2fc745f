package import MailVocabulary
package import WireFraming

/// A command with its arguments. Message numbers are as sent: whether there is such a message is not syntax.
package enum POP3Command: Sendable {
    /// Nil asks for the list of mechanisms (not in RFC 5034, but sent by old clients).
    case auth(POP3Authentication?)
    case capa
    case dele(UInt32)
    /// Nil asks for the list of languages.
    case lang(String?)
    case list(UInt32?)
    case noop
    case pass(Secret)
    case quit
    case retr(UInt32)
    case rset
    case stat
    case stls
    case top(UInt32, lines: UInt32)
    case uidl(UInt32?)
    case user(String)
    case utf8
}

/// The arguments of AUTH.
package struct POP3Authentication: Sendable {
    /// As sent; 1 to 20 octets of upper or lower case letters, digits, "-" and "_".
    package var mechanism: String
    /// Still in base64; `=` stands for the empty one. Nil when the client waits to be asked.
    package var initialResponse: Secret?
}

/// What is wrong with a command's arguments.
package enum POP3SyntaxError: Error, Sendable, Hashable, CaseIterable {
    /// Below 0x20, or 0x7F: nothing a person types, and never part of a name or password.
    case controlCharacter
    case missingArgument
    /// One more than the command takes, or the space of one.
    case unexpectedArgument
    /// Not a decimal number below 2³².
    case invalidNumber
    case invalidMechanism
    case invalidLanguage
    /// RFC 6856 §2.2: names and passwords that are not UTF-8 are refused.
    case invalidUTF8
    case argumentTooLong
}

extension POP3Command {
    /// Reads the arguments of `verb`; the cursor stands behind the keyword, and its bytes end where the line does.
    package init(_ verb: POP3Verb, _ cursor: inout ByteCursor) throws(POP3SyntaxError) {
        switch verb {
        case .auth: self = .auth(try Self.authentication(&cursor))
        case .dele: self = .dele(try Self.requiredNumber(&cursor))
        case .lang: self = .lang(try Self.language(&cursor))
        case .list: self = .list(try Self.optionalNumber(&cursor))
        case .pass: self = .pass(try Self.password(&cursor))
        case .retr: self = .retr(try Self.requiredNumber(&cursor))
        case .top: self = .top(try Self.requiredNumber(&cursor), lines: try Self.requiredNumber(&cursor))
        case .uidl: self = .uidl(try Self.optionalNumber(&cursor))
        case .user: self = .user(try Self.name(&cursor))
        case .capa: self = .capa
        case .noop: self = .noop
        case .quit: self = .quit
        case .rset: self = .rset
        case .stat: self = .stat
        case .stls: self = .stls
        case .utf8: self = .utf8
        }
        guard cursor.isAtEnd else { throw .unexpectedArgument }
    }

    // "USER" SP name          RFC 1939 §7; UTF-8 by RFC 6856 §2.2
    private static func name(_ cursor: inout ByteCursor) throws(POP3SyntaxError) -> String {
        let bytes = try rest(&cursor)
        guard let name = String(validating: bytes, as: UTF8.self) else { throw .invalidUTF8 }
        return name
    }

    // "PASS" SP string          RFC 1939 §7: spaces may be part of the password
    private static func password(_ cursor: inout ByteCursor) throws(POP3SyntaxError) -> Secret {
        let bytes = try rest(&cursor)
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .invalidUTF8 }
        return Secret(bytes)
    }

    // "AUTH" [SP sasl-mech [SP initial-response]]          RFC 5034 §8; without argument: a listing
    private static func authentication(_ cursor: inout ByteCursor) throws(POP3SyntaxError) -> POP3Authentication? {
        guard !cursor.isAtEnd else { return nil }
        guard cursor.take(0x20) else { throw .unexpectedArgument }
        let mechanism = cursor.take(while: isMechanismCharacter)
        guard (1...20).contains(mechanism.count) else { throw .invalidMechanism }
        let name = cursor.text(mechanism)
        guard !cursor.isAtEnd else { return POP3Authentication(mechanism: name, initialResponse: nil) }
        guard cursor.take(0x20) else { throw .invalidMechanism }
        let response = cursor.take(while: { $0 > 0x20 && $0 < 0x7F })
        guard !response.isEmpty else { throw .missingArgument }
        guard response.count <= POP3Limits.response else { throw .argumentTooLong }
        return POP3Authentication(mechanism: name, initialResponse: Secret(cursor.array(response)))
    }

    // "LANG" [SP (language-range / "*")]          RFC 6856 §3.2, RFC 4647 §2.1
    private static func language(_ cursor: inout ByteCursor) throws(POP3SyntaxError) -> String? {
        guard !cursor.isAtEnd else { return nil }
        guard cursor.take(0x20) else { throw .unexpectedArgument }
        let range = cursor.take(while: { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "*") })
        guard !range.isEmpty, cursor.isAtEnd else { throw .invalidLanguage }
        return cursor.text(range)
    }

    // SP msg          RFC 1939 §5
    private static func requiredNumber(_ cursor: inout ByteCursor) throws(POP3SyntaxError) -> UInt32 {
        guard let number = try optionalNumber(&cursor) else { throw .missingArgument }
        return number
    }

    // [SP msg]          RFC 1939 §5
    private static func optionalNumber(_ cursor: inout ByteCursor) throws(POP3SyntaxError) -> UInt32? {
        guard !cursor.isAtEnd else { return nil }
        guard cursor.take(0x20) else { throw .unexpectedArgument }
        guard let number = cursor.number(upTo: UInt64(UInt32.max)) else { throw .invalidNumber }
        return UInt32(truncatingIfNeeded: number)
    }

    private static func rest(_ cursor: inout ByteCursor) throws(POP3SyntaxError) -> [UInt8] {
        guard cursor.take(0x20) else { throw cursor.isAtEnd ? .missingArgument : .unexpectedArgument }
        guard !cursor.isAtEnd else { throw .missingArgument }
        let range = cursor.take(while: { !isControl($0) })
        guard cursor.isAtEnd else { throw .controlCharacter }
        return cursor.array(range)
    }

    /// Whether an octet is never part of a command.
    package static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }

    private static func isMechanismCharacter(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case _: false
        }
    }
}
