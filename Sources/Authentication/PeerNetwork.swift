#if canImport(Glibc)
    import Glibc
#endif

/// Who shares fate when logins queue: one IPv4 address, or one IPv6 /64, since a customer is given that much.
struct PeerNetwork: Hashable, Sendable {
    /// The address's octets that count; of something that is no address, all of its text.
    private let prefix: [UInt8]

    /// This machine's own programs, such as webmail, that log in for many people.
    let isLoopback: Bool

    /// - Parameter address: without port: `192.0.2.1`, `2001:db8::1`, `::ffff:192.0.2.1`.
    init(_ address: String) {
        var octets = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, address, &octets) == 1 {
            prefix = Array(octets.prefix(4))
            isLoopback = octets[0] == 127
        } else if inet_pton(AF_INET6, String(address.prefix { $0 != "%" }), &octets) == 1 {
            // RFC 4291 §2.5.5.2: IPv4 on an IPv6 socket.
            let isMapped = octets.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
            prefix = Array(isMapped ? octets.suffix(4) : octets.prefix(8))
            let isOne = octets.dropLast().allSatisfy { $0 == 0 } && octets[15] == 1
            isLoopback = isMapped ? octets[12] == 127 : isOne
        } else {
            prefix = Array(address.utf8)
            isLoopback = false
        }
    }
}
