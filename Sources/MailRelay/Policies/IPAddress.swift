import Foundation

/// Addresses between text and octets in network order.
enum IPAddress {
    static func octets4(_ text: String) -> [UInt8]? {
        var address = in_addr()
        guard inet_pton(AF_INET, text, &address) == 1 else { return nil }
        return withUnsafeBytes(of: &address) { Array($0) }
    }

    static func octets6(_ text: String) -> [UInt8]? {
        var address = in6_addr()
        guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        return withUnsafeBytes(of: &address) { Array($0) }
    }

    /// Of 4 or 16 octets.
    static func text(_ octets: [UInt8]) -> String {
        if octets.count == 4 { return octets.map { String($0) }.joined(separator: ".") }
        let words = stride(from: 0, to: octets.count - 1, by: 2).map { Int(octets[$0]) << 8 | Int(octets[$0 + 1]) }
        return words.map { String($0, radix: 16) }.joined(separator: ":")
    }
}
