/// An IPv4 or IPv6 address as octets. IPv4 on an IPv6 socket (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2) is IPv4.
package struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
    /// The first 64 bits of an IPv6 address; 0 of an IPv4 address.
    let high: UInt64
    /// The last 64 bits of an IPv6 address; the 32 of an IPv4 address.
    let low: UInt64
    package let isIPv4: Bool

    private init(high: UInt64, low: UInt64, isIPv4: Bool) {
        let isMapped = !isIPv4 && high == 0 && low >> 32 == 0xFFFF
        self.high = high
        self.low = isMapped ? low & 0xFFFF_FFFF : low
        self.isIPv4 = isIPv4 || isMapped
    }

    /// 4 or 16 octets in network order; nil for any other number.
    package init?(octets: some Collection<UInt8>) {
        let words = octets.reduce(into: (high: UInt64(0), low: UInt64(0))) { words, octet in
            words.high = words.high << 8 | words.low >> 56
            words.low = words.low << 8 | UInt64(octet)
        }
        switch octets.count {
        case 4: self.init(high: 0, low: words.low, isIPv4: true)
        case 16: self.init(high: words.high, low: words.low, isIPv4: false)
        case _: return nil
        }
    }

    /// As sockets write it: `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0`. Nil for anything else.
    package init?(_ text: some StringProtocol) {
        self.init(text: Array(text.utf8.prefix { $0 != UInt8(ascii: "%") }))
    }

    /// The same from octets of text, without zone.
    package init?(text: [UInt8]) {
        if let address = NetworkAddress.parseIPv4(text[...]) {
            self.init(high: 0, low: address, isIPv4: true)
        } else if let words = NetworkAddress.parseIPv6(text) {
            self.init(high: words.high, low: words.low, isIPv4: false)
        } else {
            return nil
        }
    }

    /// This machine's own addresses.
    package var isLoopback: Bool { isIPv4 ? low >> 24 == 127 : high == 0 && low == 1 }

    /// What one customer commonly owns: the IPv4 address, or the IPv6 /64.
    package var customer: NetworkAddress { isIPv4 ? self : NetworkAddress(high: high, low: 0, isIPv4: false) }

    /// RFC 5952 §4.
    package var description: String {
        if isIPv4 { return (0..<4).map { String(low >> UInt64(24 - 8 * $0) & 0xFF) }.joined(separator: ".") }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64(48 - 16 * ($0 % 4))) }
        let gap = NetworkAddress.longestGap(groups)
        let text = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
        return gap.count < 2
            ? text(groups[...]) : text(groups[..<gap.lowerBound]) + "::" + text(groups[gap.upperBound...])
    }

    /// The first of the longest runs of zero groups.
    private static func longestGap(_ groups: [UInt16]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for index in groups.indices {
            if groups[index] != 0 { start = index + 1 }
            if index + 1 - start > longest.count { longest = start..<index + 1 }
        }
        return longest
    }

    // IPv4address = dec-octet "." dec-octet "." dec-octet "." dec-octet        RFC 3986 §3.2.2
    private static func parseIPv4(_ text: ArraySlice<UInt8>) -> UInt64? {
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt64 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0"),
                part.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
            else { return nil }
            let number = part.reduce(UInt64(0)) { $0 * 10 + UInt64($1 - 0x30) }
            guard number <= 255 else { return nil }
            address = address << 8 | number
        }
        return address
    }

    // Eight groups of 1*4HEXDIG, of which "::" leaves out one or more, and the last two may be an IPv4address
    // (RFC 4291 §2.2).
    private static func parseIPv6(_ text: [UInt8]) -> (high: UInt64, low: UInt64)? {
        // 39 octets, and 45 with an IPv4 address at the end.
        guard (2...45).contains(text.count) else { return nil }
        var reader = GroupReader(text: text)
        guard reader.readAll() else { return nil }
        var groups = reader.groups
        if let gap = reader.gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: [UInt16](repeating: 0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        let word = { (part: ArraySlice<UInt16>) in part.reduce(UInt64(0)) { $0 << 16 | UInt64($1) } }
        return (word(groups[..<4]), word(groups[4...]))
    }

    private struct GroupReader {
        let text: [UInt8]
        var groups: [UInt16] = []
        /// Before which group "::" stands.
        var gap: Int?

        mutating func readAll() -> Bool {
            var index = 0
            if text.starts(with: "::".utf8) {
                gap = 0
                index = 2
            }
            while index < text.count, groups.count <= 8 {
                let start = index
                while index < text.count, hexadecimalValue(text[index]) != nil { index += 1 }
                if index < text.count, text[index] == UInt8(ascii: ".") { return readIPv4(from: start) }
                guard (1...4).contains(index - start) else { return false }
                groups.append(text[start..<index].reduce(0) { $0 << 4 | (hexadecimalValue($1) ?? 0) })
                guard index < text.count else { return true }
                guard text[index] == UInt8(ascii: ":"), index + 1 < text.count else { return false }
                index += 1
                if text[index] == UInt8(ascii: ":") {
                    guard gap == nil else { return false }
                    gap = groups.count
                    index += 1
                }
            }
            return index == text.count
        }

        private mutating func readIPv4(from start: Int) -> Bool {
            guard let address = parseIPv4(text[start...]) else { return false }
            groups += [UInt16(truncatingIfNeeded: address >> 16), UInt16(truncatingIfNeeded: address)]
            return true
        }
    }

    private static func hexadecimalValue(_ octet: UInt8) -> UInt16? {
        switch octet {
        case 0x30...0x39: UInt16(octet - 0x30)
        case 0x41...0x46: UInt16(octet - 0x41 + 10)
        case 0x61...0x66: UInt16(octet - 0x61 + 10)
        case _: nil
        }
    }
}
