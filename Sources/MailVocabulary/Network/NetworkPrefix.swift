/// A range of addresses: `192.0.2.0/24`, `2001:db8::/32`, or one address.
package struct NetworkPrefix: Sendable, Hashable, CustomStringConvertible {
    package let address: NetworkAddress
    /// Bits that count: 0 to 32, or 0 to 128.
    package let length: Int

    /// Nil for what is no network, and for one whose bits behind the prefix are not all 0: it may be meant otherwise.
    package init?(_ text: String) {
        let slash = text.firstIndex(of: "/")
        guard let address = NetworkAddress(text[..<(slash ?? text.endIndex)]), !text.contains("%") else { return nil }
        let width = address.isIPv4 ? 32 : 128
        var length = width
        if let slash {
            let digits = text[text.index(after: slash)...]
            guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
                let number = Int(digits), number <= width
            else { return nil }
            length = number
        }
        self.address = address
        self.length = length
        let mask = self.mask
        guard address.high & ~mask.high == 0, address.low & ~mask.low & (address.isIPv4 ? 0xFFFF_FFFF : .max) == 0
        else { return nil }
    }

    package func contains(_ other: NetworkAddress) -> Bool {
        let mask = self.mask
        return other.isIPv4 == address.isIPv4 && other.high & mask.high == address.high
            && other.low & mask.low == address.low
    }

    package var description: String {
        length == (address.isIPv4 ? 32 : 128) ? address.description : "\(address)/\(length)"
    }

    private var mask: (high: UInt64, low: UInt64) {
        if address.isIPv4 { return (.max, .max << UInt64(32 - length)) }
        return (
            length >= 64 ? .max : length == 0 ? 0 : .max << UInt64(64 - length),
            length <= 64 ? 0 : .max << UInt64(128 - length)
        )
    }
}

extension Sequence<NetworkPrefix> {
    package func contains(_ address: NetworkAddress) -> Bool { contains { $0.contains(address) } }
}
