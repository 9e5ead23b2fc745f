import Synchronization

@testable import MailRelay

/// Time that passes only when a test says so.
final class SimulatedQueueClock: QueueClock {
    private struct State {
        var now: Int64
        var number = 0
        var sleepers: [Int: (until: Int64, continuation: CheckedContinuation<Void, Never>)] = [:]
    }
    private let state: Mutex<State>

    init(_ now: Int64) { state = Mutex(State(now: now)) }

    func now() -> Int64 { state.withLock { $0.now } }

    /// When the next sleeper is to be woken.
    var nextWaking: Int64? { state.withLock { $0.sleepers.values.map(\.until).min() } }

    func advance(to time: Int64) {
        let woken = state.withLock { state in
            state.now = max(state.now, time)
            let due = state.sleepers.filter { $0.value.until <= state.now }
            for number in due.keys { state.sleepers[number] = nil }
            return due.values.map(\.continuation)
        }
        woken.forEach { $0.resume() }
    }

    func sleep(until time: Int64) async {
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard time > state.now, !Task.isCancelled else { return true }
                    state.sleepers[number] = (time, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: number) }?.continuation.resume()
        }
    }
}
