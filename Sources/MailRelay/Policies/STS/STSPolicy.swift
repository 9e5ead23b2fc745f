import TLSPolicy

/// What a domain's policy file says (RFC 8461 §3.2).
package struct STSPolicy: Sendable, Hashable {
    package enum Mode: String, Sendable, Hashable {
        case enforce, testing, none
    }

    /// Octets; a policy of a domain with a hundred exchangers has 4 KiB.
    package static let maximumOctets = 64 * 1024
    /// Seconds: about a year.
    package static let longestAge: Int64 = 31_557_600
    /// More patterns than this in one policy are of no use to anyone.
    static let maximumPatterns = 1000

    package var mode: Mode
    /// Host names, or `*.` and a domain; lower case.
    package var hosts: [String]
    /// Seconds for which it holds after it was fetched.
    package var maximumAge: Int64
    /// Its lines, for reports.
    package var lines: [String]

    // sts-policy-record = sts-policy-field *WSP *(sts-policy-term sts-policy-field *WSP) [sts-policy-term]
    // sts-policy-term = LF / CRLF
    // sts-policy-field = sts-policy-version / sts-policy-mode / sts-policy-mx / sts-policy-max-age / sts-policy-extension
    // field-delim = ":" *WSP
    /// Nil when it is malformed, or lacks what must be there. Of a field that is there twice the first counts, except mx.
    package init?(_ octets: [UInt8]) {
        guard octets.count <= Self.maximumOctets else { return nil }
        var values: [String: String] = [:]
        var hosts: [String] = []
        lines = []
        for line in Self.split(octets) {
            let text = PolicyText.trimmed(line)
            if text.isEmpty { continue }
            guard text.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 || $0 >= 0x80 }),
                let colon = text.firstIndex(of: UInt8(ascii: ":"))
            else { return nil }
            let name = String(decoding: text[..<colon], as: UTF8.self)
            let value = String(decoding: PolicyText.trimmed(text[(colon + 1)...]), as: UTF8.self)
            if name == "mx" { hosts.append(value) } else if values[name] == nil { values[name] = value }
            lines.append(String(decoding: text, as: UTF8.self))
        }
        guard values["version"] == "STSv1", let mode = values["mode"].flatMap(Mode.init),
            hosts.count <= Self.maximumPatterns,
            let age = values["max_age"], (1...10).contains(age.utf8.count),
            age.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let seconds = Int64(age)
        else { return nil }
        let patterns = hosts.compactMap(Self.pattern)
        // mx is there at least once, unless there is no policy to keep; a pattern that is none spoils the file.
        guard patterns.count == hosts.count, mode == .none || !patterns.isEmpty else { return nil }
        (self.mode, self.hosts, maximumAge) = (mode, patterns, min(seconds, Self.longestAge))
    }

    private static func split(_ octets: [UInt8]) -> [ArraySlice<UInt8>] {
        octets.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
            line.last == 0x0D ? line.dropLast() : line
        }
    }

    // sts-policy-mx-value = *("*.") Domain
    private static func pattern(_ text: String) -> String? {
        let lower = String(decoding: text.utf8.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }, as: UTF8.self)
        let labels = lower.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let names = labels.first?.elementsEqual("*".utf8) == true ? labels.dropFirst() : labels[...]
        let isDomain = names.allSatisfy { label in
            !label.isEmpty && label.count <= 63
                && label.allSatisfy {
                    PolicyText.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                }
        }
        return isDomain && !names.isEmpty && lower.utf8.count <= 255 ? lower : nil
    }

    /// Whether a mail exchanger is one that the domain means (RFC 8461 §4.1).
    package func allows(_ host: String) -> Bool {
        hosts.contains { DNSIdentity.matches($0, host: host) }
    }
}
