/// The character sets that search decodes. Others stay as they are.
package enum Charset: Sendable, Hashable {
    case usASCII, utf8, latin1, latin9, windows1252
    case latin2, cyrillic, greek, latin5, koi8r, koi8u, windows1250, windows1251, windows1253, windows1254

    /// By IANA name or a common alias, in any case; nil for one that is not known.
    package init?(_ name: [UInt8]) {
        switch String(decoding: name.map(asciiUppercased), as: UTF8.self) {
        case "US-ASCII", "ASCII", "ANSI_X3.4-1968", "ANSI-X3.4-1968", "ISO646-US": self = .usASCII
        case "UTF-8", "UTF8": self = .utf8
        case "ISO-8859-1", "ISO8859-1", "ISO_8859-1", "LATIN1", "L1": self = .latin1
        case "ISO-8859-15", "ISO8859-15", "ISO_8859-15", "LATIN-9": self = .latin9
        case "WINDOWS-1252", "CP1252", "CP-1252", "X-CP1252": self = .windows1252
        case "ISO-8859-2", "ISO8859-2", "ISO_8859-2", "LATIN2", "L2": self = .latin2
        case "ISO-8859-5", "ISO8859-5", "ISO_8859-5", "CYRILLIC": self = .cyrillic
        case "ISO-8859-7", "ISO8859-7", "ISO_8859-7", "GREEK": self = .greek
        case "ISO-8859-9", "ISO8859-9", "ISO_8859-9", "LATIN5", "L5": self = .latin5
        case "KOI8-R": self = .koi8r
        case "KOI8-U": self = .koi8u
        case "WINDOWS-1250", "CP1250": self = .windows1250
        case "WINDOWS-1251", "CP1251": self = .windows1251
        case "WINDOWS-1253", "CP1253": self = .windows1253
        case "WINDOWS-1254", "CP1254": self = .windows1254
        case _: return nil
        }
    }

    /// Never fails: in US-ASCII, which mail is marked as by default, octets above 127 are read as UTF-8, and what is
    /// no UTF-8 becomes U+FFFD.
    package func decode(_ octets: Span<UInt8>) -> String {
        switch self {
        case .usASCII, .utf8:
            unsafe octets.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
        case .latin1, .latin9, .windows1252: decodeSingleOctets(octets)
        case .latin2, .cyrillic, .greek, .latin5, .koi8r, .koi8u, .windows1250, .windows1251, .windows1253,
            .windows1254:
            decode(octets, byTable: Self.tables[self] ?? [])
        }
    }

    private func decodeSingleOctets(_ octets: Span<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        for index in octets.indices { text.append(scalar(octets[index])) }
        return String(text)
    }

    private func decode(_ octets: Span<UInt8>, byTable table: [Unicode.Scalar]) -> String {
        var text = String.UnicodeScalarView()
        let first = 256 - table.count
        for index in octets.indices {
            let octet = octets[index]
            text.append(Int(octet) < first ? Unicode.Scalar(octet) : table[Int(octet) - first])
        }
        return String(text)
    }

    private func scalar(_ octet: UInt8) -> Unicode.Scalar {
        switch self {
        case .windows1252 where (0x80...0x9F).contains(octet): Self.windowsControls[Int(octet - 0x80)]
        case .latin9: Self.latin9Differences[octet] ?? Unicode.Scalar(octet)
        case _: Unicode.Scalar(octet)
        }
    }

    /// ISO 8859-15 where it is not ISO 8859-1.
    private static let latin9Differences: [UInt8: Unicode.Scalar] = [
        0xA4: "€", 0xA6: "Š", 0xA8: "š", 0xB4: "Ž", 0xB8: "ž", 0xBC: "Œ", 0xBD: "œ", 0xBE: "Ÿ",
    ]

    /// 0x80...0x9F; the five that are not assigned are control characters, as in the WHATWG's table.
    private static let windowsControls: [Unicode.Scalar] = [
        "€", "\u{81}", "‚", "ƒ", "„", "…", "†", "‡", "ˆ", "‰", "Š", "‹", "Œ", "\u{8D}", "Ž", "\u{8F}",
        "\u{90}", "‘", "’", "“", "”", "•", "–", "—", "˜", "™", "š", "›", "œ", "\u{9D}", "ž", "Ÿ",
    ]
}
