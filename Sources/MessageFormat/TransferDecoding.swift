/// How a body is encoded for transport (RFC 2045 §6).
package enum TransferEncoding: Sendable, Hashable {
    /// 7bit, 8bit, binary: the body is as it is.
    case identity
    case base64
    case quotedPrintable

    /// Nil for an encoding that is not known here, such as `X-UUENCODE` (RFC 9051 §7.1 UNKNOWN-CTE).
    package init?(_ name: [UInt8]) {
        switch String(decoding: name.map(asciiUppercased), as: UTF8.self) {
        case "7BIT", "8BIT", "BINARY": self = .identity
        case "BASE64": self = .base64
        case "QUOTED-PRINTABLE": self = .quotedPrintable
        case _: return nil
        }
    }

    /// Never fails: what does not belong into the encoding is passed over or left as it is.
    package func decode(_ octets: Span<UInt8>) -> [UInt8] {
        var decoder = TransferDecoder(self)
        var result: [UInt8] = []
        decoder.decode(octets, to: &result)
        decoder.finish(&result)
        return result
    }
}

/// Undoes a transfer encoding piece by piece: however a body is cut, the same octets come out. What is held back between
/// two pieces is bounded.
package struct TransferDecoder: Sendable, Hashable {
    /// Blanks in a row that are looked past for the end of their line: a line of quoted-printable has 76 octets
    /// (RFC 2045 §6.7), and what is held back for longer would be held in memory.
    static let blanks = 1024

    private let encoding: TransferEncoding
    /// Whether it is the Q encoding of headers (RFC 2047 §4.2), where "_" is a space.
    private let isHeader: Bool
    private var group: UInt32 = 0
    private var digits = 0
    /// The end of the last piece, of quoted-printable, whose meaning depends on what follows.
    private var held: [UInt8] = []

    package init(_ encoding: TransferEncoding) { self.init(encoding, isHeader: false) }

    init(_ encoding: TransferEncoding, isHeader: Bool) {
        self.encoding = encoding
        self.isHeader = isHeader
    }

    /// Appends what the piece comes to.
    package mutating func decode(_ piece: Span<UInt8>, to result: inout [UInt8]) {
        switch encoding {
        case .identity: result.append(piece, 0..<piece.count)
        case .base64: decodeBase64(piece, to: &result)
        case .quotedPrintable:
            guard !held.isEmpty else {
                return held = decodeQuotedPrintable(piece, isLast: false, to: &result)
            }
            var whole = held
            whole.append(piece, 0..<piece.count)
            held = decodeQuotedPrintable(whole.span, isLast: false, to: &result)
        }
    }

    /// The body has ended.
    package mutating func finish(_ result: inout [UInt8]) {
        appendGroup(to: &result)
        guard !held.isEmpty else { return }
        let rest = held
        held = []
        _ = decodeQuotedPrintable(rest.span, isLast: true, to: &result)
    }

    // Base64

    /// Base64 as mail has it (RFC 2045 §6.8): other octets are ignored; padding ends a group, and another may follow,
    /// for there are bodies made of several encodings.
    private mutating func decodeBase64(_ octets: Span<UInt8>, to result: inout [UInt8]) {
        result.reserveCapacity(result.count + octets.count / 4 * 3 + 3)
        for index in octets.indices {
            let byte = octets[index]
            if let digit = base64Digit(byte) {
                group = group << 6 | digit
                digits += 1
                if digits == 4 { appendGroup(to: &result) }
            } else if byte == UInt8(ascii: "=") {
                appendGroup(to: &result)
            }
        }
    }

    /// The whole octets in the digits of the group; bits left over are dropped.
    private mutating func appendGroup(to result: inout [UInt8]) {
        defer { (group, digits) = (0, 0) }
        guard digits >= 2 else { return }
        let aligned = group << UInt32(6 * (4 - digits))
        for octet in 0..<digits - 1 { result.append(UInt8(truncatingIfNeeded: aligned >> UInt32(16 - 8 * octet))) }
    }

    // Quoted-printable (RFC 2045 §6.7)

    /// Decodes what can be decided; the octets left over. An "=" that introduces nothing stays.
    private func decodeQuotedPrintable(_ octets: Span<UInt8>, isLast: Bool, to result: inout [UInt8]) -> [UInt8] {
        result.reserveCapacity(result.count + octets.count)
        var index = 0
        while index < octets.count {
            let byte = octets[index]
            var next: Int?
            switch byte {
            case UInt8(ascii: "="): next = decodeEscape(octets, at: index, isLast: isLast, to: &result)
            case 0x20, 0x09: next = decodeBlanks(octets, at: index, isLast: isLast, to: &result)
            case _:
                result.append(byte == UInt8(ascii: "_") && isHeader ? 0x20 : byte)
                next = index + 1
            }
            guard let next else { return octets.array(index..<octets.count) }
            index = next
        }
        return []
    }

    /// `=XY`, or a soft line break with its transport padding; where to go on, nil when more must be seen.
    private func decodeEscape(_ octets: Span<UInt8>, at index: Int, isLast: Bool, to result: inout [UInt8]) -> Int? {
        if index + 2 < octets.count, let high = hexDigitValue(octets[index + 1]),
            let low = hexDigitValue(octets[index + 2])
        {
            result.append(high << 4 | low)
            return index + 3
        }
        let isHex = index + 1 < octets.count && hexDigitValue(octets[index + 1]) != nil
        if isHex, index + 2 == octets.count, !isLast { return nil }
        var end = endOfBlanks(octets, from: index + 1)
        if end - index <= Self.blanks {
            if end < octets.count, octets[end] == 0x0D { end += 1 }
            if end < octets.count, octets[end] == 0x0A { return end + 1 }
            if end == octets.count { return isLast ? end : nil }
        }
        result.append(octets[index])
        return index + 1
    }

    /// Blanks at the end of a line were added on the way (RFC 2045 §6.7 rule 3).
    private func decodeBlanks(_ octets: Span<UInt8>, at index: Int, isLast: Bool, to result: inout [UInt8]) -> Int? {
        let end = endOfBlanks(octets, from: index)
        guard end < octets.count || isLast else { return nil }
        let atLineEnd = end < octets.count && (octets[end] == 0x0D || octets[end] == 0x0A)
        if !atLineEnd { result.append(octets, index..<end) }
        return end
    }

    private func endOfBlanks(_ octets: Span<UInt8>, from start: Int) -> Int {
        let limit = min(octets.count, start + Self.blanks)
        var end = start
        while end < limit, isBlank(octets[end]) { end += 1 }
        return end
    }
}

func decodeBase64(_ octets: Span<UInt8>) -> [UInt8] { TransferEncoding.base64.decode(octets) }

/// Quoted-printable, or the Q encoding of headers.
func decodeQuotedPrintable(_ octets: Span<UInt8>, isHeader: Bool) -> [UInt8] {
    var decoder = TransferDecoder(.quotedPrintable, isHeader: isHeader)
    var result: [UInt8] = []
    decoder.decode(octets, to: &result)
    decoder.finish(&result)
    return result
}

private func base64Digit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    case _: nil
    }
}
