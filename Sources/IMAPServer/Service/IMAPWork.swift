package import IMAPSyntax
package import MailStore
package import MailVocabulary
package import SASL

/// What an IMAP session asks of the store and the authenticator.
package enum IMAPWork: Sendable {
    /// With the client's address.
    case authenticate(PasswordCredentials, from: String)

    case open(OpenTask)
    /// What changed in the selected mailbox.
    case refresh(RefreshTask)
    /// Wakes the session when the mailbox changes, for as long as the observation is kept.
    case observe(MailboxID)

    // Names are those of the account that asks, whoever owns the mailbox.
    case list(Account, ListRequest, MailboxEncoding)
    case lsub(Account, reference: String, pattern: String, MailboxEncoding)
    /// For whom has these rights on it.
    case findMailbox(Account, MailboxName, needing: MailboxRights)
    case createMailbox(Account, MailboxName, SpecialUse?)
    case deleteMailbox(Account, MailboxName)
    case renameMailbox(Account, from: MailboxName, to: MailboxName)
    case setSubscribed(AccountID, MailboxName, Bool)

    /// Of the account that a quota root is named after.
    case quota(Address)
    case quotaRoot(MailboxName, Account)
    case setQuota(Address, QuotaLimits)

    case spill(any BodyWriter)
    case append(AppendedMessage)

    case store(StoreTask)
    case changeFlags(MailboxID, NumberSet, FlagChange, unchangedSince: ModSeq?)
    case copy(Account, NumberSet, from: MailboxID, to: MailboxName, allOrNothing: Bool)
    case move(Account, NumberSet, from: MailboxID, to: MailboxName)
    case expunge(MailboxID, NumberSet)
    case narrow(FetchScope)
    case fetch(FetchRequest)
    case search(SearchTask)
}

/// The store's and the authenticator's answers.
package enum IMAPOutcome: Sendable {
    case done
    case failed(StoreError)
    /// The user has not the right to it (RFC 5530 NOPERM).
    case denied
    /// A name that this cannot be done with.
    case unusableName
    case authentication(AuthenticationResult)
    case opened(OpenedMailbox)
    case refreshed(MailboxUpdate)
    case observing(Observation)
    /// Untagged responses.
    case written([UInt8])
    case found(FoundMailbox)
    case created(Mailbox)
    case quota(root: Address, Quota)
    case deleted(MailboxID)
    case appended(AppendResult)
    /// UIDs left alone because of `unchangedSince`.
    case changedFlags(modified: NumberSet)
    case stored(StoreResult)
    case copied(CopyResult)
    case expunged(NumberSet)
    case narrowed(NarrowedFetch)
    case fetched(FetchPiece)
    /// UIDs; how many messages could not be read, and were left out; and the highest MODSEQ of those told, if MODSEQ was
    /// searched for.
    case matched(NumberSet, unreadable: Int, ModSeq?)
    case unsearchable(SearchProblem)
}

/// A message whose octets have all come.
package struct AppendedMessage: Sendable {
    package var mailbox: MailboxID
    package var body: any BodyWriter
    package var flags: [Flag]
    /// Nil: now.
    package var internalDate: Timestamp?
}
