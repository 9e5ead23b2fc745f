package import WireFraming

/// What the unread bytes begin with.
package enum IMAPFrame: Sendable, Hashable {
    /// The line has not come to its end.
    case incomplete
    /// A line that ends the command: `length` octets without its end, `consumed` with it.
    case line(length: Int, consumed: Int)
    /// A line that ends in a literal's header, which is part of `length`; the literal comes next.
    case literal(LiteralHeader, length: Int, consumed: Int)
    /// A line that ends in a LF alone. It is no line of IMAP: to take it for one is how commands get smuggled.
    case bareLineFeed(consumed: Int)
    /// More octets than a line may have.
    case tooLong
}

/// Cuts bytes from a client into lines, and knows where a literal follows (RFC 9051 §2.2.1, §4.3). It does not parse:
/// a `{n}` at the end of a line is a literal's header whatever stands before it, as nothing else in the grammar ends
/// so.
package struct IMAPFramer: Sendable {
    /// How far earlier calls looked, so that a line in small pieces costs no more than one that comes whole.
    private var searched = 0

    package init() {}

    package mutating func next(_ input: Span<UInt8>, limit: Int = IMAPLimits.line) -> IMAPFrame {
        switch nextLine(input, limit: limit) {
        case .incomplete: return .incomplete
        case .tooLong: return .tooLong
        case .line(_, let consumed, endsWithCRLF: false): return .bareLineFeed(consumed: consumed)
        case .line(let length, let consumed, endsWithCRLF: true):
            guard let header = LiteralHeader(endOf: input, length) else {
                return .line(length: length, consumed: consumed)
            }
            return .literal(header, length: length, consumed: consumed)
        }
    }

    /// The next line with no thought of literals: a SASL response, DONE.
    package mutating func nextLine(_ input: Span<UInt8>, limit: Int) -> LineFrame {
        let frame = frameLine(input, limit: limit, searched: &searched)
        switch frame {
        case .incomplete: break
        case .line, .tooLong: searched = 0
        }
        return frame
    }
}

extension LiteralHeader {
    /// Octets of a header at most; the longest in use is `~{9223372036854775807+}`. With more digits it is none.
    static let maximumLength = 24

    // literal  = "{" number64 ["+"] "}" CRLF *CHAR8          RFC 9051 §9
    // literal8 = "~{" number64 ["+"] "}" CRLF *OCTET         RFC 9051 §9, RFC 7888 §6
    /// The header that these octets end in. A number too large to be one is taken for the largest: the octets to come
    /// are not commands, however many they are.
    package init?(endOf line: Span<UInt8>, _ length: Int) {
        guard length >= 3, line[length - 1] == UInt8(ascii: "}") else { return nil }
        var end = length - 1
        let isSynchronizing = line[end - 1] != UInt8(ascii: "+")
        if !isSynchronizing { end -= 1 }
        var start = end
        while start > 0, line[start - 1] >= 0x30, line[start - 1] <= 0x39 { start -= 1 }
        guard start < end, start > 0, line[start - 1] == UInt8(ascii: "{"),
            length - start + 1 < Self.maximumLength
        else { return nil }
        var digits = ByteCursor(line.extracting(start..<end))
        let count = digits.number(upTo: UInt64(Int64.max)) ?? UInt64(Int64.max)
        let isBinary = start > 1 && line[start - 2] == UInt8(ascii: "~")
        self.init(count: count, isSynchronizing: isSynchronizing, isBinary: isBinary)
    }
}
