import MailStore
import MailVocabulary
import Synchronization

/// A store that has troubles.
final class TroubledStore: MailStore {
    /// What troubles it, and what it was asked for.
    struct Condition {
        /// Indexes are never at hand, as if they were evicted at once: sessions must ask for every look.
        var forgets = false
        /// Bodies, and summaries, that cannot be read.
        var damagedBodies: Set<BodyID> = []
        var damagedSummaries: Set<BodyID> = []
        /// Octets of whole bodies that were read, and of the largest answer to a call for summaries.
        var octetsRead = 0
        var mostSummaryOctets = 0
        /// What an index of text would say; nil when there is none.
        var mayContain: (@Sendable (_ text: [UInt8], BodyID) -> Bool)?
        /// What becomes of derived data that is asked for; what would become nothing is not taken either.
        var derived: (@Sendable (DerivedName, DerivedData?) -> DerivedData?)?
    }

    let condition = Mutex(Condition())
    let base: InMemoryStore

    init(_ base: InMemoryStore) { self.base = base }

    func current(_ mailbox: MailboxID) -> MailboxSnapshot? {
        condition.withLock { $0.forgets } ? nil : base.current(mailbox)
    }

    func domains() async throws -> [Domain] { try await base.domains() }
    func addDomain(_ domain: Domain) async throws { try await base.addDomain(domain) }
    func deleteDomain(_ domain: Domain) async throws { try await base.deleteDomain(domain) }
    func accounts() async throws -> [Account] { try await base.accounts() }
    func account(_ address: Address) async throws -> Account? { try await base.account(address) }
    func credentials(of account: AccountID) async throws -> StoredCredentials? {
        try await base.credentials(of: account)
    }
    func addAccounts(_ new: [(Address, StoredCredentials)]) async throws -> [Account] {
        try await base.addAccounts(new)
    }
    func setCredentials(_ credentials: StoredCredentials, of account: AccountID) async throws {
        try await base.setCredentials(credentials, of: account)
    }
    func deleteAccount(_ account: AccountID) async throws { try await base.deleteAccount(account) }
    func quota(of account: AccountID) async throws -> Quota { try await base.quota(of: account) }
    func setQuota(_ limits: QuotaLimits, of account: AccountID) async throws {
        try await base.setQuota(limits, of: account)
    }
    func setAdministrator(_ isAdministrator: Bool, _ account: AccountID) async throws {
        try await base.setAdministrator(isAdministrator, account)
    }

    func aliases() async throws -> [Alias] { try await base.aliases() }
    func aliasTargets(_ name: AddressPattern) async throws -> [Address]? { try await base.aliasTargets(name) }
    func setAlias(_ alias: Alias) async throws { try await base.setAlias(alias) }
    func removeAlias(_ name: AddressPattern) async throws { try await base.removeAlias(name) }
    func senderGrants(of account: AccountID) async throws -> [AddressPattern] {
        try await base.senderGrants(of: account)
    }
    func grantSender(_ sender: AddressPattern, to account: AccountID) async throws {
        try await base.grantSender(sender, to: account)
    }
    func revokeSender(_ sender: AddressPattern, of account: AccountID) async throws {
        try await base.revokeSender(sender, of: account)
    }

    func accessList(of mailbox: MailboxID) async throws -> [AccessEntry] { try await base.accessList(of: mailbox) }
    func changeAccess(
        _ change: RightsChange, of identifier: AccessIdentifier, on mailbox: MailboxID
    ) async throws {
        try await base.changeAccess(change, of: identifier, on: mailbox)
    }
    func rights(of account: AccountID, on mailbox: MailboxID) async throws -> MailboxRights {
        try await base.rights(of: account, on: mailbox)
    }
    func sharedMailboxes(with account: AccountID) async throws -> [SharedMailbox] {
        try await base.sharedMailboxes(with: account)
    }
    var accessGeneration: UInt64 { base.accessGeneration }
    func annotations(
        _ selection: AnnotationSelection, on mailboxes: [MailboxID?], for account: AccountID
    ) async throws -> [[Annotation]] {
        try await base.annotations(selection, on: mailboxes, for: account)
    }
    func setAnnotations(
        _ changes: [(name: AnnotationName, value: [UInt8]?)], _ use: SpecialUseChange, on mailbox: MailboxID?,
        for account: AccountID
    ) async throws {
        try await base.setAnnotations(changes, use, on: mailbox, for: account)
    }

    func mailboxes(of account: AccountID) async throws -> [Mailbox] { try await base.mailboxes(of: account) }
    func mailbox(_ name: MailboxName, of account: AccountID) async throws -> Mailbox? {
        try await base.mailbox(name, of: account)
    }
    func createMailbox(_ name: MailboxName, of account: AccountID, specialUse: SpecialUse?) async throws -> Mailbox {
        try await base.createMailbox(name, of: account, specialUse: specialUse)
    }
    func adoptUIDValidity(_ uidValidity: UIDValidity, of mailbox: MailboxID) async throws -> Bool {
        try await base.adoptUIDValidity(uidValidity, of: mailbox)
    }
    func deleteMailbox(_ name: MailboxName, of account: AccountID) async throws -> MailboxID {
        try await base.deleteMailbox(name, of: account)
    }
    func renameMailbox(_ name: MailboxName, to: MailboxName, of account: AccountID) async throws {
        try await base.renameMailbox(name, to: to, of: account)
    }
    func setSubscribed(_ subscribed: Bool, _ name: MailboxName, of account: AccountID) async throws {
        try await base.setSubscribed(subscribed, name, of: account)
    }
    func subscriptions(of account: AccountID) async throws -> [MailboxName] {
        try await base.subscriptions(of: account)
    }

    func isSubscribed(_ name: MailboxName, of account: AccountID) async throws -> Bool {
        try await base.isSubscribed(name, of: account)
    }
    func hasInferiors(_ name: MailboxName, of account: AccountID) async throws -> Bool {
        try await base.hasInferiors(name, of: account)
    }

    func open(_ mailbox: MailboxID) async throws -> MailboxSnapshot { try await base.open(mailbox) }
    func expunged(_ mailbox: MailboxID, since: ModSeq) async throws -> NumberSet {
        try await base.expunged(mailbox, since: since)
    }
    func claimRecent(_ mailbox: MailboxID) async throws -> UInt64 { try await base.claimRecent(mailbox) }
    func bodyWriter() -> any BodyWriter { base.bodyWriter() }
    func append(_ messages: [(mailbox: MailboxID, messages: [NewMessage])]) async throws -> [AppendResult] {
        try await base.append(messages)
    }
    func replace(
        _ uid: UID, in mailbox: MailboxID, with message: NewMessage, in target: MailboxID
    ) async throws -> AppendResult {
        try await base.replace(uid, in: mailbox, with: message, in: target)
    }
    func urlKey(of mailbox: MailboxID) async throws -> Secret? { try await base.urlKey(of: mailbox) }
    func urlKey(of mailbox: MailboxID, orNew new: Secret) async throws -> Secret {
        try await base.urlKey(of: mailbox, orNew: new)
    }
    func resetURLKeys(of mailboxes: [MailboxID]) async throws { try await base.resetURLKeys(of: mailboxes) }
    func changeFlags(
        _ mailbox: MailboxID, _ uids: NumberSet, _ change: FlagChange, unchangedSince: ModSeq?
    ) async throws -> NumberSet {
        try await base.changeFlags(mailbox, uids, change, unchangedSince: unchangedSince)
    }
    func copy(
        _ uids: NumberSet, from: MailboxID, to: MailboxID, keeping classes: FlagClasses, allOrNothing: Bool
    ) async throws -> CopyResult {
        try await base.copy(uids, from: from, to: to, keeping: classes, allOrNothing: allOrNothing)
    }
    func move(
        _ uids: NumberSet, from: MailboxID, to: MailboxID, keeping classes: FlagClasses
    ) async throws -> CopyResult {
        try await base.move(uids, from: from, to: to, keeping: classes)
    }
    func remove(_ uids: NumberSet, from mailbox: MailboxID, onlyDeleted: Bool) async throws -> NumberSet {
        try await base.remove(uids, from: mailbox, onlyDeleted: onlyDeleted)
    }

    func read(_ body: BodyID, _ range: Range<Int>) async throws -> [UInt8] {
        try check([body]) { $0.damagedBodies }
        return try await base.read(body, range)
    }
    func read(_ bodies: [BodyID]) async throws -> [[UInt8]?] {
        try check(bodies) { $0.damagedBodies }
        let read = try await base.read(bodies)
        condition.withLock { $0.octetsRead += read.reduce(0) { $0 + ($1?.count ?? 0) } }
        return read
    }
    func summaries(_ bodies: [BodyID], upTo octets: Int) async throws -> PackedSummaries {
        try check(bodies) { $0.damagedSummaries }
        let summaries = try await base.summaries(bodies, upTo: octets)
        let sum = summaries.octetCount
        condition.withLock { $0.mostSummaryOctets = max($0.mostSummaryOctets, sum) }
        return summaries
    }

    func mayContain(_ text: [UInt8], _ bodies: [BodyID], in mailbox: MailboxID) async throws -> [Bool]? {
        condition.withLock { $0.mayContain }.map { mayContain in bodies.map { mayContain(text, $0) } }
    }

    func derived(_ name: DerivedName, of mailbox: MailboxID) async -> DerivedData? {
        let data = await base.derived(name, of: mailbox)
        guard let change = condition.withLock({ $0.derived }) else { return data }
        return change(name, data)
    }
    func keepDerived(_ data: DerivedData, as name: DerivedName, of mailbox: MailboxID) async {
        if let change = condition.withLock({ $0.derived }), change(name, data) == nil { return }
        await base.keepDerived(data, as: name, of: mailbox)
    }

    private func check(_ bodies: [BodyID], _ damaged: (borrowing Condition) -> Set<BodyID>) throws {
        let damaged = condition.withLock { damaged($0) }
        guard damaged.isDisjoint(with: bodies) else { throw StoreError.damaged("a body") }
    }

    func observe(_ mailbox: MailboxID, _ onChange: @escaping @Sendable () -> Void) -> Observation {
        base.observe(mailbox, onChange)
    }
    func observe(_ account: AccountID, _ onChange: @escaping @Sendable () -> Void) -> Observation {
        base.observe(account, onChange)
    }
    func watch(_ wake: @escaping @Sendable () -> Void) -> ChangeWatch { base.watch(wake) }
    func verify(_ progress: @escaping @Sendable (VerifyProgress) -> Void) async throws -> [Damage] {
        try await base.verify(progress)
    }
    func close() async throws { try await base.close() }
}
