import Foundation
import GRDB
import MailStore
import Synchronization

// A body in a segment needs a sync of its own, beside the database's, and growing a file makes that the dearer of the
// two. So the few small bodies of a batch of one or two callers go into the database, with their rows, under its one
// sync. When enough have gathered they are written to a segment together. Larger batches share both syncs as it is.

enum ParkedBodies {
    /// Bodies of a batch; from here on a sync shared costs less than writing octets twice.
    private static let countLimit = 4
    /// Octets of a batch, for the same reason.
    private static let batchLimit = 64 << 10

    /// Octets of the batch's bodies; nil when they are not to be parked.
    static func octets(_ batch: [any PendingCommit]) -> Int? {
        var (octets, count) = (0, 0)
        for job in batch {
            for body in job.bodies {
                guard let memory = body.memory else { return nil }
                octets += memory.count
                count += 1
                guard count <= countLimit, octets <= batchLimit else { return nil }
            }
        }
        return octets
    }

    /// Octets parked in all.
    static func octets(_ db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "SELECT ifnull(sum(length(content)), 0) FROM parked") ?? 0
    }

    static func content(_ body: BodyID, _ db: Database) throws -> [UInt8]? {
        let select = try db.cachedStatement(sql: "SELECT content FROM parked WHERE id = ?")
        let cursor = try Row.fetchCursor(select, arguments: [body.value])
        return try cursor.next().map { RowReader.bytes($0, 0) }
    }
}

/// Moves parked bodies to a segment: a commit like any other, its bodies already having their numbers.
final class SettleJob: PendingCommit {
    /// Rows at once; with the limit on parked octets, a megabyte or two.
    private static let limit = 1024

    let bodies: [OutgoingBody]
    let origin: UInt64? = nil
    private let done = Atomic(false)

    var isDone: Bool { done.load(ordering: .relaxed) }

    init(_ db: Database) throws {
        var bodies: [OutgoingBody] = []
        let cursor = try Row.fetchCursor(
            db, sql: "SELECT id, content FROM parked ORDER BY id LIMIT ?", arguments: [Self.limit])
        while let row = try cursor.next() {
            bodies.append(.moved(BodyID(try row.value(0)), MemoryBody(RowReader.bytes(row, 1))))
        }
        self.bodies = bodies
    }

    func run(_ transaction: WriteTransaction, _ bodies: [StoredBody]) throws {
        for body in bodies { try transaction.settle(body) }
    }

    func finish(_ error: StoreError?) { done.store(error == nil, ordering: .relaxed) }
}

extension WriteTransaction {
    func park(_ content: [UInt8], as body: BodyID) throws {
        try write("INSERT INTO parked (id, content) VALUES (?, ?)", [body.value], content)
    }

    /// With the checksum taken when the body came in: octets that changed while parked stay noticed.
    func settle(_ body: StoredBody) throws {
        try execute("DELETE FROM parked WHERE id = ?", [body.id.value])
        try execute(
            "UPDATE body SET segment = ?, position = ? WHERE id = ?",
            [body.place.segment, body.place.offset, body.id.value])
        pending.live[body.place.segment, default: 0] += body.place.extent
    }
}
