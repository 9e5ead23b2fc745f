import MailStore
import Synchronization

/// What the store does by itself, beside its callers: gives dead octets back, at start and then every so often, until
/// it is stopped.
final class Housekeeping: Sendable {
    /// Octets copied in one turn: a disk is not kept from its mail for long, and as many octets at least are given
    /// back by it.
    static let turnLimit = 256 << 20

    private let task = Mutex<Task<Void, Never>?>(nil)

    /// The turn returns false when there is nothing to do any more, ever.
    func start(every interval: Duration, _ turn: @escaping @Sendable () async -> Bool) {
        let started = Task(priority: .background) {
            while !Task.isCancelled, await turn() {
                do { try await Task.sleep(for: interval) } catch { return }
            }
        }
        task.withLock { $0 = started }
    }

    /// Returns when nothing runs any more.
    func stop() async {
        let running = task.withLock { $0 }
        running?.cancel()
        await running?.value
    }

    deinit { task.withLock { $0?.cancel() } }
}

extension SQLiteStore {
    func startHousekeeping(every interval: Duration) {
        // Weakly: a store that was dropped without being closed is not kept by its own housekeeping.
        housekeeping.start(every: interval) { [weak self] in
            guard let self else { return false }
            do {
                _ = try await compact(limit: Housekeeping.turnLimit)
            } catch {
                log("giving back the room of expunged mail: \(StoreError(anyError: error))")
            }
            return true
        }
    }
}
