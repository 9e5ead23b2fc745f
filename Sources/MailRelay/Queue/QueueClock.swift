import Synchronization

/// Time, as the queue needs it.
package protocol QueueClock: Sendable {
    /// Seconds since 1970.
    func now() -> Int64
    /// Until that second has begun, or the task is cancelled.
    func sleep(until time: Int64) async
}

/// The system's.
package struct SystemQueueClock: QueueClock {
    /// Seconds: the clock may be set meanwhile, so nothing sleeps longer without looking at it.
    private static let longestSleep: Int64 = 3600
    private let seconds: @Sendable () -> Int64

    /// - Parameter now: seconds since 1970.
    package init(now: @escaping @Sendable () -> Int64) { seconds = now }

    package func now() -> Int64 { seconds() }

    package func sleep(until time: Int64) async {
        let wait = min(max(time - now(), 1), Self.longestSleep)
        try? await Task.sleep(for: .seconds(wait))
    }
}

/// Wakes one who waits; a call that nobody waits for is remembered.
final class WakeSignal: Sendable {
    private struct State {
        var isCalled = false
        var count = 0
        var waiter: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())

    /// How often it was called.
    var count: Int { state.withLock { $0.count } }

    func wake() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.count += 1
            guard let waiter = state.waiter else {
                state.isCalled = true
                return nil
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Until called, or the task is cancelled. For one at a time.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    if state.isCalled || Task.isCancelled {
                        state.isCalled = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            // Whoever was called keeps the call: only the waiting ends.
            state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }?.resume()
        }
    }
}
