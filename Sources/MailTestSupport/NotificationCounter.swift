import Synchronization

/// Counts change notifications from any thread.
final class NotificationCounter: Sendable {
    private let count = Mutex(0)

    func add() { count.withLock { $0 += 1 } }

    /// Whether any came since the last call.
    func take() -> Bool {
        count.withLock { count in
            defer { count = 0 }
            return count > 0
        }
    }
}
