import GRDB
import Glibc
import MailStore
import MailVocabulary
import Synchronization

// What keeps opening a mailbox cheap, beside the callers: index files of large mailboxes are written when enough has
// changed, many flag records are folded into rows, and long histories of removals are put together.

package struct UpkeepLimits: Sendable {
    /// Rows from which on reading them from the database takes long enough for a file to be worth while.
    package var leastRows = 1024
    /// Flag records of a mailbox, and octets of them, that may wait to be folded: what opening has to apply.
    package var records = 64
    package var recordOctets = 256 << 10
    /// Rows folded in one commit: others' commits wait no longer than this takes, some milliseconds.
    package var foldedAtOnce = 2048
    /// Messages of deleted mailboxes removed in one commit, for the same reason.
    package var purgedAtOnce = 2000
    /// Seconds for which a file of derived data may hold something of messages that are gone.
    package var outdatedAfter = 86_400

    package init() {}
}

final class Upkeep: Sendable {
    /// A file is written again when this part of its rows has changed: half of that is what opening reads on average.
    static let changedPart = 16
    /// What writing index files may add to closing; what is left is read from the database when it is next opened.
    static let closingLimit = Duration.seconds(3)

    let housekeeping = Housekeeping()
    let pool = WorkPool("store.upkeep", width: 1)
    let limits: UpkeepLimits

    private let purging = Mutex<(task: Task<Void, Never>?, isWanted: Bool, isStopped: Bool)>((nil, false, false))

    init(_ limits: UpkeepLimits) { self.limits = limits }

    /// Does the work, once more when it is asked for meanwhile.
    func startPurging(_ work: @escaping @Sendable () async -> Void) {
        purging.withLock { purging in
            purging.isWanted = true
            guard purging.task == nil, !purging.isStopped else { return }
            purging.task = Task(priority: .background) { [self] in
                while isPurgingWanted() { await work() }
            }
        }
    }

    private func isPurgingWanted() -> Bool {
        purging.withLock { purging in
            defer { purging.isWanted = false }
            if !purging.isWanted || purging.isStopped { purging.task = nil }
            return purging.isWanted && !purging.isStopped
        }
    }

    /// Returns when nothing is purged any more.
    func stopPurging() async {
        let task = purging.withLock { purging in
            purging.isStopped = true
            return purging.task
        }
        task?.cancel()
        await task?.value
    }
}

extension SQLiteStore {
    func startUpkeep(every interval: Duration) {
        upkeep.housekeeping.start(every: interval) { [weak self] in
            guard let self else { return false }
            do {
                try await maintain()
            } catch {
                log("writing indexes: \(StoreError(anyError: error))")
            }
            return true
        }
    }

    /// One turn.
    package func maintain() async throws {
        try await saveIndexes(until: .now + .seconds(60))
        try await dropOutdatedDerived()
        let touched = cache.takeTouched()
        guard !touched.isEmpty else { return }
        for mailbox in try await read({ [upkeep] db in try RowReader.due(touched, .flags, upkeep.limits, db) }) {
            try Task.checkCancellation()
            try await fold(mailbox)
        }
        for mailbox in try await read({ [upkeep] db in try RowReader.due(touched, .removals, upkeep.limits, db) }) {
            try Task.checkCancellation()
            try await committer.commit { transaction, _ in try transaction.shortenHistory(of: mailbox) }
        }
    }

    /// Writes the files that are furthest behind first.
    func saveIndexes(until deadline: ContinuousClock.Instant) async throws {
        let leastRows = upkeep.limits.leastRows
        let due = cache.all().filter { state in
            let count = state.record.messageCount
            return count >= leastRows && state.unsaved >= max(leastRows, count, Upkeep.changedPart) / Upkeep.changedPart
        }
        for state in due.sorted(by: { $0.unsaved > $1.unsaved }) {
            guard ContinuousClock.now < deadline, !Task.isCancelled else { return }
            try await saveIndex(of: state.record.id)
        }
    }

    private struct WrittenIndex: Sendable {
        var modSeq: ModSeq
        var checksum: UInt64
        /// What `MailboxState.unsaved` said.
        var unsaved: Int
    }

    /// Nothing, when the mailbox is gone meanwhile.
    func saveIndex(of mailbox: MailboxID) async throws {
        let written = try await upkeep.pool.run { [self] in try writeIndex(of: mailbox) }
        guard let written else { return }
        let path = directory.index(mailbox, written.modSeq)
        do {
            let old = try await committer.commit { transaction, _ in
                try transaction.adoptIndex(of: mailbox, written.modSeq, written.checksum)
            }
            if let old, old != written.modSeq { unlink(directory.index(mailbox, old)) }
            cache.saved(mailbox, written.unsaved)
        } catch StoreError.noSuchMailbox {
            unlink(path)
        } catch {
            unlink(path)
            throw error
        }
    }

    private func writeIndex(of mailbox: MailboxID) throws -> WrittenIndex? {
        guard var state = cache.mailbox(mailbox) else { return nil }
        if state.snapshot == nil {
            do {
                state = try pool.read { [directory] db in
                    var state = try RowReader.state(mailbox, db)
                    try RowReader.load(&state, directory, db)
                    return state
                }
            } catch {
                throw StoreError(anyError: error)
            }
        }
        guard let snapshot = state.snapshot else { return nil }
        let (octets, checksum) = IndexFile.encode(snapshot)
        let path = directory.index(mailbox, snapshot.highestModSeq)
        try staging.files.replace(path, with: octets)
        return WrittenIndex(modSeq: snapshot.highestModSeq, checksum: checksum, unsaved: state.unsaved)
    }
}
