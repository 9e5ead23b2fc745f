/// An IP address, or another kind of address, in brackets (RFC 5321 §4.1.3).
package struct AddressLiteral: Sendable, Hashable, CustomStringConvertible {
    /// Longer ones are of no kind in use.
    static let maximumLength = 255

    /// Without brackets.
    package let content: String

    // address-literal = "[" ( IPv4-address-literal / IPv6-address-literal / General-address-literal ) "]"
    // IPv6-address-literal = "IPv6:" IPv6-addr
    /// General literals need a tag registered with IANA, and none but IPv6 is.
    package init?(content: String) {
        guard content.utf8.count <= Self.maximumLength else { return nil }
        let tag = content.prefix(5)
        guard
            String(tag).asciiUppercased() == "IPV6:"
                ? AddressLiteral.isIPv6(Array(content.utf8.dropFirst(5)))
                : AddressLiteral.isIPv4(Array(content.utf8)[...])
        else { return nil }
        self.content = content
    }

    /// A peer's address as sockets give it: `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0`. Nil for anything else.
    package init?(peer: String) {
        let bytes = Array(peer.utf8.prefix { $0 != UInt8(ascii: "%") })
        if AddressLiteral.isIPv4(bytes[...]) {
            content = peer
        } else if AddressLiteral.isIPv6(bytes) {
            content = "IPv6:" + String(decoding: bytes, as: UTF8.self)
        } else {
            return nil
        }
    }

    package var description: String { "[\(content)]" }

    // IPv4-address-literal = Snum 3("."  Snum)         Snum = 1*3DIGIT, 0 through 255
    private static func isIPv4(_ bytes: ArraySlice<UInt8>) -> Bool {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.count) && part.allSatisfy(isDigit)
                    && part.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } <= 255
            }
    }

    // IPv6-addr = IPv6-full / IPv6-comp / IPv6v4-full / IPv6v4-comp; "::" stands once, for one group or more (RFC 5952)
    private static func isIPv6(_ bytes: [UInt8]) -> Bool {
        var groups = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard (3...9).contains(groups.count) else { return false }
        var needed = 8
        if groups[groups.count - 1].contains(UInt8(ascii: ".")) {
            guard isIPv4(groups[groups.count - 1]) else { return false }
            groups.removeLast()
            needed = 6
            if groups.last?.isEmpty == true { groups.append([]) }
        }
        // "::" at either end makes two empty groups there, in the middle one.
        if groups.first?.isEmpty == true {
            guard groups.count > 1, groups[1].isEmpty else { return false }
            groups.removeFirst()
        }
        if groups.last?.isEmpty == true {
            guard groups.count > 1, groups[groups.count - 2].isEmpty else { return false }
            groups.removeLast()
        }
        let empty = groups.count { $0.isEmpty }
        let full = groups.filter { !$0.isEmpty }
        return full.allSatisfy { $0.count <= 4 && $0.allSatisfy(isHexDigit) }
            && (empty == 0 ? full.count == needed : empty == 1 && full.count < needed)
    }
}

func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A }
func isHexDigit(_ byte: UInt8) -> Bool { isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66) }
