import GRDB
import MailStore
import MailVocabulary
import SMTPSyntax

/// Rows of the queue as values.
enum QueueReader {
    static let messageColumns = """
        m.id, m.identifier, m.submitter, m.body, m.size, m.arrival, m.zone, m.hold, m.sender_local, m.sender_host, \
        m.flags, m.body_type, m.envid, m.ret, m.priority, m.deadline, m.deadline_mode
        """
    static let entryColumns = """
        e.destination, e.state, e.due, e.review, e.attempts, \
        (SELECT retry FROM queue_destination d WHERE d.name = e.destination)
        """

    static func message(_ row: Row) throws -> QueuedMessage {
        let submitter: Int64 = try row.value(2)
        return QueuedMessage(
            id: QueueID(try row.value(0)), identifier: try row.value(1), envelope: try envelope(row),
            body: BodyID(try row.value(3)), size: try row.value(4),
            submitter: submitter == 0 ? nil : AccountID(submitter),
            arrival: Timestamp(seconds: try row.value(5), zoneMinutes: try row.value(6)), holdReason: try row.value(7))
    }

    private static func envelope(_ row: Row) throws -> SMTPEnvelope {
        let flags = QueueFlags(rawValue: try row.value(10))
        var envelope = SMTPEnvelope(reversePath: .null)
        if let host: String = try row.value(9) {
            guard let mailbox = SMTPMailbox(local: try row.value(8), queueHost: host) else {
                throw StoreError.damaged("queued message \(try row.value(0) as Int64): its sender")
            }
            envelope.reversePath = .mailbox(mailbox)
        }
        envelope.isInternationalized = flags.contains(.internationalized)
        envelope.requiresTLS = flags.contains(.requiresTLS)
        envelope.body = (try row.value(11) as String?).flatMap(MailCommand.Body.init(rawValue:))
        envelope.identifier = try row.value(12)
        envelope.returned = (try row.value(13) as String?).flatMap(ReturnedContent.init(rawValue:))
        envelope.priority = try row.value(14)
        if let time: Int64 = try row.value(15) {
            let mode = (try row.value(16) as String?).flatMap(DeliveryDeadline.Mode.init(rawValue:))
            envelope.deadline = DeliveryDeadline(
                time: time, mode: mode ?? .returned, isTraced: flags.contains(.tracedDeadline))
        }
        return envelope
    }

    static func recipients(of id: QueueID, at destination: String? = nil, _ db: Database) throws -> [QueuedRecipient] {
        let select = try db.cachedStatement(
            sql: """
                SELECT number, local, host, original, notify, state, last, status, diagnostic, remote, security
                FROM queue_recipient WHERE message = ? \(destination == nil ? "" : "AND destination = ?")
                ORDER BY number
                """)
        let arguments: StatementArguments = destination.map { [id.value, $0] } ?? [id.value]
        return try Row.fetchAll(select, arguments: arguments).map { try recipient($0, of: id) }
    }

    private static func recipient(_ row: Row, of id: QueueID) throws -> QueuedRecipient {
        let mailbox = SMTPMailbox(local: try row.value(1), queueHost: try row.value(2))
        let state = QueuedRecipient.State(rawValue: try row.value(5))
        guard let mailbox, let state else {
            throw StoreError.damaged("queued message \(id.value), recipient \(try row.value(0) as Int)")
        }
        let conditions = (try row.value(4) as UInt8?).map { NotificationConditions(rawValue: $0) }
        let recipient = SMTPRecipient(mailbox: mailbox, original: try row.value(3), notifications: conditions)
        var queued = QueuedRecipient(number: try row.value(0), recipient: recipient, state: state)
        if let time: Int64 = try row.value(6) {
            queued.last = AttemptRecord(
                time: time, status: try row.value(7) ?? "", diagnostic: try row.value(8) ?? "",
                remoteHost: try row.value(9), security: try row.value(10))
        }
        return queued
    }

    /// - Parameter first: the column of the row with which `entryColumns` begin.
    static func delivery(_ row: Row, _ first: Int = 0) throws -> QueuedDelivery {
        let state: Int64 = try row.value(first + 1)
        var delivery = QueuedDelivery(
            destination: try row.value(first),
            state: state == QueueEntryState.held ? .held : state == QueueEntryState.ready ? .ready : .waiting,
            due: try row.value(first + 2), review: try row.value(first + 3), attempts: try row.value(first + 4))
        delivery.retry = try row.value(first + 5) ?? 0
        return delivery
    }

    static func detail(_ message: QueuedMessage, _ db: Database) throws -> QueuedMessageDetail {
        let entries = try db.cachedStatement(
            sql: "SELECT \(entryColumns) FROM queue_entry e WHERE message = ? ORDER BY destination")
        return QueuedMessageDetail(
            message: message, recipients: try recipients(of: message.id, db),
            deliveries: try Row.fetchAll(entries, arguments: [message.id.value]).map { try delivery($0) })
    }

    static func detail(_ id: QueueID, _ db: Database) throws -> QueuedMessageDetail? {
        let select = try db.cachedStatement(sql: "SELECT \(messageColumns) FROM queue_message m WHERE m.id = ?")
        return try Row.fetchOne(select, arguments: [id.value]).map { try detail(message($0), db) }
    }

    static func messages(_ filter: QueueFilter, after: QueueID?, limit: Int, _ db: Database) throws -> [QueuedMessage] {
        var conditions = ["m.id > ?"]
        var arguments: StatementArguments = [after?.value ?? 0]
        if let isHeld = filter.isHeld { conditions.append(isHeld ? "m.hold IS NOT NULL" : "m.hold IS NULL") }
        if let identifier = filter.identifier {
            conditions.append("m.identifier = ?")
            arguments += [identifier]
        }
        if let destination = filter.destination {
            conditions.append("m.id IN (SELECT message FROM queue_entry WHERE destination = ?)")
            arguments += [destination]
        }
        var messages: [QueuedMessage] = []
        let cursor = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT \(messageColumns) FROM queue_message m
                    WHERE \(conditions.joined(separator: " AND ")) ORDER BY m.id
                    """), arguments: arguments)
        while messages.count < limit, let row = try cursor.next() {
            let message = try message(row)
            if let sender = filter.sender, sender.lowercased() != message.envelope.sender.lowercased() { continue }
            messages.append(message)
        }
        return messages
    }

    static func counts(_ db: Database) throws -> QueueCounts {
        var counts = QueueCounts()
        let messages = try Row.fetchOne(
            db, sql: "SELECT count(*), count(hold), ifnull(sum(size), 0), min(arrival) FROM queue_message")
        if let messages {
            (counts.messages, counts.held) = (try messages.value(0), try messages.value(1))
            (counts.octets, counts.oldest) = (try messages.value(2), try messages.value(3))
        }
        counts.recipients = try Int.fetchOne(db, sql: "SELECT count(*) FROM queue_recipient") ?? 0
        let destinations = try Row.fetchOne(
            db, sql: "SELECT count(*), count(nullif(failures, 0)) FROM queue_destination")
        if let destinations {
            (counts.destinations, counts.failingDestinations) = (try destinations.value(0), try destinations.value(1))
        }
        counts.ready = try Int.fetchOne(db, sql: "SELECT count(*) FROM queue_entry WHERE state = 1") ?? 0
        counts.waiting = try Int.fetchOne(db, sql: "SELECT count(*) FROM queue_entry WHERE state = 0") ?? 0
        return counts
    }
}
