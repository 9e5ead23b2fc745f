/// Domain names between their wire form (RFC 1035 §3.1) and the presentation form used here: lower case, without the
/// root's dot, the root being empty.
package enum DNSName {
    /// Octets on the wire, the root's label included (RFC 1035 §2.3.4).
    static let maximumWireLength = 255
    static let maximumLabelLength = 63

    /// Whether a text can be asked for: ASCII labels of 1 to 63 octets, some 253 in all. A dot at the end is the root's.
    package static func isAskable(_ name: String) -> Bool {
        var octets = name.utf8[...]
        if octets.last == UInt8(ascii: ".") { octets.removeLast() }
        guard !octets.isEmpty, octets.count + 2 <= maximumWireLength else { return false }
        return octets.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.count <= maximumLabelLength && label.allSatisfy(isPlain)
        }
    }

    /// Lower case, without the root's dot.
    package static func normalized(_ name: some StringProtocol) -> String {
        var octets = name.utf8.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
        if octets.last == UInt8(ascii: ".") { octets.removeLast() }
        return String(decoding: octets, as: UTF8.self)
    }

    /// An uncompressed name at the start of some octets, and how many it takes; nil when it is cut short or compressed.
    /// What is no printable ASCII is written `\DDD` (RFC 1035 §5.1), so that no octet of a peer's gets into logs as it is.
    static func decode(_ octets: ArraySlice<UInt8>) -> (name: String, length: Int)? {
        var text = ""
        var place = octets.startIndex
        while place < octets.endIndex {
            let length = Int(octets[place])
            place += 1
            if length == 0 { return (text, place - octets.startIndex) }
            guard length <= maximumLabelLength, place + length <= octets.endIndex,
                place + length - octets.startIndex < maximumWireLength
            else { return nil }
            if !text.isEmpty { text += "." }
            for octet in octets[place..<place + length] { append(octet, &text) }
            place += length
        }
        return nil
    }

    private static func append(_ octet: UInt8, _ text: inout String) {
        switch octet {
        case 0x41...0x5A: text.unicodeScalars.append(Unicode.Scalar(octet + 0x20))
        case _ where isPlain(octet): text.unicodeScalars.append(Unicode.Scalar(octet))
        case _:
            let digits = String(octet)
            text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
    }

    /// Printable, and not special in zone files.
    private static func isPlain(_ octet: UInt8) -> Bool {
        (0x21...0x7E).contains(octet)
            && !#"."\;()@$"#.utf8.contains(octet)
    }

    /// The name under which an address's PTR records are (RFC 1035 §3.5, RFC 3596 §2.5); nil unless it has 4 or 16 octets.
    package static func reverse(of address: [UInt8]) -> String? {
        switch address.count {
        case 4: return address.reversed().map { String($0) }.joined(separator: ".") + ".in-addr.arpa"
        case 16:
            let nibbles = address.reversed().flatMap { [$0 & 15, $0 >> 4] }
            return nibbles.map { String($0, radix: 16) }.joined(separator: ".") + ".ip6.arpa"
        case _: return nil
        }
    }
}
