import GRDB
package import MailStore

// What can be tried now. Nothing here costs more than what it answers, however much waits: destinations come in the
// order of their first due delivery, deliveries of one in the order of their turns, each from an index.

extension QueueReader {
    private struct Candidate {
        var message: Int64
        var destination: String
        var failures: Int
        var rank: Int64
        var turn: Int64

        var order: (Int64, Int64, Int64, String) { (rank, turn, message, destination) }
    }

    /// Deliveries, and the turns that they take.
    static func due(
        _ query: DeliveryQuery, _ db: Database
    ) throws -> (deliveries: [DueDelivery], turns: [(rank: Int64, turn: Int64)]) {
        let chosen = try candidates(query, db).sorted { $0.order < $1.order }.prefix(max(query.limit, 0))
        let deliveries = try chosen.compactMap {
            try delivery(QueueID($0.message), $0.destination, failures: $0.failures, db)
        }
        return (deliveries, chosen.map { ($0.rank, $0.turn) })
    }

    private static func candidates(_ query: DeliveryQuery, _ db: Database) throws -> [Candidate] {
        let destinations = try db.cachedStatement(sql: QueueStatements.destinations)
        var candidates: [Candidate] = []
        // Those that are in flight may have nothing else that is due.
        let cursor = try Row.fetchCursor(destinations, arguments: [query.limit + query.inFlight.count])
        while let row = try cursor.next() {
            candidates += try self.candidates(at: try row.value(0), failures: try row.value(1), query, db)
        }
        return candidates
    }

    private static func candidates(
        at name: String, failures: Int, _ query: DeliveryQuery, _ db: Database
    ) throws -> [Candidate] {
        let allowance = min(query.allowance(name, failures: failures), query.limit)
        guard allowance > 0 else { return [] }
        let inFlight = query.inFlight[name] ?? []
        let entries = try db.cachedStatement(sql: QueueStatements.entries)
        let rows = try Row.fetchAll(entries, arguments: [name, allowance + inFlight.count])
        let candidates = try rows.map { row in
            Candidate(
                message: try row.value(0), destination: name, failures: failures, rank: try row.value(1),
                turn: try row.value(2))
        }
        return Array(candidates.filter { !inFlight.contains(QueueID($0.message)) }.prefix(allowance))
    }

    static func overdue(_ query: DeliveryQuery, _ db: Database) throws -> [DueDelivery] {
        let entries = try db.cachedStatement(sql: QueueStatements.overdue)
        let inFlight = query.inFlight.values.reduce(0) { $0 + $1.count }
        let rows = try Row.fetchAll(entries, arguments: [query.now, query.limit + inFlight])
        let overdue = try rows.compactMap { row -> DueDelivery? in
            let (id, destination) = (QueueID(try row.value(0)), try row.value(1) as String)
            guard query.inFlight[destination]?.contains(id) != true else { return nil }
            return try delivery(id, destination, failures: failures(of: destination, db), db)
        }
        return Array(overdue.prefix(max(query.limit, 0)))
    }

    private static func failures(of destination: String, _ db: Database) throws -> Int {
        let select = try db.cachedStatement(sql: "SELECT failures FROM queue_destination WHERE name = ?")
        return try Int.fetchOne(select, arguments: [destination]) ?? 0
    }

    private static func delivery(
        _ id: QueueID, _ destination: String, failures: Int, _ db: Database
    ) throws -> DueDelivery? {
        let select = try db.cachedStatement(
            sql: """
                SELECT \(messageColumns), \(entryColumns) FROM queue_message m
                JOIN queue_entry e ON e.message = m.id WHERE m.id = ? AND e.destination = ?
                """)
        guard let row = try Row.fetchOne(select, arguments: [id.value, destination]) else { return nil }
        let recipients = try recipients(of: id, at: destination, db).filter(\.state.isWaiting)
        return DueDelivery(
            message: try message(row), delivery: try delivery(row, 17), recipients: recipients, failures: failures)
    }

    static func hasSomethingToPromote(_ now: Int64, _ db: Database) throws -> Bool {
        let select = try db.cachedStatement(
            sql: """
                SELECT EXISTS (SELECT 1 FROM queue_entry WHERE state = 0 AND due <= ?)
                OR EXISTS (SELECT 1 FROM queue_destination WHERE retry > 0 AND retry <= ?)
                """)
        return try Bool.fetchOne(select, arguments: [now, now]) ?? false
    }

    static func nextTime(after time: Int64, _ db: Database) throws -> Int64? {
        try QueueStatements.nextTimes.compactMap {
            try Int64.fetchOne(db.cachedStatement(sql: $0), arguments: [time])
        }.min()
    }

    static func owing(after: QueueID?, limit: Int, _ db: Database) throws -> [QueueID] {
        let select = try db.cachedStatement(sql: QueueStatements.owing)
        return try Int64.fetchAll(select, arguments: [after?.value ?? 0, limit]).map { QueueID($0) }
    }
}

extension WriteTransaction {
    /// Deliveries in one commit: others' commits wait no longer than this takes.
    private static let promotedAtOnce = 500

    /// Makes ready what is due, and lets destinations be tried again whose time has come.
    func promote(_ now: Int64) throws {
        try execute("UPDATE queue_destination SET retry = 0 WHERE retry > 0 AND retry <= ?", [now])
        let select = try db.cachedStatement(sql: QueueStatements.promoted)
        for row in try Row.fetchAll(select, arguments: [now, Self.promotedAtOnce]) {
            try makeReady(
                try row.value(0), try row.value(1), submitter: try row.value(2), rank: try row.value(3))
        }
    }

    func makeReady(_ message: Int64, _ destination: String, submitter: Int64, rank: Int64) throws {
        try execute(
            "UPDATE queue_entry SET state = 1, turn = ? WHERE message = ? AND destination = ?",
            [try nextTurn(submitter, rank: rank), message, destination])
        try noteQueue(destination)
    }
}

extension SQLiteStore {
    package func dueDeliveries(_ query: DeliveryQuery) async throws -> [DueDelivery] {
        while true {
            let (found, isAll) = try await read { [turns] db in
                let found = try QueueReader.due(query, db)
                for turn in found.turns { turns.take(turn.turn, rank: turn.rank) }
                guard found.deliveries.count < query.limit else { return (found.deliveries, true) }
                return (found.deliveries, try !QueueReader.hasSomethingToPromote(query.now, db))
            }
            if isAll { return found }
            try await committer.commit { transaction, _ in try transaction.promote(query.now) }
        }
    }

    package func overdueDeliveries(_ query: DeliveryQuery) async throws -> [DueDelivery] {
        try await read { db in try QueueReader.overdue(query, db) }
    }

    package func nextQueueTime(after time: Int64) async throws -> Int64? {
        try await read { db in try QueueReader.nextTime(after: time, db) }
    }

    package func messagesOwingNotices(after: QueueID?, limit: Int) async throws -> [QueueID] {
        try await read { db in try QueueReader.owing(after: after, limit: limit, db) }
    }
}
