package import MailVocabulary
import Synchronization

/// The reference store: everything in memory, nothing survives the process. For tests, and to say what `MailStore`
/// means: each operation is one function on `InMemoryState` under one lock.
package final class InMemoryStore: MailStore {
    private let state: Mutex<InMemoryState>
    let feed = ChangeFeed()

    /// - Parameter now: seconds since 1970.
    package init(
        quotaDefaults: QuotaDefaults = QuotaDefaults(), now: @escaping @Sendable () -> UInt32 = SaveClock.system
    ) {
        state = Mutex(InMemoryState(quotaDefaults, now: now))
    }

    /// One change: all of it or, when it throws, nothing; then observers hear of it.
    func change<R: Sendable>(_ body: (inout InMemoryState) throws -> R) throws -> R {
        let origin = ChangeOrigin.current
        let (result, callbacks) = try state.withLock { state in
            state.begin(by: origin)
            let result = try body(&state)
            // In the order of the changes; nobody is called under the lock.
            return (result, feed.prepare(state.takeChanges(), record: state.record))
        }
        for callback in callbacks { callback() }
        return result
    }

    func look<R: Sendable>(_ body: (InMemoryState) throws -> R) rethrows -> R {
        try state.withLock { try body($0) }
    }

    // Accounts

    package func domains() async throws -> [Domain] {
        look { $0.domains.sorted { $0.name < $1.name } }
    }

    package func addDomain(_ domain: Domain) async throws { try change { try $0.addDomain(domain) } }

    package func deleteDomain(_ domain: Domain) async throws { try change { try $0.deleteDomain(domain) } }

    package func accounts() async throws -> [Account] {
        look { $0.accounts.values.map(\.account).sorted { $0.id < $1.id } }
    }

    package func account(_ address: Address) async throws -> Account? {
        look { state in state.accountsByAddress[address.canonical].flatMap { state.accounts[$0]?.account } }
    }

    package func credentials(of account: AccountID) async throws -> StoredCredentials? {
        look { $0.accounts[account]?.credentials }
    }

    package func addAccounts(_ new: [(Address, StoredCredentials)]) async throws -> [Account] {
        try change { try $0.addAccounts(new) }
    }

    package func setCredentials(_ credentials: StoredCredentials, of account: AccountID) async throws {
        try change { try $0.changeAccount(account) { $0.credentials = credentials } }
    }

    package func deleteAccount(_ account: AccountID) async throws { try change { try $0.deleteAccount(account) } }

    package func quota(of account: AccountID) async throws -> Quota { try look { try $0.quota(of: account) } }

    package func setQuota(_ limits: QuotaLimits, of account: AccountID) async throws {
        try change { try $0.changeAccount(account) { $0.quota = limits } }
    }

    package func setAdministrator(_ isAdministrator: Bool, _ account: AccountID) async throws {
        try change { try $0.changeAccount(account) { $0.account.isAdministrator = isAdministrator } }
    }

    // Mailboxes

    package func mailboxes(of account: AccountID) async throws -> [Mailbox] {
        look { state in
            guard let entry = state.accounts[account] else { return [] }
            return entry.mailboxes.sorted { $0.key < $1.key }.compactMap { state.record($0.value) }
        }
    }

    package func mailbox(_ name: MailboxName, of account: AccountID) async throws -> Mailbox? {
        look { state in state.accounts[account]?.mailboxes[name].flatMap { state.record($0) } }
    }

    package func createMailbox(
        _ name: MailboxName, of account: AccountID, specialUse: SpecialUse?
    ) async throws -> Mailbox {
        try change { try $0.createMailbox(name, of: account, specialUse: specialUse) }
    }

    package func adoptUIDValidity(_ uidValidity: UIDValidity, of mailbox: MailboxID) async throws -> Bool {
        try change { try $0.adoptUIDValidity(uidValidity, of: mailbox) }
    }

    package func deleteMailbox(_ name: MailboxName, of account: AccountID) async throws -> MailboxID {
        try change { try $0.deleteMailbox(name, of: account) }
    }

    package func renameMailbox(_ name: MailboxName, to target: MailboxName, of account: AccountID) async throws {
        try change { try $0.renameMailbox(name, to: target, of: account) }
    }

    package func setSubscribed(_ subscribed: Bool, _ name: MailboxName, of account: AccountID) async throws {
        try change { try $0.setSubscribed(subscribed, name, of: account) }
    }

    package func subscriptions(of account: AccountID) async throws -> [MailboxName] {
        look { $0.accounts[account]?.subscriptions.sorted() ?? [] }
    }

    package func isSubscribed(_ name: MailboxName, of account: AccountID) async throws -> Bool {
        look { $0.accounts[account]?.subscriptions.contains(name) ?? false }
    }

    package func hasInferiors(_ name: MailboxName, of account: AccountID) async throws -> Bool {
        look { $0.accounts[account]?.mailboxes.keys.contains { $0.isInferior(to: name) } ?? false }
    }

    // Access

    package func accessList(of mailbox: MailboxID) async throws -> [AccessEntry] {
        try look { try $0.accessList(of: mailbox) }
    }

    package func changeAccess(
        _ rights: RightsChange, of identifier: AccessIdentifier, on mailbox: MailboxID
    ) async throws {
        try change { try $0.changeAccess(rights, of: identifier, on: mailbox) }
    }

    package func rights(of account: AccountID, on mailbox: MailboxID) async throws -> MailboxRights {
        look { $0.rights(of: account, on: mailbox) }
    }

    package func sharedMailboxes(with account: AccountID) async throws -> [SharedMailbox] {
        look { $0.sharedMailboxes(with: account) }
    }

    package var accessGeneration: UInt64 { feed.accessGeneration }

    package func annotations(
        _ selection: AnnotationSelection, on mailboxes: [MailboxID?], for account: AccountID
    ) async throws -> [[Annotation]] {
        look { $0.annotations(selection, on: mailboxes, for: account) }
    }

    package func setAnnotations(
        _ changes: [(name: AnnotationName, value: [UInt8]?)], _ use: SpecialUseChange, on mailbox: MailboxID?,
        for account: AccountID
    ) async throws {
        try change { try $0.setAnnotations(changes, use, on: mailbox, for: account) }
    }

    // Messages

    package func open(_ mailbox: MailboxID) async throws -> MailboxSnapshot {
        guard let snapshot = current(mailbox) else { throw StoreError.noSuchMailbox }
        return snapshot
    }

    package func current(_ mailbox: MailboxID) -> MailboxSnapshot? {
        look { $0.mailboxes[mailbox]?.snapshot }
    }

    package func expunged(_ mailbox: MailboxID, since: ModSeq) async throws -> NumberSet {
        guard let entry = look({ $0.mailboxes[mailbox] }) else { throw StoreError.noSuchMailbox }
        return NumberSet(entry.removals.filter { $0.modSeq > since }.flatMap(\.uids.ranges))
    }

    package func claimRecent(_ mailbox: MailboxID) async throws -> UInt64 {
        try change { try $0.claimRecent(mailbox) }
    }

    package func bodyWriter() -> any BodyWriter { InMemoryBodyWriter() }

    package func append(_ messages: [(mailbox: MailboxID, messages: [NewMessage])]) async throws -> [AppendResult] {
        try change { try $0.append(messages) }
    }

    package func replace(
        _ uid: UID, in mailbox: MailboxID, with message: NewMessage, in target: MailboxID
    ) async throws -> AppendResult {
        try change { try $0.replace(uid, in: mailbox, with: message, in: target) }
    }

    package func urlKey(of mailbox: MailboxID) async throws -> Secret? { look { $0.mailboxes[mailbox]?.urlKey } }

    package func urlKey(of mailbox: MailboxID, orNew new: Secret) async throws -> Secret {
        try change { try $0.urlKey(of: mailbox, orNew: new) }
    }

    package func resetURLKeys(of mailboxes: [MailboxID]) async throws {
        try change { state in for mailbox in mailboxes { state.mailboxes[mailbox]?.urlKey = nil } }
    }

    package func changeFlags(
        _ mailbox: MailboxID, _ uids: NumberSet, _ flags: FlagChange, unchangedSince: ModSeq?
    ) async throws -> NumberSet {
        try change { try $0.changeFlags(mailbox, uids, flags, unchangedSince: unchangedSince) }
    }

    package func copy(
        _ uids: NumberSet, from: MailboxID, to: MailboxID, keeping classes: FlagClasses, allOrNothing: Bool
    ) async throws -> CopyResult {
        try change { try $0.copy(uids, from: from, to: to, keeping: classes, allOrNothing: allOrNothing) }
    }

    package func move(
        _ uids: NumberSet, from: MailboxID, to: MailboxID, keeping classes: FlagClasses
    ) async throws -> CopyResult {
        try change { try $0.move(uids, from: from, to: to, keeping: classes) }
    }

    package func remove(_ uids: NumberSet, from mailbox: MailboxID, onlyDeleted: Bool) async throws -> NumberSet {
        try change { try $0.remove(uids, from: mailbox, onlyDeleted: onlyDeleted) }
    }

    // Bodies

    package func read(_ body: BodyID, _ range: Range<Int>) async throws -> [UInt8] {
        guard let bytes = look({ $0.bodies[body]?.bytes }) else { throw StoreError.noSuchBody }
        return Array(bytes[range.clamped(to: 0..<bytes.count)])
    }

    package func read(_ bodies: [BodyID]) async throws -> [[UInt8]?] {
        look { state in bodies.map { state.bodies[$0]?.bytes } }
    }

    package func summaries(_ bodies: [BodyID], upTo limit: Int) async throws -> PackedSummaries {
        look { state in
            var summaries = PackedSummaries()
            for body in bodies where summaries.octetCount < limit {
                if let summary = state.bodies[body]?.summary {
                    summaries.append(summary)
                } else {
                    summaries.appendGone()
                }
            }
            return summaries
        }
    }

    /// There is no index: what is in memory is quickly read.
    package func mayContain(_ text: [UInt8], _ bodies: [BodyID], in mailbox: MailboxID) async throws -> [Bool]? { nil }

    package func derived(_ name: DerivedName, of mailbox: MailboxID) async -> DerivedData? {
        guard let entry = look({ $0.mailboxes[mailbox] }), let data = entry.derived[name],
            data.uidValidity == entry.snapshot.uidValidity
        else { return nil }
        return data
    }

    package func keepDerived(_ data: DerivedData, as name: DerivedName, of mailbox: MailboxID) async {
        try? change { state in state.mailboxes[mailbox]?.derived[name] = data }
    }

    // Change feed

    package func observe(_ mailbox: MailboxID, _ onChange: @escaping @Sendable () -> Void) -> Observation {
        feed.observe(mailbox, onChange)
    }

    package func observe(_ account: AccountID, _ onChange: @escaping @Sendable () -> Void) -> Observation {
        feed.observe(account, onChange)
    }

    package func watch(_ wake: @escaping @Sendable () -> Void) -> ChangeWatch { feed.watch(wake) }

    package func verify(_ progress: @escaping @Sendable (VerifyProgress) -> Void) async throws -> [Damage] {
        let damage = look { $0.verify() }
        progress(VerifyProgress(checked: 1, total: 1))
        return damage
    }

    package func close() async throws {}
}
