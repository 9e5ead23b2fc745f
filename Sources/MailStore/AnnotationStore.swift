package import MailVocabulary

/// Annotations of mailboxes and, for each account, of the server (RFC 5464). Those of a mailbox go with it when it is
/// renamed or deleted; INBOX that is emptied into a new mailbox leaves them to both.
package protocol AnnotationStore: Sendable {
    /// Of each mailbox, or nil for the server, the entries selected that are shared or the account's own, in the order
    /// of names. Who may read the mailbox is the caller's to see to. None for a mailbox that is not there.
    func annotations(
        _ selection: AnnotationSelection, on mailboxes: [MailboxID?], for account: AccountID
    ) async throws -> [[Annotation]]
    /// Sets entries, or removes those whose value is nil, and what the mailbox is for: all or none. On the server only
    /// private ones. The mailbox's highest MODSEQ is then a higher one (RFC 7162 §3.2). Throws `noSuchMailbox`, `noSuchAccount`, `specialUseTaken`; `annotationTooLarge`,
    /// `tooManyAnnotations` beyond `StoreLimits`.
    func setAnnotations(
        _ changes: [(name: AnnotationName, value: [UInt8]?)], _ use: SpecialUseChange, on mailbox: MailboxID?,
        for account: AccountID
    ) async throws
}

/// What a mailbox is to be for from now on (RFC 6154 §4).
package enum SpecialUseChange: Sendable, Hashable {
    case keep
    /// Nil: nothing in particular.
    case set(SpecialUse?)
}

extension AnnotationStore {
    package func setAnnotations(
        _ changes: [(name: AnnotationName, value: [UInt8]?)], on mailbox: MailboxID?, for account: AccountID
    ) async throws {
        try await setAnnotations(changes, .keep, on: mailbox, for: account)
    }
}
