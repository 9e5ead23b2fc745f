/// Writes base64 as bodies have it (RFC 2045 §6.8), piece by piece.
struct Base64BodyEncoder: Sendable {
    /// 76 characters a line.
    private static let octetsPerLine = 57
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private var held: [UInt8] = []
    private var isFirstLine = true

    mutating func encode(_ piece: ArraySlice<UInt8>, to output: inout [UInt8]) {
        for byte in piece {
            held.append(byte)
            if held.count == Self.octetsPerLine { writeLine(&output) }
        }
    }

    /// Without a line end behind the last line: the delimiter has one ahead.
    mutating func finish(_ output: inout [UInt8]) { if !held.isEmpty { writeLine(&output) } }

    private mutating func writeLine(_ output: inout [UInt8]) {
        if !isFirstLine { output += [0x0D, 0x0A] }
        isFirstLine = false
        var index = 0
        while index < held.count {
            let count = min(3, held.count - index)
            var group: UInt32 = 0
            for offset in 0..<3 { group = group << 8 | (offset < count ? UInt32(held[index + offset]) : 0) }
            for digit in 0..<4 {
                let isPadding = digit > count
                output.append(
                    isPadding ? UInt8(ascii: "=") : Self.alphabet[Int(group >> UInt32(18 - 6 * digit) & 0x3F)])
            }
            index += 3
        }
        held.removeAll(keepingCapacity: true)
    }
}

/// Writes quoted-printable text (RFC 2045 §6.7), piece by piece: CRLF stays a line's end, everything else that is not
/// plain is escaped.
struct QuotedPrintableEncoder: Sendable {
    /// Ahead of the "=" of a soft line break.
    private static let columns = 75
    private static let digits = Array("0123456789ABCDEF".utf8)

    private var column = 0
    /// A blank whose line may end behind it, or a CR whose LF has not come.
    private var held: UInt8?

    mutating func encode(_ piece: ArraySlice<UInt8>, to output: inout [UInt8]) {
        for byte in piece {
            if held == 0x0D {
                held = nil
                if byte == 0x0A {
                    output += [0x0D, 0x0A]
                    column = 0
                    continue
                }
                escape(0x0D, &output)
            } else if let blank = held {
                held = nil
                if byte == 0x0D { escape(blank, &output) } else { write([blank], &output) }
            }
            switch byte {
            case 0x0D, 0x20, 0x09: held = byte
            case 33...60, 62...126: write([byte], &output)
            case _: escape(byte, &output)
            }
        }
    }

    mutating func finish(_ output: inout [UInt8]) {
        if let last = held { escape(last, &output) }
        held = nil
    }

    private mutating func escape(_ byte: UInt8, _ output: inout [UInt8]) {
        write([UInt8(ascii: "="), Self.digits[Int(byte >> 4)], Self.digits[Int(byte & 15)]], &output)
    }

    private mutating func write(_ token: [UInt8], _ output: inout [UInt8]) {
        if column + token.count > Self.columns {
            output += [UInt8(ascii: "="), 0x0D, 0x0A]
            column = 0
        }
        output += token
        column += token.count
    }
}
