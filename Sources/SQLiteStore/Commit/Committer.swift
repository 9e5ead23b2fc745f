import Dispatch
import GRDB
import Glibc
import MailStore
import Synchronization

// The one writer. Callers hand in what they want and wait; a serial queue takes all that waits as one batch:
//
//     bodies → the open segment, one fdatasync │ rows of all callers → one transaction, COMMIT (synchronous=FULL)
//     → indexes in memory, change feed → callers are answered
//
// While a batch syncs, the next one gathers: alone, a caller pays for two syncs; among twenty, for a share of them.
// A caller's failure is its own: work that fails before it has written anything is left out; if it had written, the
// transaction is rolled back and done again without it.

final class Committer: Sendable {
    private struct Gathering {
        var waiting: [any PendingCommit] = []
        var isRunning = false
        var isClosed = false
    }
    private let gathering = Mutex(Gathering())
    private let queue = DispatchQueue(label: "store.commit")
    private let core: CommitCore

    init(_ core: CommitCore) { self.core = core }

    func commit<R: Sendable>(
        bodies: [OutgoingBody] = [], _ work: @escaping CommitJob<R>.Work
    ) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            enqueue(CommitJob(bodies: bodies, continuation: continuation, work: work))
        }
    }

    private func enqueue(_ job: any PendingCommit) {
        enum Next { case start, wait, refuse }
        let next = gathering.withLock { state -> Next in
            guard !state.isClosed else { return .refuse }
            state.waiting.append(job)
            guard !state.isRunning else { return .wait }
            state.isRunning = true
            return .start
        }
        switch next {
        case .start: queue.async { [self] in drain() }
        case .wait: break
        case .refuse: job.finish(.unavailable("the store is closed"))
        }
    }

    private func drain() {
        while true {
            let batch = gathering.withLock { state in
                let batch = state.waiting
                state.waiting = []
                if batch.isEmpty { state.isRunning = false }
                return batch
            }
            guard !batch.isEmpty else { return }
            core.commit(batch)
        }
    }

    /// Commits what waits; later callers are refused.
    func close() async {
        gathering.withLock { $0.isClosed = true }
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume() }
        }
    }
}

/// The committer's own state.
/// @unchecked: used on the committer's serial queue only.
final class CommitCore: @unchecked Sendable {
    private let pool: DatabasePool
    private let directory: StoreDirectory
    private let segments: SegmentWriter
    private let readers: SegmentReader
    private let cache: IndexCache
    private let names: NameCache
    private let accounts: AccountCache
    private let feed: ChangeFeed
    private let textIndexer: TextIndexer?
    private let log: @Sendable (String) -> Void
    private let rules: CommitRules
    private let quotas: QuotaBook
    private var ids: BodyNumbers
    private var nextUIDValidity: Int64
    private let parking: Int
    /// About how many octets are parked.
    private var parkedOctets: Int
    /// Why nothing may be written until the store is opened again.
    private var poison: StoreError?

    init(
        pool: DatabasePool, directory: StoreDirectory, segments: SegmentWriter, readers: SegmentReader,
        cache: IndexCache, names: NameCache, accounts: AccountCache, quotas: QuotaBook, feed: ChangeFeed,
        textIndexer: TextIndexer?,
        counters: StoredCounters,
        parking: Int,
        rules: CommitRules,
        log: @escaping @Sendable (String) -> Void
    ) {
        self.pool = pool
        self.directory = directory
        self.segments = segments
        self.readers = readers
        self.cache = cache
        self.names = names
        self.accounts = accounts
        self.quotas = quotas
        self.feed = feed
        self.textIndexer = textIndexer
        self.log = log
        self.rules = rules
        ids = BodyNumbers(reserved: counters.nextBody)
        nextUIDValidity = counters.nextUIDValidity
        self.parking = parking
        parkedOctets = counters.parkedOctets
    }

    func commit(_ batch: [any PendingCommit]) {
        write(batch)
        guard parkedOctets > parking, poison == nil else { return }
        // Counted from nothing again when it fails: the next attempt comes after as many octets more.
        parkedOctets = 0
        guard let settling = try? pool.read({ try SettleJob($0) }) else { return }
        write([settling])
        if settling.isDone, let left = try? pool.read(ParkedBodies.octets) { parkedOctets = left }
    }

    private func write(_ batch: [any PendingCommit]) {
        if let poison { return batch.forEach { $0.finish(poison) } }
        var active: [Active] = []
        do {
            active = try writeBodies(batch)
        } catch let failure as SyncFailure {
            return refuseFromNowOn(failure, batch)
        } catch {
            active = batch.map { Active(job: $0, bodies: []) }
            leaveOutBodies(&active, error)
        }
        do {
            try pool.writeWithoutTransaction { db in try transact(&active, db) }
        } catch {
            segments.abandoned()
            if isLostSync(error) { return refuseFromNowOn(error, active.map(\.job)) }
            active.forEach { $0.job.finish(StoreError(anyError: error)) }
        }
    }

    private struct Active {
        var job: any PendingCommit
        var bodies: [StoredBody]
    }

    private func writeBodies(_ batch: [any PendingCommit]) throws -> [Active] {
        let octets = ParkedBodies.octets(batch)
        if let octets, octets <= parking {
            parkedOctets += octets
            return batch.map { job in Active(job: job, bodies: job.bodies.map { park($0) }) }
        }
        let numbered = batch.map { job in job.bodies.map { (id: $0.knownID ?? ids.next(), body: $0) } }
        let places = try segments.write(numbered)
        try segments.sync()
        return batch.indices.map { index in
            let bodies = zip(numbered[index], places[index]).map { StoredBody(id: BodyID($0.id), place: $1) }
            return Active(job: batch[index], bodies: bodies)
        }
    }

    private func park(_ body: OutgoingBody) -> StoredBody {
        let place = BodyPlace(segment: BodyPlace.parked, offset: 0, length: body.count, checksum: body.checksum)
        return StoredBody(id: BodyID(ids.next()), place: place, parked: body.memory)
    }

    /// Until a transaction commits, or none is left to be committed.
    private func transact(_ active: inout [Active], _ db: Database) throws {
        while !active.isEmpty {
            // Prepared once: GRDB's own would be parsed for each batch.
            try db.cachedStatement(sql: "BEGIN IMMEDIATE").execute()
            let transaction = WriteTransaction(
                db, cache: cache, rules: rules, directory: directory, quotas: quotas,
                nextUIDValidity: nextUIDValidity)
            do {
                guard try run(&active, transaction) else {
                    try db.rollback()
                    continue
                }
                try finish(transaction)
            } catch {
                // SQLite has rolled back by itself after some errors.
                if db.isInsideTransaction { try? db.rollback() }
                guard isFull(error), active.contains(where: { !$0.job.bodies.isEmpty }) else { throw error }
                leaveOutBodies(&active, error)
                continue
            }
            publish(transaction)
            active.forEach { $0.job.finish(nil) }
            active = []
        }
        segments.abandoned()
    }

    private func isFull(_ error: any Error) -> Bool { (error as? DatabaseError)?.resultCode == .SQLITE_FULL }

    /// Deleting must stay possible on a full disk: who brings no body goes on.
    private func leaveOutBodies(_ active: inout [Active], _ error: any Error) {
        segments.abandoned()
        active.filter { !$0.job.bodies.isEmpty }.forEach { $0.job.finish(StoreError(anyError: error)) }
        active.removeAll { !$0.job.bodies.isEmpty }
    }

    /// False when the transaction must be rolled back and done again, without the caller that spoilt it.
    private func run(_ active: inout [Active], _ transaction: WriteTransaction) throws -> Bool {
        var index = 0
        while index < active.count {
            let (written, pending) = (transaction.db.totalChangesCount, transaction.pending)
            transaction.pending.changes.origin = active[index].job.origin
            do {
                try active[index].job.run(transaction, active[index].bodies)
                index += 1
            } catch  where isCallersOwn(error) {
                active.remove(at: index).job.finish(StoreError(anyError: error))
                guard transaction.db.totalChangesCount == written else { return false }
                transaction.pending = pending
            }
        }
        return true
    }

    /// Trouble with the disk or the database is everyone's.
    private func isCallersOwn(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return !(error is SyncFailure) }
        return [.SQLITE_CONSTRAINT, .SQLITE_ERROR, .SQLITE_MISMATCH, .SQLITE_RANGE, .SQLITE_TOOBIG]
            .contains(error.resultCode)
    }

    private func finish(_ transaction: WriteTransaction) throws {
        try transaction.flush(
            created: segments.created, sealed: segments.sealed, openSegment: segments.openSegment)
        if let reserve = ids.reserveToWrite { try transaction.setMeta("next_body", reserve) }
        try transaction.db.cachedStatement(sql: "COMMIT").execute()
    }

    private func publish(_ transaction: WriteTransaction) {
        ids.reserveIsWritten()
        segments.committed()
        nextUIDValidity = transaction.pending.nextUIDValidity
        cache.publish(transaction.pending.drafts, dropped: transaction.pending.dropped)
        quotas.take(transaction.pending.usage, changed: transaction.pending.changedQuotas)
        names.drop(transaction.pending.changes.accounts)
        if transaction.pending.changesAccounts { accounts.empty() }
        for file in transaction.pending.deadFiles { unlink(file) }
        for segment in transaction.deadSegments {
            unlink(directory.segment(segment))
            readers.forget(segment)
        }
        feed.publish(transaction.pending.changes) { transaction.pending.drafts[$0]?.state.record }
        textIndexer?.note(transaction.pending.drafts.values.lazy.filter(\.hasGrown).map(\.state.record.id))
    }

    private func isLostSync(_ error: any Error) -> Bool {
        if error is SyncFailure { return true }
        guard let error = error as? DatabaseError else { return false }
        return [.SQLITE_IOERR_FSYNC, .SQLITE_IOERR_DIR_FSYNC].contains(error.extendedResultCode)
    }

    private func refuseFromNowOn(_ error: any Error, _ batch: [any PendingCommit]) {
        let cause = StoreError(anyError: error)
        let refusal = StoreError.unavailable("the disk lost what it was told to keep (\(cause)); restart to go on")
        poison = refusal
        log("CRITICAL: \(refusal)")
        batch.forEach { $0.finish(refusal) }
    }
}

/// Body numbers are never given twice, also over restarts: they are reserved in blocks, in the same transaction that
/// first needs them.
struct BodyNumbers {
    private static let block: Int64 = 4096
    private var nextNumber: Int64
    private var reserved: Int64
    private var isWritten = true

    /// Numbers from `reserved` on have never been given.
    init(reserved: Int64) {
        nextNumber = reserved
        self.reserved = reserved
    }

    mutating func next() -> Int64 {
        if nextNumber == reserved {
            reserved += Self.block
            isWritten = false
        }
        defer { nextNumber += 1 }
        return nextNumber
    }

    var reserveToWrite: Int64? { isWritten ? nil : reserved }
    mutating func reserveIsWritten() { isWritten = true }
}

struct StoredCounters {
    var nextBody: Int64
    var nextUIDValidity: Int64
    var parkedOctets: Int
}
