import Foundation

/// Addresses between text and octets in network order.
package enum IPAddress {
    /// Nil for what is no address: a name.
    static func octets(_ text: String) -> [UInt8]? {
        octets(text, AF_INET, count: 4) ?? octets(text, AF_INET6, count: 16)
    }

    private static func octets(_ text: String, _ family: Int32, count: Int) -> [UInt8]? {
        var octets = [UInt8](repeating: 0, count: count)
        return inet_pton(family, text, &octets) == 1 ? octets : nil
    }

    /// Of 4 or 16 octets.
    package static func text(_ octets: [UInt8]) -> String {
        if octets.count == 4 { return octets.map { String($0) }.joined(separator: ".") }
        let words = stride(from: 0, to: octets.count - 1, by: 2).map { Int(octets[$0]) << 8 | Int(octets[$0 + 1]) }
        return words.map { String($0, radix: 16) }.joined(separator: ":")
    }

    // address-literal = "[" ( IPv4-address-literal / IPv6-address-literal / General-address-literal ) "]"
    // IPv6-address-literal = "IPv6:" IPv6-addr        RFC 5321 §4.1.3
    static func octets(literal text: String) -> [UInt8]? {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
        let inner = text.dropFirst().dropLast()
        return inner.lowercased().hasPrefix("ipv6:")
            ? octets(String(inner.dropFirst(5)), AF_INET6, count: 16) : octets(String(inner), AF_INET, count: 4)
    }

    /// ::ffff:0:0/96 (RFC 4291 §2.5.5.2)
    private static let mappedPrefix = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]

    /// Whether a foreign domain may lead here: not this machine's own, unspecified and multicast addresses.
    static func isUsable(_ address: [UInt8], allowsLoopback: Bool) -> Bool {
        let short = address.count == 16 && address.starts(with: mappedPrefix) ? Array(address[12...]) : address
        if short.count == 4 {
            if short[0] == 127 { return allowsLoopback }
            return short[0] != 0 && short[0] < 224
        }
        if short.dropLast().allSatisfy({ $0 == 0 }) { return allowsLoopback && short.last == 1 }
        return short.first != 0xFF
    }
}
