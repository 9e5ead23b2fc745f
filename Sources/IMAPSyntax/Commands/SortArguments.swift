package import MailVocabulary

/// What SORT goes by; the first that differs decides (RFC 5256 §3).
package struct SortCriterion: Sendable, Hashable {
    package var key: SortKey
    package var isReverse: Bool

    package init(_ key: SortKey, isReverse: Bool = false) {
        self.key = key
        self.isReverse = isReverse
    }
}

/// RFC 5256 §3, RFC 5957 for the display names, RFC 6203 §6 for relevancy.
package enum SortKey: String, Sendable, Hashable, CaseIterable {
    /// INTERNALDATE.
    case arrival = "ARRIVAL"
    case cc = "CC"
    /// The Date field's moment, or INTERNALDATE.
    case date = "DATE"
    case displayFrom = "DISPLAYFROM"
    case displayTo = "DISPLAYTO"
    case from = "FROM"
    /// The highest score first.
    case relevancy = "RELEVANCY"
    case size = "SIZE"
    /// The base subject.
    case subject = "SUBJECT"
    case to = "TO"
}

/// RFC 5256 §3; REFS of draft-ietf-morg-inthread.
package enum ThreadAlgorithm: String, Sendable, Hashable, CaseIterable {
    case orderedSubject = "ORDEREDSUBJECT"
    case references = "REFERENCES"
    /// As REFERENCES, without gathering by subject; threads by their newest message's INTERNALDATE.
    case refs = "REFS"
}

/// Mailboxes by what they are rather than by name (RFC 5465 §6, RFC 7377 §2.2).
package enum MailboxFilter: Sendable, Hashable {
    case selected
    /// NOTIFY only.
    case selectedDelayed
    /// INBOX, and what else receives mail.
    case inboxes
    case personal
    case subscribed
    /// These and all below.
    case subtree([MailboxName])
    /// ESEARCH only: these and one level below.
    case subtreeOne([MailboxName])
    case mailboxes([MailboxName])
}
