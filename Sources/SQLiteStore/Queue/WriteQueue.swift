import GRDB
import MailStore
import MailVocabulary
import SMTPSyntax

/// A message for the queue, its body already in a segment.
struct PlacedQueuedMessage: Sendable {
    /// Index into the job's bodies.
    var body: Int
    var message: NewQueuedMessage
}

/// `queue_entry.state`.
enum QueueEntryState {
    static let waiting: Int64 = 0
    static let ready: Int64 = 1
    static let held: Int64 = 2
}

extension WriteTransaction {
    func enqueue(_ message: NewQueuedMessage, _ body: StoredBody) throws -> QueueID {
        try insert(message, body)
        let id = QueueID(db.lastInsertedRowID)
        for recipient in message.queuedRecipients { try insert(recipient, of: id) }
        let submitter = message.submitter?.value ?? 0
        let rank = Int64(-message.envelope.priority)
        for destination in message.destinations {
            let state =
                message.holdReason != nil
                ? QueueEntryState.held
                : message.notBefore <= message.arrival.seconds ? QueueEntryState.ready : QueueEntryState.waiting
            try execute(
                """
                INSERT INTO queue_entry (message, destination, submitter, state, due, review, rank, turn)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    id.value, destination, submitter, state, message.notBefore, message.firstReview, rank,
                    try nextTurn(submitter, rank: rank),
                ])
            try execute("INSERT OR IGNORE INTO queue_destination (name) VALUES (?)", [destination])
            try noteQueue(destination)
        }
        return id
    }

    private func insert(_ message: NewQueuedMessage, _ body: StoredBody) throws {
        let envelope = message.envelope
        let sender = envelope.reversePath.queueColumns
        try execute(
            """
            INSERT INTO queue_message (identifier, submitter, body, size, arrival, zone, hold, sender_local,
            sender_host, flags, body_type, envid, ret, priority, deadline, deadline_mode)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                message.identifier, message.submitter?.value ?? 0, body.id.value, body.place.length,
                message.arrival.seconds, message.arrival.zoneMinutes, message.holdReason, sender.local, sender.host,
                envelope.queueFlags.rawValue, envelope.body?.rawValue, envelope.identifier,
                envelope.returned?.rawValue, envelope.priority, envelope.deadline?.time,
                envelope.deadline?.mode.rawValue,
            ])
    }

    private func insert(_ queued: QueuedRecipient, of id: QueueID) throws {
        let recipient = queued.recipient
        try execute(
            """
            INSERT INTO queue_recipient
            (message, number, destination, local, host, original, notify, state, last, status, diagnostic)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                id.value, queued.number, recipient.mailbox.destination, recipient.mailbox.localPart,
                recipient.mailbox.queueHost, recipient.original, recipient.notifications?.rawValue,
                queued.state.rawValue, queued.last?.time, queued.last?.status, queued.last?.diagnostic,
            ])
    }

    /// The submitter's next turn: behind its last one, and not before the present one.
    func nextTurn(_ submitter: Int64, rank: Int64) throws -> Int64 {
        let select = try db.cachedStatement(sql: QueueStatements.lastTurn)
        let last = try Int64.fetchOne(select, arguments: [submitter, rank]) ?? 0
        // A damaged turn may be the last number there is.
        return max(last, rules.turns.present(rank: rank)) &+ 1
    }

    /// Something of the destination's has changed: what is first there is noted anew, at once, since the next caller of
    /// the transaction may look.
    func noteQueue(_ destination: String) throws {
        try execute(
            """
            UPDATE queue_destination SET (rank, turn) = (SELECT rank, turn FROM queue_entry
            WHERE destination = ? AND state = 1 ORDER BY rank, turn, message LIMIT 1) WHERE name = ?
            """, [destination, destination])
        pending.changes.queue = true
    }
}
