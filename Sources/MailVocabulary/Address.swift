/// A mail domain in its canonical form: lower-case A-labels or U-labels, no trailing dot. Comparison is of this form;
/// IDNA mapping between the two is a layer above's business.
package struct Domain: Sendable, Hashable, CustomStringConvertible {
    /// RFC 1035 §2.3.4.
    package static let maximumLength = 255

    package let name: String

    /// Nil unless the text is a dotted sequence of letter-digit-hyphen or non-ASCII (RFC 6531) labels.
    package init?(_ text: some StringProtocol) {
        let lowered = String(text).asciiLowercased()
        guard !lowered.isEmpty, lowered.utf8.count <= Self.maximumLength else { return nil }
        let labels = lowered.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.allSatisfy(Domain.isLabel) else { return nil }
        name = lowered
    }

    package var description: String { name }

    private static func isLabel(_ label: Substring.UTF8View) -> Bool {
        guard !label.isEmpty, label.count <= 63, label.first != UInt8(ascii: "-"), label.last != UInt8(ascii: "-")
        else { return false }
        return label.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "_"), 0x80...0xFF:
                true
            case _: false
            }
        }
    }
}

/// A mail address: local part as written, domain canonical.
package struct Address: Sendable, Hashable, CustomStringConvertible {
    /// RFC 5321 §4.5.3.1.1.
    package static let maximumLocalPartLength = 64

    /// Unquoted: `a b` for `"a b"@example.org`.
    package let localPart: String
    package let domain: Domain

    package init(localPart: String, domain: Domain) {
        self.localPart = localPart
        self.domain = domain
    }

    /// Nil unless the text is `local@domain` with an unquoted dot-atom before the last "@".
    package init?(_ text: String) {
        guard let at = text.lastIndex(of: "@"), let domain = Domain(text[text.index(after: at)...]) else { return nil }
        let local = text[..<at]
        guard Address.isDotAtom(local) else { return nil }
        self.init(localPart: String(local), domain: domain)
    }

    /// The form accounts are looked up by: local parts of this server's own users do not differ by ASCII case.
    package var canonical: Address { Address(localPart: localPart.asciiLowercased(), domain: domain) }

    /// `local@domain`, the local part quoted where its characters need it (RFC 5321 §4.1.2).
    package var description: String {
        guard !Address.isDotAtom(localPart) else { return "\(localPart)@\(domain)" }
        var quoted = "\""
        for scalar in localPart.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { quoted.append("\\") }
            quoted.unicodeScalars.append(scalar)
        }
        return "\(quoted)\"@\(domain)"
    }

    package static func isDotAtom(_ text: some StringProtocol) -> Bool {
        guard !text.isEmpty, text.utf8.count <= maximumLocalPartLength else { return false }
        let atoms = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return atoms.allSatisfy { atom in !atom.isEmpty && atom.allSatisfy(isAtomText) }
    }

    /// atext (RFC 5322 §3.2.3), with non-ASCII (RFC 6531 §3.3).
    private static func isAtomText(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...0xFF:
            true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"),
            UInt8(ascii: "="), UInt8(ascii: "?"), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"),
            UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"), UInt8(ascii: "~"):
            true
        case _: false
        }
    }
}
