import MailVocabulary

/// A pattern of LIST: `*` stands for anything, `%` for anything within one level (RFC 3501 §6.3.8).
struct MailboxPattern: Sendable {
    /// People write one or two; each costs a search of the name.
    private static let maximumWildcards = 32
    private static let any = UInt8(ascii: "*")
    private static let level = UInt8(ascii: "%")

    /// Neither wildcard can be part of a name that is asked for, so the octets are the pattern.
    private let octets: [UInt8]

    /// - Parameter text: reference and pattern, one behind the other. What is longer than any name can be, wildcards
    ///   apart, or has too many of them, matches none.
    init(_ text: String) {
        var octets: [UInt8] = []
        var wildcards = 0
        for byte in text.utf8 {
            switch byte {
            case Self.any:
                // A run of wildcards is one.
                while let last = octets.last, last == Self.any || last == Self.level {
                    octets.removeLast()
                    wildcards -= 1
                }
                octets.append(byte)
                wildcards += 1
            case Self.level:
                guard octets.last != Self.level, octets.last != Self.any else { continue }
                octets.append(byte)
                wildcards += 1
            case _: octets.append(byte)
            }
        }
        let isBounded = wildcards <= Self.maximumWildcards && octets.count - wildcards <= MailboxName.maximumLength
        self.octets = isBounded ? octets : []
    }

    /// Whether the whole name fits. INBOX, as the first level, does without regard to case.
    ///
    /// Each wildcard takes as little as it can. Where what follows then does not fit, the last `%` takes one octet
    /// more; when it may not, the last `*` does. Wildcards before that need not be tried again: the part between fits
    /// as far to the left as it can, so nothing behind it has more room in any other way.
    func matches(_ name: MailboxName) -> Bool {
        guard !octets.isEmpty else { return false }
        let text = Array(name.text.utf8)
        let foldedLength = name == .inbox || name.isInferior(to: .inbox) ? MailboxName.inbox.text.utf8.count : 0
        var (place, index) = (0, 0)
        // The place behind the wildcard, and how far it reaches.
        var any: (place: Int, index: Int)?
        var level: (place: Int, index: Int)?
        while place < octets.count || index < text.count {
            let octet = place < octets.count ? octets[place] : nil
            if octet == Self.any {
                place += 1
                (any, level) = ((place, index), nil)
            } else if octet == Self.level {
                place += 1
                level = (place, index)
            } else if let octet, index < text.count, isEqual(octet, text[index], folds: index < foldedLength) {
                (place, index) = (place + 1, index + 1)
            } else if let last = level, last.index < text.count, text[last.index] != UInt8(ascii: "/") {
                (place, index) = (last.place, last.index + 1)
                level = (place, index)
            } else if let last = any, last.index < text.count {
                (place, index) = (last.place, last.index + 1)
                (any, level) = ((place, index), nil)
            } else {
                return false
            }
        }
        return true
    }

    private func isEqual(_ octet: UInt8, _ byte: UInt8, folds: Bool) -> Bool {
        octet == byte || folds && (0x61...0x7A).contains(octet) && octet & 0xDF == byte
    }
}
