/// Mailbox names of IMAP4rev1 (RFC 3501 §5.1.3): printable ASCII as it is, `&-` for `&`, and the rest in UTF-16 as
/// base64 between `&` and `-`, with `,` for `/` and without padding.
package enum ModifiedUTF7 {
    private static let shift = UInt8(ascii: "&")
    private static let unshift = UInt8(ascii: "-")

    /// Nil unless this is the one way to write the name: no octets outside printable ASCII, nothing shifted that need
    /// not be, no surrogate alone, no bits left over. One name has then one form, and none hides a `/` or a `%`.
    package static func decode(_ octets: [UInt8]) -> String? {
        var result: [UInt8] = []
        result.reserveCapacity(octets.count)
        var index = 0
        var wasShifted = false
        while index < octets.count {
            guard isPrintable(octets[index]) else { return nil }
            guard octets[index] == shift else {
                result.append(octets[index])
                index += 1
                wasShifted = false
                continue
            }
            guard let end = octets[(index + 1)...].firstIndex(of: unshift) else { return nil }
            let digits = octets[(index + 1)..<end]
            index = end + 1
            if digits.isEmpty {
                result.append(shift)
                wasShifted = false
            } else {
                guard !wasShifted, let text = decodeShifted(digits) else { return nil }
                result += text.utf8
                wasShifted = true
            }
        }
        return String(validating: result, as: UTF8.self)
    }

    package static func encode(_ text: String) -> [UInt8] {
        var result: [UInt8] = []
        var pending: [UInt16] = []
        for scalar in text.unicodeScalars {
            guard scalar.isASCII, isPrintable(UInt8(scalar.value)) else {
                pending += UTF16.encode(scalar).map { Array($0) } ?? []
                continue
            }
            flush(&pending, to: &result)
            result.append(UInt8(scalar.value))
            if scalar == "&" { result.append(unshift) }
        }
        flush(&pending, to: &result)
        return result
    }

    private static func isPrintable(_ byte: UInt8) -> Bool { byte >= 0x20 && byte <= 0x7E }

    private static func decodeShifted(_ digits: ArraySlice<UInt8>) -> String? {
        var units: [UInt16] = []
        var bits: UInt32 = 0
        var held = 0
        for digit in digits {
            guard let value = value(of: digit) else { return nil }
            bits = (bits << 6 | value) & 0x3F_FFFF
            held += 6
            guard held >= 16 else { continue }
            held -= 16
            units.append(UInt16(truncatingIfNeeded: bits >> UInt32(held)))
        }
        guard held < 6, bits & (1 << UInt32(held) - 1) == 0,
            !units.contains(where: { $0 < 0x80 && isPrintable(UInt8($0)) })
        else { return nil }
        return String(validating: units, as: UTF16.self)
    }

    private static func flush(_ units: inout [UInt16], to result: inout [UInt8]) {
        guard !units.isEmpty else { return }
        result.append(shift)
        var bits: UInt32 = 0
        var held: UInt32 = 0
        for unit in units {
            bits = bits << 16 | UInt32(unit)
            held += 16
            while held >= 6 {
                held -= 6
                result.append(digit(of: bits >> held & 0x3F))
            }
            bits &= 1 << held - 1
        }
        if held > 0 { result.append(digit(of: bits << (6 - held) & 0x3F)) }
        result.append(unshift)
        units.removeAll()
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: ","): 63
        case _: nil
        }
    }

    private static func digit(of value: UInt32) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: value)
        return switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + (value - 26)
        case 52..<62: UInt8(ascii: "0") + (value - 52)
        case 62: UInt8(ascii: "+")
        case _: UInt8(ascii: ",")
        }
    }
}
