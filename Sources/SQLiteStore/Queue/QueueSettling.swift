import GRDB
package import MailStore

// What became of mail in the queue, and what operators do to it.

extension WriteTransaction {
    func settle(_ settlement: QueueSettlement) throws {
        if let destination = settlement.destination {
            try execute(
                "UPDATE queue_destination SET failures = ?, retry = ? WHERE name = ?",
                [destination.failures, destination.retry, destination.name])
        }
        for item in settlement.recipients { try settle(item, of: settlement.message) }
        if let delivery = settlement.delivery { try settle(delivery, of: settlement.message) }
        try removeIfDone(settlement.message)
        pending.changes.queue = true
    }

    /// Whether each sender that is told is still owed it.
    func isOwed(_ settlement: QueueSettlement) throws -> Bool {
        try settlement.recipients.allSatisfy { item in
            guard case .told(let state) = item.change else { return true }
            return try self.state(of: item.number, settlement.message) == state
        }
    }

    private func state(of number: Int, _ message: QueueID) throws -> QueuedRecipient.State? {
        let select = try db.cachedStatement(
            sql: "SELECT state FROM queue_recipient WHERE message = ? AND number = ?")
        return try Int.fetchOne(select, arguments: [message.value, number]).flatMap { .init(rawValue: $0) }
    }

    private func settle(_ item: QueueSettlement.Recipient, of message: QueueID) throws {
        guard let old = try state(of: item.number, message) else { return }
        guard let new = old.after(item.change) else {
            return try execute(
                "DELETE FROM queue_recipient WHERE message = ? AND number = ?", [message.value, item.number])
        }
        if new != old {
            try execute(
                "UPDATE queue_recipient SET state = ? WHERE message = ? AND number = ?",
                [new.rawValue, message.value, item.number])
        }
        guard let last = item.last else { return }
        try execute(
            """
            UPDATE queue_recipient SET last = ?, status = ?, diagnostic = ?, remote = ?, security = ?
            WHERE message = ? AND number = ?
            """,
            [
                last.time, last.status, last.diagnostic, last.remoteHost, last.security, message.value, item.number,
            ])
    }

    private func settle(_ change: QueueSettlement.Delivery, of message: QueueID) throws {
        let place: StatementArguments = [message.value, change.destination]
        // QueuedRecipient.State: those up to owesDelay wait.
        let waiting = try db.cachedStatement(
            sql: "SELECT 1 FROM queue_recipient WHERE message = ? AND destination = ? AND state <= 2 LIMIT 1")
        if try Int.fetchOne(waiting, arguments: place) == nil {
            try execute("DELETE FROM queue_entry WHERE message = ? AND destination = ?", place)
        } else {
            try execute(
                """
                UPDATE queue_entry SET attempts = attempts + ?, review = ?, due = ifnull(?, due),
                state = CASE WHEN state = 1 AND ? IS NOT NULL THEN 0 ELSE state END
                WHERE message = ? AND destination = ?
                """, [change.isAttempt ? 1 : 0, change.review, change.due, change.due] + place)
        }
        try noteQueue(change.destination)
        try forgetUnused(change.destination)
    }

    private func forgetUnused(_ destination: String) throws {
        try execute(
            """
            DELETE FROM queue_destination WHERE name = ?
            AND NOT EXISTS (SELECT 1 FROM queue_entry WHERE destination = ?)
            """, [destination, destination])
    }

    private func removeIfDone(_ message: QueueID) throws {
        let left = try db.cachedStatement(sql: "SELECT 1 FROM queue_recipient WHERE message = ? LIMIT 1")
        guard try Int.fetchOne(left, arguments: [message.value]) == nil else { return }
        let select = try db.cachedStatement(sql: "SELECT body FROM queue_message WHERE id = ?")
        guard let body = try Int64.fetchOne(select, arguments: [message.value]) else { return }
        try execute("DELETE FROM queue_message WHERE id = ?", [message.value])
        try release([BodyID(body)])
    }

    // The operator's

    /// False when there is nothing to change.
    func change(_ message: QueueID, _ change: QueueChange) throws -> Bool {
        switch change {
        case .hold(let reason): return try setHold(message, reason)
        case .release(let now): return try release(message, now)
        case .retry(let now): return try retry(message, now)
        case .drop: return try drop(message)
        }
    }

    private func destinations(of message: QueueID) throws -> [String] {
        let select = try db.cachedStatement(sql: "SELECT destination FROM queue_entry WHERE message = ?")
        return try String.fetchAll(select, arguments: [message.value])
    }

    private func setHold(_ message: QueueID, _ reason: String?) throws -> Bool {
        try execute(
            "UPDATE queue_message SET hold = ? WHERE id = ? AND (hold IS NULL) = ?",
            [reason, message.value, reason != nil])
        guard db.changesCount > 0 else { return false }
        try execute(
            "UPDATE queue_entry SET state = ? WHERE message = ?",
            [reason == nil ? QueueEntryState.waiting : QueueEntryState.held, message.value])
        for destination in try destinations(of: message) { try noteQueue(destination) }
        return true
    }

    private func release(_ message: QueueID, _ now: Int64) throws -> Bool {
        guard try setHold(message, nil) else { return false }
        try execute(
            "UPDATE queue_entry SET review = max(review, ?) WHERE message = ?", [now &+ 3600, message.value])
        return true
    }

    private func retry(_ message: QueueID, _ now: Int64) throws -> Bool {
        let select = try db.cachedStatement(
            sql: "SELECT destination, submitter, rank FROM queue_entry WHERE message = ? AND state < 2")
        let entries = try Row.fetchAll(select, arguments: [message.value])
        for row in entries {
            let destination: String = try row.value(0)
            try execute(
                "UPDATE queue_entry SET due = ? WHERE message = ? AND destination = ?",
                [now, message.value, destination])
            try execute("UPDATE queue_destination SET retry = 0 WHERE name = ?", [destination])
            try makeReady(message.value, destination, submitter: try row.value(1), rank: try row.value(2))
        }
        return !entries.isEmpty
    }

    private func drop(_ message: QueueID) throws -> Bool {
        let destinations = try destinations(of: message)
        try execute("DELETE FROM queue_recipient WHERE message = ?", [message.value])
        guard db.changesCount > 0 else { return false }
        try execute("DELETE FROM queue_entry WHERE message = ?", [message.value])
        for destination in destinations {
            try noteQueue(destination)
            try forgetUnused(destination)
        }
        try removeIfDone(message)
        return true
    }
}

extension SQLiteStore {
    package func settle(
        _ settlement: QueueSettlement, adding messages: [(mailbox: MailboxID, messages: [NewMessage])],
        queue: [NewQueuedMessage]
    ) async throws -> Bool {
        let outgoing = try SQLiteStore.outgoing(messages, queue)
        return try await committer.commit(bodies: outgoing.bodies) { transaction, stored in
            guard try transaction.isOwed(settlement) else { return false }
            _ = try transaction.accept(outgoing, stored)
            try transaction.settle(settlement)
            return true
        }
    }

    package func changeQueue(_ ids: [QueueID], _ change: QueueChange) async throws -> Int {
        try await committer.commit { transaction, _ in
            var count = 0
            for id in ids where try transaction.change(id, change) {
                count += 1
                transaction.pending.changes.queue = true
            }
            return count
        }
    }
}
