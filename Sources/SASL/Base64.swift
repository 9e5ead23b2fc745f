/// Base64 with padding and without line breaks (RFC 4648 §4), as SASL's exchanges use it.
package enum Base64 {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    package static func encode(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var group: UInt32 = 0
        var held = 0
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            held += 1
            if held == 3 {
                appendDigits(4, of: group, to: &result)
                (group, held) = (0, 0)
            }
        }
        if held > 0 {
            appendDigits(held + 1, of: group << UInt32(8 * (3 - held)), to: &result)
            for _ in held..<3 { result.append(UInt8(ascii: "=")) }
        }
        return result
    }

    private static func appendDigits(_ count: Int, of group: UInt32, to result: inout [UInt8]) {
        for index in 0..<count {
            unsafe result.append(alphabet.utf8Start[Int(group >> UInt32(18 - 6 * index) & 0x3F)])
        }
    }

    /// Nil unless the input is exactly base64: right length, right padding, zero bits behind the last octet.
    package static func decode(_ input: Span<UInt8>) -> [UInt8]? {
        guard input.count % 4 == 0 else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(input.count / 4 * 3)
        var index = 0
        while index < input.count {
            let isLast = index + 4 == input.count
            let padding = isLast ? (input[index + 3] != 0x3D ? 0 : input[index + 2] != 0x3D ? 1 : 2) : 0
            var group: UInt32 = 0
            for offset in 0..<(4 - padding) {
                guard let value = value(input[index + offset]) else { return nil }
                group |= value << UInt32(18 - 6 * offset)
            }
            let kept = 3 - padding
            guard group & (UInt32(0xFF_FFFF) >> UInt32(8 * kept)) == 0 else { return nil }
            for octet in 0..<kept { result.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * octet))) }
            index += 4
        }
        return result
    }

    private static func value(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        case _: nil
        }
    }
}
