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
        switch self {
        case .identity: octets.array(0..<octets.count)
        case .base64: decodeBase64(octets)
        case .quotedPrintable: decodeQuotedPrintable(octets, isHeader: false)
        }
    }
}

/// Base64 as mail has it (RFC 2045 §6.8): other octets are ignored; padding ends a group, and another may follow, for
/// there are bodies made of several encodings.
func decodeBase64(_ octets: Span<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(octets.count / 4 * 3)
    var (group, held): (UInt32, Int) = (0, 0)
    for index in octets.indices {
        let byte = octets[index]
        if let digit = base64Digit(byte) {
            group = group << 6 | digit
            held += 1
        } else if byte == UInt8(ascii: "=") {
            appendBase64(group, digits: held, to: &result)
            held = 0
        }
        if held == 4 {
            appendBase64(group, digits: held, to: &result)
            held = 0
        }
    }
    appendBase64(group, digits: held, to: &result)
    return result
}

/// The whole octets in the last `digits` of the group; bits left over are dropped.
private func appendBase64(_ group: UInt32, digits: Int, to result: inout [UInt8]) {
    guard digits >= 2 else { return }
    let aligned = group << UInt32(6 * (4 - digits))
    for octet in 0..<digits - 1 { result.append(UInt8(truncatingIfNeeded: aligned >> UInt32(16 - 8 * octet))) }
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

/// Quoted-printable (RFC 2045 §6.7), and the Q encoding of headers (RFC 2047 §4.2), where "_" is a space. An "=" that
/// introduces nothing stays.
func decodeQuotedPrintable(_ octets: Span<UInt8>, isHeader: Bool) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(octets.count)
    var index = 0
    while index < octets.count {
        let byte = octets[index]
        switch byte {
        case UInt8(ascii: "="):
            index = decodeEscape(octets, at: index, to: &result)
        case UInt8(ascii: "_") where isHeader:
            result.append(0x20)
            index += 1
        case 0x20, 0x09:
            index = decodeBlanks(octets, at: index, to: &result)
        case _:
            result.append(byte)
            index += 1
        }
    }
    return result
}

/// `=XY`, or a soft line break with its transport padding; where to go on.
private func decodeEscape(_ octets: Span<UInt8>, at index: Int, to result: inout [UInt8]) -> Int {
    if index + 2 < octets.count, let high = hexDigitValue(octets[index + 1]), let low = hexDigitValue(octets[index + 2])
    {
        result.append(high << 4 | low)
        return index + 3
    }
    var end = index + 1
    while end < octets.count, isBlank(octets[end]) { end += 1 }
    if end < octets.count, octets[end] == 0x0D { end += 1 }
    if end < octets.count, octets[end] == 0x0A { return end + 1 }
    if end == octets.count { return end }
    result.append(octets[index])
    return index + 1
}

/// Blanks at the end of a line were added on the way (RFC 2045 §6.7 rule 3).
private func decodeBlanks(_ octets: Span<UInt8>, at index: Int, to result: inout [UInt8]) -> Int {
    var end = index
    while end < octets.count, isBlank(octets[end]) { end += 1 }
    let atLineEnd = end < octets.count && (octets[end] == 0x0D || octets[end] == 0x0A)
    if !atLineEnd { result.append(octets, index..<end) }
    return end
}
