package import IMAPSyntax
package import MailStore
package import MailVocabulary
package import SASL

/// What an IMAP session asks of the store and the authenticator.
package enum IMAPWork: Sendable {
    /// With the client's address.
    /// A response within an exchange; nil when the client sent none with AUTHENTICATE.
    case authenticate(any AuthenticationExchange, Secret?)
    /// LOGIN.
    case logIn(PasswordCredentials, AuthenticationContext)

    case open(OpenTask)
    /// What changed in the selected mailbox.
    case refresh(RefreshTask)
    /// Wakes the session when the mailbox changes, for as long as the observation is kept.
    case observe(MailboxID)

    // Names are those of the account that asks, whoever owns the mailbox.
    case list(Account, ListRequest, MailboxEncoding, appendLimit: UInt64)
    case lsub(Account, reference: String, pattern: String, MailboxEncoding)
    /// For whom has these rights on it.
    case findMailbox(Account, MailboxName, needing: MailboxRights)
    case createMailbox(Account, MailboxName, SpecialUse?)
    case deleteMailbox(Account, MailboxName)
    case renameMailbox(Account, from: MailboxName, to: MailboxName)
    case setSubscribed(AccountID, MailboxName, Bool)

    /// RFC 4314. GETACL, SETACL and LISTRIGHTS need the right `a`.
    case accessList(Account, MailboxName)
    case changeAccess(Account, MailboxName, AccessChange)
    case grantable(Account, MailboxName, NamedIdentifier)
    /// The account's rights on a mailbox that it has selected, and the generation they are of.
    case rights(AccountID, MailboxID)
    /// RFC 5464.
    case metadata(Account, MetadataRequest)
    case setMetadata(Account, AnnotatedPlace, [MetadataChange])
    /// Of the account that a quota root is named after.
    case quota(Address)
    case quotaRoot(MailboxName, Account)
    case setQuota(Address, QuotaLimits)

    case spill(any BodyWriter)
    /// Adds to a message what a URL names.
    case catenate(CatenatedPart)
    case append(AppendJob)
    case authoriseURLs([AuthorisationRequest], URLAuthentication)
    case locate(AddressedURL, URLAuthentication)
    /// Of one's own mailboxes: one, or all.
    case resetURLKeys(AccountID, MailboxName?)
    case read(BodyID, Range<Int>)

    case store(StoreTask)
    case copy(Account, NumberSet, from: MailboxID, to: MailboxName, allOrNothing: Bool)
    case move(Account, NumberSet, from: MailboxID, to: MailboxName)
    /// Of too many messages marked `\Deleted`, the last.
    case expunge(MailboxID, NumberSet, limit: UInt32?)
    case narrow(FetchScope)
    case markSeen(SeenTask)
    case fetch(FetchRequest)
    case search(SearchTask)
    /// The rest of a search that takes long.
    case continueSearch(SearchJob)
    case multiSearch(MultiSearchTask)
    case continueMultiSearch(MultiSearchJob)
    /// The contexts of the selected mailbox, as they are now; answered as `refreshed`.
    case updateContexts(ContextTask)

    /// RFC 5465: wakes the session when something happens in other mailboxes.
    case watch(WatchTask)
    case tell(NotificationTask)
    /// Work whose changes a watch's own session is not told of.
    indirect case attributed(IMAPWork, to: UInt64)
}

/// The store's and the authenticator's answers.
package enum IMAPOutcome: Sendable {
    case done
    case failed(StoreError)
    /// The user has not the right to it (RFC 5530 NOPERM).
    case denied
    /// A name that this cannot be done with.
    case unusableName
    case authentication(AuthenticationStep)
    case opened(OpenedMailbox)
    case refreshed(MailboxUpdate)
    case observing(Observation)
    /// Untagged responses.
    case written([UInt8])
    case found(FoundMailbox)
    case accessList([(identifier: String, rights: MailboxRights)])
    /// Whether the identifier is the owner, who always has every right.
    case grantable(isOwner: Bool)
    case rights(MailboxRights, generation: UInt64)
    /// No account of the owner's domain has that identifier.
    case unknownIdentifier
    /// A mailbox cannot be for that.
    case unusableUse
    case metadata([(name: AnnotationName, value: [UInt8]?)], largestLeftOut: Int?)
    case created(Mailbox)
    case quota(root: Address, Quota)
    case deleted(MailboxID)
    case appended(AppendResult)
    case notAppended(AppendProblem)
    /// Nil when one of them cannot be authorised.
    case authorisedURLs([String]?)
    /// Nil when there is nothing, or nothing for who asks.
    case located(URLContent?)
    case octets([UInt8])
    case stored(StoreResult)
    case copied(CopyResult, into: FoundMailbox)
    case expunged(ExpungeResult)
    case narrowed(NarrowedFetch)
    case markedSeen(SeenResult)
    case fetched(FetchPiece)
    case matched(SearchFindings)
    /// It takes long: the client is told how far it is, and it goes on.
    case searching(SearchJob)
    /// Mailboxes in which something was found, and the rest of the search, if there is one.
    case foundInMailboxes([MailboxFindings], rest: MultiSearchJob?)
    case unsearchable(SearchProblem)
    case watching(WatchedMailboxes, [Notice])
    case told(ForeignMailboxes, [Notice])
    /// More than can be watched, or told.
    case overflown
}
