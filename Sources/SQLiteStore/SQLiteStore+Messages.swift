import GRDB
package import MailStore
package import MailVocabulary

extension SQLiteStore {
    package func open(_ mailbox: MailboxID) async throws -> MailboxSnapshot {
        if let snapshot = cache.current(mailbox) { return snapshot }
        let loaded = try await readers.run { [cache, pool, directory] in
            try cache.load(mailbox) {
                do {
                    return try pool.read { db in
                        var state = try RowReader.state(mailbox, db)
                        try RowReader.load(&state, directory, db)
                        return state
                    }
                } catch {
                    throw StoreError(anyError: error)
                }
            }
        }
        if let loaded { return loaded }
        // Where nothing can come between.
        return try await committer.commit { transaction, _ in
            let (draft, snapshot) = try transaction.loadedDraft(mailbox)
            transaction.pending.drafts[mailbox] = draft
            return snapshot
        }
    }

    package func current(_ mailbox: MailboxID) -> MailboxSnapshot? { cache.current(mailbox) }

    package func claimRecent(_ mailbox: MailboxID) async throws -> UInt64 {
        while true {
            _ = try await open(mailbox)
            if let first = cache.claimRecent(mailbox) { return first }
        }
    }

    package func append(_ messages: [(mailbox: MailboxID, messages: [NewMessage])]) async throws -> [AppendResult] {
        try await accept(messages, queue: []).delivered
    }

    package func accept(
        _ messages: [(mailbox: MailboxID, messages: [NewMessage])], queue: [NewQueuedMessage]
    ) async throws -> (delivered: [AppendResult], queued: [QueueID]) {
        let outgoing = try SQLiteStore.outgoing(messages, queue)
        return try await committer.commit(bodies: outgoing.bodies) { transaction, stored in
            try transaction.accept(outgoing, stored)
        }
    }

    package func replace(
        _ uid: UID, in mailbox: MailboxID, with message: NewMessage, in target: MailboxID
    ) async throws -> AppendResult {
        _ = try await open(mailbox)
        let outgoing = try SQLiteStore.outgoing([(target, [message])])
        return try await committer.commit(bodies: outgoing.bodies) { transaction, stored in
            let uids = NumberSet(uid.value...uid.value)
            guard try !transaction.remove(uids, from: mailbox, onlyDeleted: false).isEmpty else {
                throw StoreError.noSuchBody
            }
            guard let result = try transaction.accept(outgoing, stored).delivered.first else {
                throw StoreError.noSuchMailbox
            }
            return result
        }
    }

    static func outgoing(
        _ messages: [(mailbox: MailboxID, messages: [NewMessage])], _ queue: [NewQueuedMessage] = []
    ) throws -> OutgoingMessages {
        guard queue.allSatisfy({ !$0.queuedRecipients.isEmpty }) else {
            throw StoreError.unavailable("a message for the queue has no recipients")
        }
        var bodies: [OutgoingBody] = []
        var summaries: [[UInt8]] = []
        var numbers: [ObjectIdentifier: Int] = [:]
        let additions = try messages.map { mailbox, messages in
            let placed = try messages.map { message in
                let staged = ObjectIdentifier(message.body)
                let number = try numbers[staged] ?? SQLiteStore.outgoing(message.body, &bodies)
                if numbers[staged] == nil { summaries.append(message.summary) }
                numbers[staged] = number
                return PlacedMessage(
                    body: number, flags: message.flags, internalDate: message.internalDate,
                    threadKeys: message.threadKeys, uid: message.uid)
            }
            return (mailbox: mailbox, messages: placed)
        }
        let queued = try queue.map { message in
            let staged = ObjectIdentifier(message.body)
            let number = try numbers[staged] ?? SQLiteStore.outgoing(message.body, &bodies)
            // Nobody lists it.
            if numbers[staged] == nil { summaries.append([]) }
            numbers[staged] = number
            return PlacedQueuedMessage(body: number, message: message)
        }
        return OutgoingMessages(bodies: bodies, summaries: summaries, additions: additions, queue: queued)
    }

    /// Takes the body in, in one of the two forms the segment writer knows; returns its index.
    private static func outgoing(_ body: any StagedBody, _ bodies: inout [OutgoingBody]) throws -> Int {
        guard body.count <= StoreLimits.messageSize else { throw StoreError.messageTooLarge }
        switch body {
        case let memory as MemoryBody: bodies.append(.memory(memory))
        case let file as FileBody: bodies.append(.file(file))
        case _:
            let bytes = try body.withBytes { span in span.withUnsafeBufferPointer { Array($0) } }
            bodies.append(.memory(MemoryBody(bytes)))
        }
        return bodies.count - 1
    }

    package func changeFlags(
        _ mailbox: MailboxID, _ uids: NumberSet, _ change: FlagChange, unchangedSince: ModSeq?
    ) async throws -> NumberSet {
        // On this side of the queue: loading an index must not hold up everyone's commit.
        _ = try await open(mailbox)
        return try await committer.commit { transaction, _ in
            try transaction.changeFlags(mailbox, uids, change, unchangedSince: unchangedSince)
        }
    }

    package func copy(
        _ uids: NumberSet, from: MailboxID, to: MailboxID, keeping classes: FlagClasses, allOrNothing: Bool
    ) async throws -> CopyResult {
        _ = try await open(from)
        return try await committer.commit { transaction, _ in
            try transaction.copy(uids, from: from, to: to, keeping: classes, allOrNothing: allOrNothing)
        }
    }

    package func move(
        _ uids: NumberSet, from: MailboxID, to: MailboxID, keeping classes: FlagClasses
    ) async throws -> CopyResult {
        _ = try await open(from)
        return try await committer.commit { transaction, _ in
            try transaction.move(uids, from: from, to: to, keeping: classes)
        }
    }

    package func remove(_ uids: NumberSet, from mailbox: MailboxID, onlyDeleted: Bool) async throws -> NumberSet {
        _ = try await open(mailbox)
        return try await committer.commit { transaction, _ in
            try transaction.remove(uids, from: mailbox, onlyDeleted: onlyDeleted)
        }
    }
}
