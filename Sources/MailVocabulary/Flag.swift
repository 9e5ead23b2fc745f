/// A message flag (RFC 9051 §2.3.2). `\Recent` is not one: it is a session's view, not a property that is kept.
package enum Flag: Sendable, Hashable {
    case seen, answered, flagged, deleted, draft
    /// A keyword, such as `$Forwarded`; compared without regard to ASCII case, shown as first written.
    case keyword(Keyword)
}

/// A keyword's name: an atom, so printable ASCII without IMAP's specials; 1...64 octets here.
package struct Keyword: Sendable, Hashable {
    /// Longer keywords are refused: no client uses them, and every one costs room in each index.
    package static let maximumLength = 64

    package let name: String

    /// Nil unless the name is an atom (RFC 9051 §9 `flag-keyword`) of a permitted length.
    package init?(_ name: String) {
        guard !name.isEmpty, name.utf8.count <= Self.maximumLength,
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !Keyword.isSpecial($0) })
        else { return nil }
        self.name = name
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "{"), UInt8(ascii: "%"), UInt8(ascii: "*"),
            UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "]"):
            true
        case _: false
        }
    }

    package static func == (a: Keyword, b: Keyword) -> Bool { a.name.asciiLowercased() == b.name.asciiLowercased() }
    package func hash(into hasher: inout Hasher) { hasher.combine(name.asciiLowercased()) }
}

extension String {
    /// ASCII letters only: protocol words must not change with a locale or a Unicode version.
    package func asciiLowercased() -> String {
        guard utf8.contains(where: { $0 >= 0x41 && $0 <= 0x5A }) else { return self }
        return String(decoding: utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}

/// Flags as bits: the five system flags, then one bit for each keyword that the mailbox knows (`KeywordTable`).
package struct FlagBits: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64
    @inlinable package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let seen = FlagBits(rawValue: 1)
    package static let answered = FlagBits(rawValue: 2)
    package static let flagged = FlagBits(rawValue: 4)
    package static let deleted = FlagBits(rawValue: 8)
    package static let draft = FlagBits(rawValue: 16)
    package static let system: FlagBits = [.seen, .answered, .flagged, .deleted, .draft]
    /// The bit of keyword number 0.
    package static let firstKeywordBit = 8
}

/// A mailbox's keywords, in order of first use: keyword n owns bit `FlagBits.firstKeywordBit + n`.
package struct KeywordTable: Sendable, Hashable {
    /// Bits left beside the system flags and three in reserve.
    package static let maximumCount = 64 - FlagBits.firstKeywordBit

    package private(set) var keywords: [Keyword]

    package init(_ keywords: [Keyword] = []) { self.keywords = keywords }

    /// The bits of these flags; keywords unknown to the mailbox have none.
    package func bits(_ flags: some Sequence<Flag>) -> FlagBits {
        var bits: FlagBits = []
        for flag in flags { if let bit = bit(flag) { bits.insert(bit) } }
        return bits
    }

    package func bit(_ flag: Flag) -> FlagBits? {
        switch flag {
        case .seen: .seen
        case .answered: .answered
        case .flagged: .flagged
        case .deleted: .deleted
        case .draft: .draft
        case .keyword(let keyword): keywords.firstIndex(of: keyword).map(Self.bit(number:))
        }
    }

    /// The bits, after taking new keywords in; nil when the mailbox has no room for one more.
    package mutating func admit(_ flags: some Sequence<Flag>) -> FlagBits? {
        var bits: FlagBits = []
        for flag in flags {
            if let bit = bit(flag) {
                bits.insert(bit)
            } else if case .keyword(let keyword) = flag {
                guard keywords.count < Self.maximumCount else { return nil }
                keywords.append(keyword)
                bits.insert(Self.bit(number: keywords.count - 1))
            }
        }
        return bits
    }

    package func flags(_ bits: FlagBits) -> [Flag] {
        var flags: [Flag] = []
        if bits.contains(.answered) { flags.append(.answered) }
        if bits.contains(.flagged) { flags.append(.flagged) }
        if bits.contains(.deleted) { flags.append(.deleted) }
        if bits.contains(.seen) { flags.append(.seen) }
        if bits.contains(.draft) { flags.append(.draft) }
        for (number, keyword) in keywords.enumerated() where bits.contains(Self.bit(number: number)) {
            flags.append(.keyword(keyword))
        }
        return flags
    }

    package static func bit(number: Int) -> FlagBits {
        FlagBits(rawValue: 1 << UInt64(FlagBits.firstKeywordBit + number))
    }
}
