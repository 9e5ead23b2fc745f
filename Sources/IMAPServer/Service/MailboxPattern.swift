import MailVocabulary

/// A pattern of LIST: `*` stands for anything, `%` for anything within one level (RFC 3501 §6.3.8).
struct MailboxPattern: Sendable {
    private enum Token: Sendable, Equatable {
        case octet(UInt8)
        case level
        case any
    }

    private let tokens: [Token]

    /// - Parameter text: reference and pattern, one behind the other. What is longer than any name can be, wildcards
    ///   apart, matches none.
    init(_ text: String) {
        var tokens: [Token] = []
        var octets = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "*"):
                // A run of wildcards is one: no pattern has more of them than octets.
                while tokens.last == .level || tokens.last == .any { tokens.removeLast() }
                tokens.append(.any)
            case UInt8(ascii: "%"):
                if tokens.last != .level, tokens.last != .any { tokens.append(.level) }
            case _:
                tokens.append(.octet(byte))
                octets += 1
            }
        }
        self.tokens = octets <= MailboxName.maximumLength ? tokens : []
    }

    /// Whether the whole name fits. INBOX, as the first level, does without regard to case.
    func matches(_ name: MailboxName) -> Bool {
        guard !tokens.isEmpty else { return false }
        let text = Array(name.text.utf8)
        let foldedLength = name == .inbox || name.isInferior(to: .inbox) ? MailboxName.inbox.text.utf8.count : 0
        // All the places in the pattern that the name read so far can have come to; a wildcard's own place stays.
        var places = Set<Int>()
        enter(0, &places)
        for (index, byte) in text.enumerated() {
            var next = Set<Int>()
            for place in places where place < tokens.count {
                switch tokens[place] {
                case .octet(let octet):
                    let isEqual = octet == byte || (index < foldedLength && uppercased(octet) == byte)
                    if isEqual { enter(place + 1, &next) }
                case .level:
                    if byte != UInt8(ascii: "/") { enter(place, &next) }
                case .any: enter(place, &next)
                }
            }
            guard !next.isEmpty else { return false }
            places = next
        }
        return places.contains(tokens.count)
    }

    /// A wildcard may also stand for nothing.
    private func enter(_ place: Int, _ places: inout Set<Int>) {
        places.insert(place)
        guard place < tokens.count else { return }
        switch tokens[place] {
        case .octet: break
        case .level, .any: places.insert(place + 1)
        }
    }

    private func uppercased(_ byte: UInt8) -> UInt8 { (0x61...0x7A).contains(byte) ? byte & 0xDF : byte }
}
