import MailVocabulary

/// Everything the in-memory store knows. A function that throws has changed nothing.
struct InMemoryState {
    struct AccountEntry {
        var account: Account
        var credentials: StoredCredentials
        var mailboxes: [MailboxName: MailboxID] = [:]
        var subscriptions: Set<MailboxName> = []
        var quota = QuotaLimits()
        var threads: [ThreadKey: ThreadID] = [:]
    }

    struct MailboxEntry {
        var account: AccountID
        var name: MailboxName
        var specialUse: SpecialUse?
        var snapshot: MailboxSnapshot
        /// What was removed, and by which change; ascending.
        var removals: [(modSeq: ModSeq, uids: NumberSet)] = []
        /// The first UID nobody has been told of as recent.
        var firstRecent: UInt64 = 1
        var urlKey: Secret?
        var derived: [DerivedName: DerivedData] = [:]
        var access: [AccessIdentifier: MailboxRights] = [:]
    }

    struct BodyEntry {
        var bytes: [UInt8]
        var summary: [UInt8]
        var references: Int
    }

    let quotaDefaults: QuotaDefaults
    /// Seconds since 1970.
    let now: @Sendable () -> UInt32
    var domains: Set<Domain> = []
    var accounts: [AccountID: AccountEntry] = [:]
    var accountsByAddress: [Address: AccountID] = [:]
    var mailboxes: [MailboxID: MailboxEntry] = [:]
    var bodies: [BodyID: BodyEntry] = [:]
    var aliases: [AddressPattern: [Address]] = [:]
    var senderGrants: [AccountID: Set<AddressPattern>] = [:]
    var annotations: [AnnotationPlace: [AnnotationName: [UInt8]]] = [:]
    var queue = InMemoryQueue()
    private var lastID: Int64 = 0
    private var lastUIDValidity: UInt32 = 0
    private var changes = ChangeSet()

    init(_ quotaDefaults: QuotaDefaults, now: @escaping @Sendable () -> UInt32) {
        self.quotaDefaults = quotaDefaults
        self.now = now
    }

    mutating func takeChanges() -> ChangeSet {
        defer { changes = ChangeSet() }
        return changes
    }

    /// What is noted from here on is somebody's doing.
    mutating func begin(by origin: UInt64?) { changes.origin = origin }

    mutating func noteChange(_ mailbox: MailboxID) { changes.mailboxes.insert(mailbox) }
    mutating func noteChange(_ account: AccountID) { changes.accounts.insert(account) }
    mutating func noteMessages(_ events: MessageEvents, in mailbox: MailboxID) { changes.note(events, in: mailbox) }
    mutating func note(_ event: StoreEvent.Kind, of account: AccountID, others: Set<Audience> = []) {
        changes.note(event, of: account, others: others)
    }

    mutating func noteQueue() { changes.queue = true }
    mutating func noteAccess() { changes.access = true }
    mutating func noteAccess(_ mailbox: MailboxID) {
        noteAccess()
        changes.mailboxes.insert(mailbox)
        if let owner = mailboxes[mailbox]?.account { changes.accounts.insert(owner) }
    }
    /// - Parameter identifier: whose rights.
    mutating func noteAccess(_ mailbox: MailboxID, of identifier: AccessIdentifier) {
        noteAccess(mailbox)
        guard let entry = mailboxes[mailbox], let owner = accounts[entry.account]?.account.address else { return }
        note(
            .access(mailbox, entry.name, owner: owner), of: entry.account,
            others: [identifier.account.map(Audience.account) ?? .domain(owner.domain)])
    }

    mutating func newID() -> Int64 {
        lastID += 1
        return lastID
    }

    func record(_ id: MailboxID) -> Mailbox? {
        guard let entry = mailboxes[id], let account = accounts[entry.account] else { return nil }
        var counters = CounterChange()
        entry.snapshot.forEach { counters.add($1) }
        let recent =
            entry.firstRecent > StoreLimits.lastUID
            ? 0 : entry.snapshot.count - entry.snapshot.firstPosition(atOrAfter: UInt32(entry.firstRecent))
        return Mailbox(
            id: id, account: entry.account, name: entry.name, uidValidity: entry.snapshot.uidValidity,
            specialUse: entry.specialUse, isSubscribed: account.subscriptions.contains(entry.name),
            uidNext: entry.snapshot.uidNext, highestModSeq: entry.snapshot.highestModSeq,
            messageCount: counters.messages, unseenCount: counters.unseen, deletedCount: counters.deleted,
            recentCount: recent, size: UInt64(counters.size), deletedSize: UInt64(counters.deletedSize))
    }

    // Domains and accounts

    mutating func addDomain(_ domain: Domain) throws {
        guard domains.insert(domain).inserted else { throw StoreError.domainExists }
    }

    mutating func deleteDomain(_ domain: Domain) throws {
        guard domains.contains(domain) else { throw StoreError.noSuchDomain }
        guard !accounts.values.contains(where: { $0.account.address.domain == domain }) else {
            throw StoreError.domainInUse
        }
        domains.remove(domain)
        dropAliases(of: domain)
    }

    mutating func addAccounts(_ new: [(Address, StoredCredentials)]) throws -> [Account] {
        var addresses: Set<Address> = []
        for (address, _) in new {
            guard domains.contains(address.domain) else { throw StoreError.noSuchDomain }
            guard accountsByAddress[address.canonical] == nil, addresses.insert(address.canonical).inserted else {
                throw StoreError.accountExists
            }
        }
        return new.map { address, credentials in
            let account = Account(id: AccountID(newID()), address: address.canonical)
            accounts[account.id] = AccountEntry(account: account, credentials: credentials)
            accountsByAddress[account.address] = account.id
            for (name, specialUse) in DefaultMailboxes.all {
                addMailbox(name, to: account.id, specialUse: specialUse)
                accounts[account.id]?.subscriptions.insert(name)
            }
            return account
        }
    }

    mutating func changeAccount(_ id: AccountID, _ change: (inout AccountEntry) -> Void) throws {
        guard var entry = accounts[id] else { throw StoreError.noSuchAccount }
        change(&entry)
        accounts[id] = entry
    }

    mutating func deleteAccount(_ id: AccountID) throws {
        guard let entry = accounts[id] else { throw StoreError.noSuchAccount }
        for mailbox in entry.mailboxes.values { dropMailbox(mailbox) }
        dropAccess(of: id)
        dropAnnotations(of: id)
        dropAddresses(of: entry.account)
        accounts[id] = nil
        accountsByAddress[entry.account.address] = nil
        noteChange(id)
    }

    // Mailboxes

    mutating func createMailbox(
        _ name: MailboxName, of id: AccountID, specialUse: SpecialUse?
    ) throws -> Mailbox {
        guard let account = accounts[id] else { throw StoreError.noSuchAccount }
        guard account.mailboxes[name] == nil else { throw StoreError.mailboxExists }
        if let specialUse, account.mailboxes.values.contains(where: { mailboxes[$0]?.specialUse == specialUse }) {
            throw StoreError.specialUseTaken
        }
        let superiors = MailboxTree.missingSuperiors(of: name) { account.mailboxes[$0] != nil }
        guard account.mailboxes.count + superiors.count < StoreLimits.mailboxesPerAccount else {
            throw StoreError.tooManyMailboxes
        }
        let access = inheritedAccess(name, in: account)
        for superior in superiors { addMailbox(superior, to: id, specialUse: nil, access: access) }
        let mailbox = addMailbox(name, to: id, specialUse: specialUse, access: access)
        guard let record = record(mailbox) else { throw StoreError.noSuchMailbox }
        return record
    }

    @discardableResult
    mutating func addMailbox(
        _ name: MailboxName, to account: AccountID, specialUse: SpecialUse?,
        access: [AccessIdentifier: MailboxRights] = [:]
    ) -> MailboxID {
        lastUIDValidity += 1
        let id = MailboxID(newID())
        // Zero is out of reach: it is counted up from one, and no test makes 2³² mailboxes.
        guard let uidValidity = UIDValidity(lastUIDValidity) else { preconditionFailure("counted from 1") }
        mailboxes[id] = MailboxEntry(
            account: account, name: name, specialUse: specialUse,
            snapshot: MailboxSnapshot(mailbox: id, uidValidity: uidValidity), access: access)
        accounts[account]?.mailboxes[name] = id
        noteChange(account)
        note(.created(id, name), of: account)
        return id
    }

    mutating func adoptUIDValidity(_ uidValidity: UIDValidity, of id: MailboxID) throws -> Bool {
        guard let entry = mailboxes[id] else { throw StoreError.noSuchMailbox }
        let old = entry.snapshot
        guard old.uidNext == 1, uidValidity.value <= now() else { return false }
        lastUIDValidity = max(lastUIDValidity, uidValidity.value)
        mailboxes[id]?.snapshot = MailboxSnapshot(
            mailbox: id, uidValidity: uidValidity, uidNext: 1, highestModSeq: old.highestModSeq, keywords: old.keywords)
        noteChange(entry.account)
        noteMessages(.uidValidity, in: id)
        return true
    }

    mutating func deleteMailbox(_ name: MailboxName, of id: AccountID) throws -> MailboxID {
        guard name != .inbox else { throw StoreError.mailboxNotDeletable }
        let mailbox = try find(name, of: id)
        dropMailbox(mailbox)
        accounts[id]?.mailboxes[name] = nil
        noteChange(id)
        return mailbox
    }

    private mutating func dropMailbox(_ id: MailboxID) {
        mailboxes[id]?.snapshot.forEach { _, row in release(row.body) }
        if mailboxes[id]?.access.isEmpty == false { noteAccess(id) }
        if let entry = mailboxes[id] { note(.deleted(id, entry.name), of: entry.account) }
        dropAnnotations(on: id)
        mailboxes[id] = nil
        noteChange(id)
    }

    mutating func renameMailbox(_ name: MailboxName, to target: MailboxName, of id: AccountID) throws {
        guard name != .inbox else { return try renameInbox(try find(name, of: id), to: target, of: id) }
        guard let account = accounts[id] else { throw StoreError.noSuchAccount }
        let names = Array(account.mailboxes.keys)
        let renames = try MailboxTree.renames(of: name, to: target, among: names)
        let superiors = MailboxTree.missingSuperiors(of: target) { names.contains($0) }
        guard names.count + superiors.count <= StoreLimits.mailboxesPerAccount else {
            throw StoreError.tooManyMailboxes
        }
        let access = accounts[id].map { inheritedAccess(target, in: $0) } ?? [:]
        for superior in superiors { addMailbox(superior, to: id, specialUse: nil, access: access) }
        for (old, new) in renames {
            guard let moved = accounts[id]?.mailboxes.removeValue(forKey: old) else { continue }
            accounts[id]?.mailboxes[new] = moved
            mailboxes[moved]?.name = new
        }
        noteChange(id)
        note(.renamed(from: name, to: target), of: id)
    }

    private mutating func renameInbox(_ inbox: MailboxID, to target: MailboxName, of id: AccountID) throws {
        let created = try createMailbox(target, of: id, specialUse: nil)
        note(.renamed(from: .inbox, to: target), of: id)
        copyAnnotations(from: inbox, to: created.id)
        guard let all = mailboxes[inbox]?.snapshot.allUIDs else { return }
        _ = try move(all, from: inbox, to: created.id)
    }

    mutating func setSubscribed(_ subscribed: Bool, _ name: MailboxName, of id: AccountID) throws {
        guard let account = accounts[id] else { throw StoreError.noSuchAccount }
        if subscribed, !account.subscriptions.contains(name),
            account.subscriptions.count >= StoreLimits.subscriptionsPerAccount
        {
            throw StoreError.tooManyMailboxes
        }
        try changeAccount(id) { entry in
            if subscribed { entry.subscriptions.insert(name) } else { entry.subscriptions.remove(name) }
        }
        noteChange(id)
        if account.subscriptions.contains(name) != subscribed { note(.subscribed(name, subscribed), of: id) }
    }

    private func find(_ name: MailboxName, of id: AccountID) throws -> MailboxID {
        guard let account = accounts[id] else { throw StoreError.noSuchAccount }
        guard let mailbox = account.mailboxes[name] else { throw StoreError.noSuchMailbox }
        return mailbox
    }
}
