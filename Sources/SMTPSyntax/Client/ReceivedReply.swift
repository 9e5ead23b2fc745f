import WireFraming

/// What a server answered to one command. Its text is the server's: for logs and notices, never to be acted on.
package struct ReceivedReply: Sendable, Hashable {
    /// 200...599
    package var code: UInt16
    /// From the text's start; nil without one, and when its class is not the code's first digit (RFC 2034 §4).
    package var status: EnhancedStatus?
    /// Without code and enhanced code, never empty. Control characters are left out, and what is not UTF-8 replaced.
    package var lines: [String]

    package init(_ code: UInt16, _ status: EnhancedStatus? = nil, lines: [String]) {
        self.code = code
        self.status = status
        self.lines = lines.isEmpty ? [""] : lines
    }

    /// 2yz (RFC 5321 §4.2.1).
    package var isPositive: Bool { code / 100 == 2 }
    /// 3yz
    package var isIntermediate: Bool { code / 100 == 3 }
    /// 4yz: worth another try.
    package var isTransient: Bool { code / 100 == 4 }
    /// 5yz
    package var isPermanent: Bool { code / 100 == 5 }

    /// X.Y.Z (RFC 3463): the server's, else `X.0.0` after its code.
    package var statusText: String { "\(code / 100).\(status?.subject ?? 0).\(status?.detail ?? 0)" }

    /// On one line, as diagnostic codes are written: `550 5.1.1 no such user`.
    package var text: String {
        let enhanced = status == nil ? "" : " \(statusText)"
        let words = lines.filter { !$0.isEmpty }.joined(separator: " ")
        return "\(code)\(enhanced)\(words.isEmpty ? "" : " ")\(words)"
    }
}

/// What a server sends is no reply.
package enum ReplyDefect: Error, Sendable, Hashable {
    case malformed
    /// A CR or LF alone: what ends a line here may not end it elsewhere.
    case bareLineEnd
    case lineTooLong
    case tooManyLines
    /// The lines of one reply have different codes (RFC 5321 §4.2.1).
    case differentCodes
}

/// Reads replies, line by line as they come.
package struct ReplyParser: Sendable {
    /// Octets without CRLF. RFC 5321 §4.5.3.1.5 has 510; servers write more, and a cap is all that is needed.
    package static let maximumLineLength = 4096
    /// Servers' EHLO answers have some twenty; long notices fifty.
    package static let maximumLines = 256
    /// Characters of text that are kept of a reply, for a log or a notice; all lines of a shorter line's length.
    package static let maximumText = 16_384

    private var code: UInt16?
    private var status: EnhancedStatus?
    private var lines: [String] = []
    private var kept = 0
    private var searched = 0

    package init() {}

    /// Amid a reply.
    package var isWithinReply: Bool { code != nil }

    /// The next reply, nil when it is not complete. Consumes whole lines only.
    package mutating func next(
        _ input: Span<UInt8>, consumed: inout Int
    ) throws(ReplyDefect) -> ReceivedReply? {
        while true {
            let rest = input.extracting(consumed..<input.count)
            switch frameLine(rest, limit: Self.maximumLineLength, searched: &searched) {
            case .incomplete: return nil
            case .tooLong: throw .lineTooLong
            case .line(let length, let used, let endsWithCRLF):
                searched = 0
                guard endsWithCRLF else { throw .bareLineEnd }
                consumed += used
                if try isLast(rest.extracting(0..<length)) { return take() }
            }
        }
    }

    // Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF      RFC 5321 §4.2
    // Reply-code = %x32-35 %x30-35 %x30-39         the second digit is not held to that: nobody else's servers are
    private mutating func isLast(_ line: Span<UInt8>) throws(ReplyDefect) -> Bool {
        var cursor = ByteCursor(line)
        let digits = cursor.take(while: isDigit)
        guard digits.count == 3, let value = UInt16(cursor.text(digits)), (200...599).contains(value) else {
            throw .malformed
        }
        if let code, code != value { throw .differentCodes }
        let isLast = cursor.isAtEnd || cursor.peek == 0x20
        guard isLast || cursor.peek == UInt8(ascii: "-") else { throw .malformed }
        if !cursor.isAtEnd { cursor.position += 1 }
        guard lines.count < Self.maximumLines else { throw .tooManyLines }
        if let own = cursor.enhancedStatus(of: value), code == nil || own == status { status = own }
        let text = try ReplyParser.text(cursor)
        code = value
        lines.append(kept + text.count <= Self.maximumText ? text : "")
        kept += text.count
        return isLast
    }

    /// Without what a terminal or a log would take for more than text.
    private static func text(_ cursor: borrowing ByteCursor) throws(ReplyDefect) -> String {
        var bytes: [UInt8] = []
        for index in cursor.position..<cursor.bytes.count {
            let byte = cursor.bytes[index]
            if byte == 0x0D { throw .bareLineEnd }
            if byte == 0x09 { bytes.append(0x20) } else if byte >= 0x20, byte != 0x7F { bytes.append(byte) }
        }
        var text = String(decoding: bytes, as: UTF8.self)
        // C1 controls and what turns writing direction hide in UTF-8.
        text.unicodeScalars.removeAll { scalar in
            switch scalar.value {
            case 0x80...0x9F, 0x2028...0x202E, 0x2066...0x2069: true
            case _: false
            }
        }
        return text
    }

    private mutating func take() -> ReceivedReply {
        defer { self = ReplyParser() }
        return ReceivedReply(code ?? 0, status, lines: lines)
    }
}

extension ByteCursor {
    // status-code ::= class "." subject "." detail         subject, detail ::= 1*3digit         RFC 3463 §2
    /// Takes it with the space behind it; nil, and nothing taken, when there is none that fits the code.
    @_lifetime(self: copy self)
    fileprivate mutating func enhancedStatus(of code: UInt16) -> EnhancedStatus? {
        let start = position
        guard let kind = number(upTo: 9), kind == UInt64(code / 100), kind != 3, take(UInt8(ascii: ".")),
            let subject = number(upTo: 999), take(UInt8(ascii: ".")), let detail = number(upTo: 999),
            isAtEnd || take(0x20)
        else {
            position = start
            return nil
        }
        return EnhancedStatus(UInt16(subject), UInt16(detail))
    }
}
