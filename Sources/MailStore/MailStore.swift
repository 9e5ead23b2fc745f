package import MailVocabulary

/// Domains, accounts and what proves their passwords.
package protocol AccountStore: Sendable {
    func domains() async throws -> [Domain]
    /// Throws `StoreError.domainExists`.
    func addDomain(_ domain: Domain) async throws
    /// Throws `StoreError.noSuchDomain`, or `domainInUse` while it has accounts.
    func deleteDomain(_ domain: Domain) async throws

    func accounts() async throws -> [Account]
    /// By canonical address.
    func account(_ address: Address) async throws -> Account?
    func credentials(of account: AccountID) async throws -> StoredCredentials?
    /// Creates the accounts with INBOX, Drafts, Sent, Junk, Trash and Archive, all or none.
    /// Throws `noSuchDomain`, `accountExists`.
    func addAccounts(_ new: [(Address, StoredCredentials)]) async throws -> [Account]
    func setCredentials(_ credentials: StoredCredentials, of account: AccountID) async throws
    /// With all its mail.
    func deleteAccount(_ account: AccountID) async throws
}

/// A body that is being received, or has been: outside every mailbox until a message that names it is added.
/// Dropping the last reference discards what was not added.
package protocol StagedBody: AnyObject, Sendable {
    var count: Int { get }
    /// The whole body, contiguous (a mapped file when it is large).
    func withBytes<R>(_ read: (Span<UInt8>) throws -> R) throws -> R
}

/// Takes a body in pieces. Small bodies stay in memory; a large one goes to a file as it comes, so that memory is
/// bounded whatever is sent.
package protocol BodyWriter: AnyObject, Sendable {
    var count: Int { get }
    /// True when `spill` should be called before more is written: the piece in memory has reached its limit.
    var needsSpill: Bool { get }
    /// Adds to the piece in memory; never blocks.
    func write(_ bytes: Span<UInt8>)
    /// Moves what is in memory to the file. Throws `StoreError.noSpace`.
    func spill() async throws
    func finish() async throws -> any StagedBody
}

/// Mailboxes and messages. Everything that changes returns after it is durable (group commit: one fsync serves all
/// who wait).
package protocol MailStore: AccountStore, AddressStore, AccessStore, AnnotationStore, DerivedDataStore, QueueStore {
    var measurements: StoreMeasurements? { get }
    /// Returns when the writer has come round, having changed nothing. Throws `unavailable` when it can write no more.
    func probeWriter() async throws

    // Quota: a root for each account

    /// The limits in effect, and what the account holds. Throws `noSuchAccount`.
    func quota(of account: AccountID) async throws -> Quota
    /// What is there already stays, whatever the limits are.
    func setQuota(_ limits: QuotaLimits, of account: AccountID) async throws
    func setAdministrator(_ isAdministrator: Bool, _ account: AccountID) async throws

    // Mailboxes

    /// By name.
    func mailboxes(of account: AccountID) async throws -> [Mailbox]
    func mailbox(_ name: MailboxName, of account: AccountID) async throws -> Mailbox?
    /// Creates missing superior mailboxes too (RFC 9051 §6.3.4). Throws `mailboxExists`, `specialUseTaken`.
    func createMailbox(_ name: MailboxName, of account: AccountID, specialUse: SpecialUse?) async throws -> Mailbox
    /// Inferiors stay (RFC 9051 §6.3.5). Returns what the mailbox was. Throws `noSuchMailbox`, `mailboxNotDeletable`
    /// for INBOX.
    @discardableResult
    func deleteMailbox(_ name: MailboxName, of account: AccountID) async throws -> MailboxID
    /// With inferiors, also of a level that is no mailbox; INBOX is emptied into the new mailbox instead (RFC 9051
    /// §6.3.6).
    func renameMailbox(_ name: MailboxName, to: MailboxName, of account: AccountID) async throws
    /// A name may be subscribed without a mailbox (RFC 9051 §6.3.7). Throws `tooManyMailboxes` beyond
    /// `StoreLimits.subscriptionsPerAccount`.
    func setSubscribed(_ subscribed: Bool, _ name: MailboxName, of account: AccountID) async throws
    func subscriptions(of account: AccountID) async throws -> [MailboxName]
    func isSubscribed(_ name: MailboxName, of account: AccountID) async throws -> Bool
    /// Whether the account has mailboxes below a name, which need be none's.
    func hasInferiors(_ name: MailboxName, of account: AccountID) async throws -> Bool

    /// Gives a mailbox that never held a message the UIDVALIDITY that its mail had elsewhere, so that its UIDs stay
    /// valid. False, and nothing changed, when it held one, or when the value lies in the future: values given here
    /// later could then be below (RFC 9051 §2.3.1.1).
    func adoptUIDValidity(_ uidValidity: UIDValidity, of mailbox: MailboxID) async throws -> Bool

    // Messages

    /// The mailbox as it is now. Loads its index if nobody has it open; later calls are cheap.
    func open(_ mailbox: MailboxID) async throws -> MailboxSnapshot
    /// The mailbox as it is now, if its index is loaded: without waiting, for sessions that have it selected.
    func current(_ mailbox: MailboxID) -> MailboxSnapshot?
    /// UIDs of messages that were removed by changes with a higher MODSEQ (RFC 7162 §3.2.5). A store that does not
    /// remember so far back may name more, but none that a message has, and none from UIDNEXT on. Throws
    /// `noSuchMailbox`.
    func expunged(_ mailbox: MailboxID, since: ModSeq) async throws -> NumberSet
    /// Takes the messages not yet reported as recent: returns the first UID that is recent for the caller
    /// (RFC 3501 §2.3.2). Not durable: a restart may report a message as recent twice.
    func claimRecent(_ mailbox: MailboxID) async throws -> UInt64

    func bodyWriter() -> any BodyWriter
    /// Adds messages to several mailboxes, all or none. Throws `overQuota`, as every addition to an account does.
    func append(_ messages: [(mailbox: MailboxID, messages: [NewMessage])]) async throws -> [AppendResult]
    /// Adds a message and removes another in one transaction (RFC 8508): what goes makes room for what comes. Throws
    /// `noSuchBody`, with nothing changed, when the message that is to go is not there.
    func replace(
        _ uid: UID, in mailbox: MailboxID, with message: NewMessage, in target: MailboxID
    ) async throws -> AppendResult
    /// Changes flags; messages that no longer exist are passed over, unchanged ones keep their MODSEQ. With
    /// `unchangedSince`, messages changed later are left alone and returned (RFC 7162 §3.1.3).
    func changeFlags(
        _ mailbox: MailboxID, _ uids: NumberSet, _ change: FlagChange, unchangedSince: ModSeq?
    ) async throws -> NumberSet
    /// Copies dates, and flags of the kinds given, too; bodies are shared. With `allOrNothing`, nothing is copied when
    /// one of the messages is gone: the result is empty then (RFC 3501 §6.4.7). Throws `noSuchMailbox`, `overQuota`.
    func copy(
        _ uids: NumberSet, from: MailboxID, to: MailboxID, keeping: FlagClasses, allOrNothing: Bool
    ) async throws -> CopyResult
    /// Copy and removal in one transaction (RFC 6851). Within an account it needs no quota.
    func move(_ uids: NumberSet, from: MailboxID, to: MailboxID, keeping: FlagClasses) async throws -> CopyResult
    /// Removes those of the messages that are still there, and, with `onlyDeleted`, carry `\Deleted`. Returns the
    /// UIDs removed.
    func remove(_ uids: NumberSet, from mailbox: MailboxID, onlyDeleted: Bool) async throws -> NumberSet

    // URLs

    /// The key that URLs of the mailbox are authorised with (RFC 4467 §2.2); nil when there is none. It goes with the
    /// mailbox.
    func urlKey(of mailbox: MailboxID) async throws -> Secret?
    /// The same; the new key becomes it when there is none. Throws `noSuchMailbox`.
    func urlKey(of mailbox: MailboxID, orNew new: Secret) async throws -> Secret
    /// Removes the mailboxes' keys.
    func resetURLKeys(of mailboxes: [MailboxID]) async throws

    // Bodies

    /// Octets of one body. A range beyond its end is cut. Throws `noSuchBody`, `damaged`.
    func read(_ body: BodyID, _ range: Range<Int>) async throws -> [UInt8]
    /// Whole bodies in one call, for sequential readers. Nil for one that is gone.
    func read(_ bodies: [BodyID]) async throws -> [[UInt8]?]
    /// Encoded summaries in the order asked: the first, and more until they have come to so many octets. Nil for a
    /// body that is gone.
    func summaries(_ bodies: [BodyID], upTo octets: Int) async throws -> PackedSummaries

    // Search

    /// Which bodies of a mailbox may contain a text: in the order given, false only for one that certainly does not.
    /// What has not been indexed yet may. Nil when nothing is known of any: no index, or a text that it cannot tell
    /// about.
    /// - Parameter text: UTF-8, folded by `MessageFormat.TextFolding`.
    func mayContain(_ text: [UInt8], _ bodies: [BodyID], in mailbox: MailboxID) async throws -> [Bool]?

    /// How far the index of texts has come; nil when there is none.
    func textIndexState() async throws -> TextIndexState?

    // Change feed

    /// Calls back, on no particular thread and without blocking, after each commit that changed the mailbox.
    func observe(_ mailbox: MailboxID, _ onChange: @escaping @Sendable () -> Void) -> Observation
    /// The same for the account's mailbox list.
    func observe(_ account: AccountID, _ onChange: @escaping @Sendable () -> Void) -> Observation
    /// A watch of whole accounts, which hears of nothing yet. It is told of every commit before its caller is answered.
    ///
    /// - Parameter wake: called, on no particular thread and without blocking, when something has come.
    func watch(_ wake: @escaping @Sendable () -> Void) -> ChangeWatch

    /// Checks everything that is kept against itself: rows against bodies, checksums, counters.
    func verify(_ progress: @escaping @Sendable (VerifyProgress) -> Void) async throws -> [Damage]
    /// Commits what waits and closes.
    func close() async throws
}

extension MailStore {
    /// There is none.
    package func textIndexState() async throws -> TextIndexState? { nil }

    /// All of them, however large: for few.
    package func summaries(_ bodies: [BodyID]) async throws -> [[UInt8]?] {
        try await summaries(bodies, upTo: .max).arrays
    }

    /// With all flags.
    package func copy(
        _ uids: NumberSet, from: MailboxID, to: MailboxID, allOrNothing: Bool = false
    ) async throws -> CopyResult {
        try await copy(uids, from: from, to: to, keeping: .all, allOrNothing: allOrNothing)
    }

    /// With all flags.
    package func move(_ uids: NumberSet, from: MailboxID, to: MailboxID) async throws -> CopyResult {
        try await move(uids, from: from, to: to, keeping: .all)
    }
}

package struct TextIndexState: Sendable, Hashable {
    /// Messages that have been read for it, of so many.
    package var indexed: Int
    package var messages: Int
    /// Of its files.
    package var octets: Int

    package init(indexed: Int, messages: Int, octets: Int) {
        (self.indexed, self.messages, self.octets) = (indexed, messages, octets)
    }
}

/// Ends the observation when dropped.
package final class Observation: Sendable {
    private let cancel: @Sendable () -> Void

    package init(cancel: @escaping @Sendable () -> Void) { self.cancel = cancel }
    deinit { cancel() }
}

package struct VerifyProgress: Sendable {
    package var checked: Int
    package var total: Int

    package init(checked: Int, total: Int) {
        self.checked = checked
        self.total = total
    }
}

/// One thing found wrong: where, and what.
package struct Damage: Sendable, Hashable, CustomStringConvertible {
    package var place: String
    package var problem: String

    package init(place: String, problem: String) {
        self.place = place
        self.problem = problem
    }

    package var description: String { "\(place): \(problem)" }
}
