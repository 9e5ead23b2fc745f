/// What someone may do with a mailbox (RFC 4314 §2.1). The raw values are kept in stores: they never change.
package struct MailboxRights: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16
    @inlinable package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// `l`: LIST shows it.
    package static let lookUp = MailboxRights(rawValue: 1)
    /// `r`: SELECT, STATUS.
    package static let read = MailboxRights(rawValue: 1 << 1)
    /// `s`: to change `\Seen`.
    package static let markSeen = MailboxRights(rawValue: 1 << 2)
    /// `w`: to change flags other than `\Seen` and `\Deleted`.
    package static let write = MailboxRights(rawValue: 1 << 3)
    /// `i`: APPEND, COPY into it.
    package static let insert = MailboxRights(rawValue: 1 << 4)
    /// `p`: to send mail to the mailbox's address; nothing here depends on it.
    package static let post = MailboxRights(rawValue: 1 << 5)
    /// `k`: to create mailboxes below it.
    package static let create = MailboxRights(rawValue: 1 << 6)
    /// `x`: to delete or rename it.
    package static let deleteMailbox = MailboxRights(rawValue: 1 << 7)
    /// `t`: to change `\Deleted`.
    package static let deleteMessages = MailboxRights(rawValue: 1 << 8)
    /// `e`: EXPUNGE.
    package static let expunge = MailboxRights(rawValue: 1 << 9)
    /// `a`: to read and change the access control list.
    package static let administer = MailboxRights(rawValue: 1 << 10)

    package static let all = MailboxRights(rawValue: (1 << 11) - 1)
    /// Who has none of these knows nothing of the mailbox: what MYRIGHTS needs (RFC 4314 §4).
    package static let any: MailboxRights = [.lookUp, .read, .insert, .create, .deleteMailbox, .administer]

    /// What the virtual right `c` of RFC 2086 stands for (RFC 4314 §2.1.1).
    private static let obsoleteCreate: MailboxRights = [.create, .deleteMailbox]
    /// What the virtual right `d` of RFC 2086 stands for.
    private static let obsoleteDelete: MailboxRights = [.expunge, .deleteMessages]

    /// By letter, in the order in which they are told; the virtual ones where clients expect them.
    package static let letters: [(letter: Character, rights: MailboxRights)] = [
        ("l", .lookUp), ("r", .read), ("s", .markSeen), ("w", .write), ("i", .insert), ("p", .post), ("k", .create),
        ("x", .deleteMailbox), ("t", .deleteMessages), ("e", .expunge), ("c", .obsoleteCreate), ("d", .obsoleteDelete),
        ("a", .administer),
    ]

    /// Nil when a letter is no right: those of upper case, digits and the unknown are refused, never passed over
    /// (RFC 4314 §3.1).
    package init?(_ text: some StringProtocol) {
        var rights: MailboxRights = []
        for letter in text {
            guard let known = Self.letters.first(where: { $0.letter == letter }) else { return nil }
            rights.formUnion(known.rights)
        }
        self = rights
    }

    /// With `c` and `d` where one of their members is in it (RFC 4314 §2.1.1).
    package var text: String { String(Self.letters.filter { !isDisjoint(with: $0.rights) }.map(\.letter)) }

    /// The kinds of flags that may be changed with these rights.
    package var flagClasses: FlagClasses {
        var classes: FlagClasses = []
        if contains(.markSeen) { classes.insert(.seen) }
        if contains(.deleteMessages) { classes.insert(.deleted) }
        if contains(.write) { classes.insert(.other) }
        return classes
    }
}

/// What SETACL does to an entry's rights (RFC 4314 §3.1).
package enum RightsChange: Sendable, Hashable {
    case add(MailboxRights)
    case remove(MailboxRights)
    case replace(MailboxRights)

    package func applied(to rights: MailboxRights) -> MailboxRights {
        switch self {
        case .add(let added): rights.union(added)
        case .remove(let removed): rights.subtracting(removed)
        case .replace(let new): new
        }
    }
}

/// The kinds of flags that rights tell apart (RFC 4314 §4).
package struct FlagClasses: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let seen = FlagClasses(rawValue: 1)
    package static let deleted = FlagClasses(rawValue: 2)
    /// All flags but `\Seen` and `\Deleted`, keywords too.
    package static let other = FlagClasses(rawValue: 4)
    package static let all: FlagClasses = [.seen, .deleted, .other]

    package func cover(_ flag: Flag) -> Bool {
        switch flag {
        case .seen: contains(.seen)
        case .deleted: contains(.deleted)
        case .answered, .flagged, .draft, .keyword: contains(.other)
        }
    }

    /// Those of the flags that are of these kinds.
    package func filter(_ flags: [Flag]) -> [Flag] { self == .all ? flags : flags.filter { cover($0) } }

    /// The bits of all flags of these kinds.
    package var mask: FlagBits {
        var bits: FlagBits = contains(.other) ? FlagBits(rawValue: .max).subtracting([.seen, .deleted]) : []
        if contains(.seen) { bits.insert(.seen) }
        if contains(.deleted) { bits.insert(.deleted) }
        return bits
    }
}
