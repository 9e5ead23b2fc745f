package import MailVocabulary

/// `SELECT mailbox (…)`: RFC 4466 §2.1. A parameter that is not known here is an error.
package struct SelectParameters: Sendable, Hashable {
    /// RFC 7162 §3.1.8.
    package var condstore = false
    /// RFC 7162 §3.2.5.
    package var qresync: QuickResync?

    package init(condstore: Bool = false, qresync: QuickResync? = nil) {
        self.condstore = condstore
        self.qresync = qresync
    }
}

/// What a client knows of a mailbox from an earlier session (RFC 7162 §3.2.5).
package struct QuickResync: Sendable, Hashable {
    package var uidValidity: UInt32
    package var modSeq: UInt64
    package var knownUIDs: NumberSet?
    /// Sequence numbers and the UIDs they had: sets of the same count.
    package var matches: SequenceMatches?

    package struct SequenceMatches: Sendable, Hashable {
        package var sequenceNumbers: NumberSet
        package var uids: NumberSet

        package init(sequenceNumbers: NumberSet, uids: NumberSet) {
            self.sequenceNumbers = sequenceNumbers
            self.uids = uids
        }
    }

    package init(uidValidity: UInt32, modSeq: UInt64, knownUIDs: NumberSet? = nil, matches: SequenceMatches? = nil) {
        self.uidValidity = uidValidity
        self.modSeq = modSeq
        self.knownUIDs = knownUIDs
        self.matches = matches
    }
}

/// `LIST`, plain (RFC 3501 §6.3.8) or extended (RFC 5258, RFC 9051 §6.3.9).
package struct ListRequest: Sendable, Hashable {
    package var selection = ListSelection()
    /// Decoded as the patterns are.
    package var reference: String
    /// Decoded to Unicode, with `*` and `%` as they were. At least one. `""` asks for the separator only.
    package var patterns: [String]
    package var returns = ListReturns()
    /// Whether any extended syntax was used: a plain LIST has no `\NonExistent` answers and so on.
    package var isExtended = false

    package init(reference: String, patterns: [String]) {
        self.reference = reference
        self.patterns = patterns
    }
}

/// Which names a LIST is about (RFC 5258 §3.1).
package struct ListSelection: Sendable, Hashable {
    package var subscribed = false
    package var remote = false
    /// Only beside `subscribed` or `specialUse`.
    package var recursiveMatch = false
    /// RFC 6154 §2.
    package var specialUse = false

    package init() {}
}

/// What a LIST is to tell (RFC 5258 §3.2).
package struct ListReturns: Sendable, Hashable {
    package var subscribed = false
    package var children = false
    /// RFC 6154 §2.
    package var specialUse = false
    /// RFC 5819; empty when not asked for.
    package var status: [StatusItem] = []
    /// RFC 8440.
    package var rights = false
    /// RFC 9590; empty when not asked for.
    package var annotations: [AnnotationName] = []

    package init() {}
}

/// What STATUS can tell.
package enum StatusItem: String, Sendable, Hashable, CaseIterable {
    case messages = "MESSAGES"
    case recent = "RECENT"
    case uidNext = "UIDNEXT"
    case uidValidity = "UIDVALIDITY"
    case unseen = "UNSEEN"
    /// RFC 9051 §6.3.11.
    case deleted = "DELETED"
    /// RFC 8438.
    case size = "SIZE"
    /// RFC 7162 §3.1.7.
    case highestModSeq = "HIGHESTMODSEQ"
    /// RFC 7889 §3.1.
    case appendLimit = "APPENDLIMIT"
    /// RFC 9208 §4.1.4.
    case deletedStorage = "DELETED-STORAGE"
    /// RFC 8474 §4.3.
    case mailboxID = "MAILBOXID"
}
