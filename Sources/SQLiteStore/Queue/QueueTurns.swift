import GRDB
import Synchronization

/// The present turn of each rank: the last one that was taken. Whoever comes anew begins here.
final class QueueTurns: Sendable {
    private let turns: Mutex<[Int64: Int64]>

    init() { turns = Mutex([:]) }

    /// After a start: the first that waits.
    init(_ db: Database) throws {
        let first = try Row.fetchAll(
            db, sql: "SELECT rank, min(turn) FROM queue_destination WHERE rank IS NOT NULL GROUP BY rank"
        ).map { (try $0.value(0) as Int64, try $0.value(1) as Int64) }
        turns = Mutex(Dictionary(first, uniquingKeysWith: max))
    }

    func present(rank: Int64) -> Int64 { turns.withLock { $0[rank] ?? 0 } }

    func take(_ turn: Int64, rank: Int64) {
        turns.withLock { $0[rank] = max($0[rank] ?? 0, turn) }
    }
}
