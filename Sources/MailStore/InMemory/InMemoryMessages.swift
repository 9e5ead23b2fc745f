import MailVocabulary

// Messages and bodies of the in-memory store.

extension InMemoryState {
    mutating func claimRecent(_ id: MailboxID) throws -> UInt64 {
        guard let entry = mailboxes[id] else { throw StoreError.noSuchMailbox }
        mailboxes[id]?.firstRecent = entry.snapshot.uidNext
        return entry.firstRecent
    }

    mutating func append(_ additions: [(mailbox: MailboxID, messages: [NewMessage])]) throws -> [AppendResult] {
        try accept(additions, queue: []).delivered
    }

    mutating func accept(
        _ additions: [(mailbox: MailboxID, messages: [NewMessage])], queue new: [NewQueuedMessage]
    ) throws -> (delivered: [AppendResult], queued: [QueueID]) {
        guard new.allSatisfy({ !$0.queuedRecipients.isEmpty }) else {
            throw StoreError.unavailable("a message for the queue has no recipients")
        }
        var stored = try copyBodies(additions.flatMap(\.messages))
        for message in new { try shareBody(message.body, &stored) }
        let before = (mailboxes, accounts)
        let results: [AppendResult]
        do {
            results = try additions.map { try append($0.messages, to: $0.mailbox, bodies: stored.mapValues(\.id)) }
        } catch {
            (mailboxes, accounts) = before
            _ = takeChanges()
            throw error
        }
        for (id, entry) in stored.values { bodies[id] = entry }
        let queued = new.compactMap { message in
            stored[ObjectIdentifier(message.body)].map { enqueue(message, $0.id, size: $0.entry.bytes.count) }
        }
        return (results, queued)
    }

    private mutating func append(
        _ messages: [NewMessage], to id: MailboxID, bodies: [ObjectIdentifier: BodyID]
    ) throws -> AppendResult {
        guard let (account, snapshot) = mailboxes[id].map({ ($0.account, $0.snapshot) }) else {
            throw StoreError.noSuchMailbox
        }
        let uidValidity = snapshot.uidValidity
        let placed = try place(
            messages.map { message in
                guard let size = UInt32(exactly: message.body.count) else { throw StoreError.messageTooLarge }
                guard let body = bodies[ObjectIdentifier(message.body)] else { throw StoreError.noSuchBody }
                return RowContent(
                    flags: message.flags, size: size, internalDate: message.internalDate, body: body,
                    thread: thread(of: body, message.threadKeys, in: account), uid: message.uid)
            }, in: id)
        return AppendResult(
            mailbox: id, uidValidity: uidValidity, uids: placed.rows.map(\.uid), isNearQuota: placed.isNearQuota)
    }

    mutating func replace(
        _ uid: UID, in mailbox: MailboxID, with message: NewMessage, in target: MailboxID
    ) throws -> AppendResult {
        var changed = self
        let gone = try changed.remove(NumberSet(uid.value...uid.value), from: mailbox, onlyDeleted: false)
        guard !gone.isEmpty else { throw StoreError.noSuchBody }
        guard let result = try changed.append([(target, [message])]).first else { throw StoreError.noSuchMailbox }
        self = changed
        return result
    }

    mutating func urlKey(of id: MailboxID, orNew new: Secret) throws -> Secret {
        guard let entry = mailboxes[id] else { throw StoreError.noSuchMailbox }
        if let key = entry.urlKey { return key }
        mailboxes[id]?.urlKey = new
        return new
    }

    /// Each staged body once, with as many references as messages name it.
    private mutating func copyBodies(
        _ messages: [NewMessage]
    ) throws -> [ObjectIdentifier: (id: BodyID, entry: BodyEntry)] {
        var stored: [ObjectIdentifier: (id: BodyID, entry: BodyEntry)] = [:]
        for message in messages {
            let staged = ObjectIdentifier(message.body)
            if stored[staged] != nil {
                stored[staged]?.entry.references += 1
                continue
            }
            let bytes = try InMemoryState.bytes(of: message.body)
            stored[staged] = (
                BodyID(newID()), BodyEntry(bytes: bytes, summary: message.summary, references: 1)
            )
        }
        return stored
    }

    /// The queue refers to a body, which messages may too.
    private mutating func shareBody(
        _ body: any StagedBody, _ stored: inout [ObjectIdentifier: (id: BodyID, entry: BodyEntry)]
    ) throws {
        let staged = ObjectIdentifier(body)
        guard stored[staged] == nil else {
            stored[staged]?.entry.references += 1
            return
        }
        let bytes = try InMemoryState.bytes(of: body)
        stored[staged] = (BodyID(newID()), BodyEntry(bytes: bytes, summary: [], references: 1))
    }

    private static func bytes(of body: any StagedBody) throws -> [UInt8] {
        try body.withBytes { span in
            var bytes: [UInt8] = []
            bytes.reserveCapacity(span.count)
            for index in span.indices { bytes.append(span[index]) }
            return bytes
        }
    }

    private mutating func thread(of body: BodyID, _ keys: [ThreadKey], in account: AccountID) -> ThreadID {
        let (thread, new) = ThreadID.of(body, keys) { accounts[account]?.threads[$0] }
        for key in new { accounts[account]?.threads[key] = thread }
        return thread
    }

    /// - Parameter isMove: from another mailbox of the account, so that it holds no more than before.
    private mutating func place(
        _ items: [RowContent], in id: MailboxID, isMove: Bool = false
    ) throws -> PlacedRows {
        guard let account = mailboxes[id]?.account, var snapshot = mailboxes[id]?.snapshot else {
            throw StoreError.noSuchMailbox
        }
        var isNearQuota = false
        if !isMove {
            let octets = items.reduce(0) { $0 + UInt64($1.size) }
            isNearQuota = try quota(of: account).requireRoom(messages: items.count, octets: octets)
        }
        var placement = RowPlacement(
            uidNext: snapshot.uidNext, highestModSeq: snapshot.highestModSeq, keywords: snapshot.keywords,
            savedDate: now())
        let rows = try placement.place(items)
        guard !rows.isEmpty else { return PlacedRows() }
        snapshot.uidNext = placement.uidNext
        snapshot.highestModSeq = placement.highestModSeq
        snapshot.keywords = placement.keywords
        snapshot.append(rows)
        mailboxes[id]?.snapshot = snapshot
        noteMessages(.added, in: id)
        return PlacedRows(rows, isNearQuota: isNearQuota)
    }

    func quota(of id: AccountID) throws -> Quota {
        guard let account = accounts[id] else { throw StoreError.noSuchAccount }
        var counters = CounterChange()
        for mailbox in account.mailboxes.values { mailboxes[mailbox]?.snapshot.forEach { counters.add($1) } }
        return Quota(
            account.quota, quotaDefaults, octets: UInt64(counters.size), messages: UInt64(counters.messages))
    }

    mutating func changeFlags(
        _ id: MailboxID, _ uids: NumberSet, _ change: FlagChange, unchangedSince: ModSeq?
    ) throws -> NumberSet {
        guard var snapshot = mailboxes[id]?.snapshot else { throw StoreError.noSuchMailbox }
        let outcome = try snapshot.apply(change, to: uids, unchangedSince: unchangedSince)
        if !outcome.changed.isEmpty {
            mailboxes[id]?.snapshot = snapshot
            noteMessages(outcome.events, in: id)
        }
        return outcome.modified
    }

    mutating func copy(
        _ uids: NumberSet, from: MailboxID, to: MailboxID, keeping classes: FlagClasses, allOrNothing: Bool = false,
        isMove: Bool = false
    ) throws -> CopyResult {
        guard let source = mailboxes[from]?.snapshot, let target = mailboxes[to]?.snapshot else {
            throw StoreError.noSuchMailbox
        }
        var rows = source.rows(uids)
        if allOrNothing, rows.count < uids.count { rows = [] }
        let placed = try place(
            rows.map { RowContent($0, source.keywords, keeping: classes) }, in: to, isMove: isMove)
        for row in rows { bodies[row.body]?.references += 1 }
        return CopyResult(
            uidValidity: target.uidValidity, source: rows.map(\.uid), destination: placed.rows.map(\.uid),
            isNearQuota: placed.isNearQuota)
    }

    mutating func move(
        _ uids: NumberSet, from: MailboxID, to: MailboxID, keeping classes: FlagClasses = .all
    ) throws -> CopyResult {
        let isMove = mailboxes[from]?.account == mailboxes[to]?.account
        let result = try copy(uids, from: from, to: to, keeping: classes, isMove: isMove)
        _ = try remove(NumberSet(ascending: result.source.map(\.value)), from: from, onlyDeleted: false)
        return result
    }

    mutating func remove(_ uids: NumberSet, from id: MailboxID, onlyDeleted: Bool) throws -> NumberSet {
        guard let gone = mailboxes[id]?.snapshot.expunge(uids, onlyDeleted: onlyDeleted) else {
            throw StoreError.noSuchMailbox
        }
        for row in gone { release(row.body) }
        let uids = NumberSet(ascending: gone.map(\.uid.value))
        if !gone.isEmpty, let modSeq = mailboxes[id]?.snapshot.highestModSeq {
            mailboxes[id]?.removals.append((modSeq, uids))
            noteMessages(.removed, in: id)
        }
        return uids
    }

    mutating func release(_ id: BodyID) {
        guard var body = bodies[id] else { return }
        body.references -= 1
        bodies[id] = body.references > 0 ? body : nil
    }

    func verify() -> [Damage] {
        var references: [BodyID: Int] = [:]
        var damage: [Damage] = []
        for (id, mailbox) in mailboxes {
            mailbox.snapshot.forEach { _, row in
                references[row.body, default: 0] += 1
                if bodies[row.body]?.bytes.count != Int(row.size) {
                    damage.append(Damage(place: "mailbox \(id.value), UID \(row.uid.value)", problem: "wrong body"))
                }
            }
        }
        for entry in queue.messages.values { references[entry.message.body, default: 0] += 1 }
        for (id, body) in bodies where references[id] != body.references {
            damage.append(Damage(place: "body \(id.value)", problem: "wrong reference count"))
        }
        return damage
    }
}
