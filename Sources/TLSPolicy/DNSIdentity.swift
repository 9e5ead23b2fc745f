/// A DNS-ID (RFC 9525 §6.3), also the form of MTA-STS host patterns (RFC 8461 §4.1).
package enum DNSIdentity {
    /// Whether a presented name, which may have `*` as its whole left-most label, means a host name. Both in ASCII.
    package static func matches(_ presented: String, host: String) -> Bool {
        // An address is no host name, though it looks like one.
        guard !host.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }) else { return false }
        let pattern = labels(presented)
        let name = labels(host)
        guard pattern.count == name.count, !name.contains(where: { $0.isEmpty || $0 == "*" }) else { return false }
        guard pattern[0] == "*" else { return pattern == name }
        // Not for whatever is below a top-level domain.
        guard pattern.count >= 3 else { return false }
        return pattern.dropFirst() == name.dropFirst()
    }

    private static func labels(_ name: String) -> [String] {
        var parts = [""]
        for scalar in name.unicodeScalars {
            if scalar == "." {
                parts.append("")
            } else if scalar.value >= 0x41, scalar.value <= 0x5A, let lower = Unicode.Scalar(scalar.value + 32) {
                parts[parts.count - 1].unicodeScalars.append(lower)
            } else {
                parts[parts.count - 1].unicodeScalars.append(scalar)
            }
        }
        // A root's dot at the end says nothing.
        if parts.count > 1, parts.last == "" { parts.removeLast() }
        return parts
    }
}
