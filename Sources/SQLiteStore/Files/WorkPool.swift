import Dispatch
import Synchronization

/// Runs blocking work on a few threads; what exceeds them waits in order.
final class WorkPool: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        /// Index of the next to run in `waiting`: taking from the front of an array is slow.
        var first = 0
        var running = 0

        mutating func next() -> (@Sendable () -> Void)? {
            guard first < waiting.count else {
                waiting.removeAll(keepingCapacity: true)
                first = 0
                running -= 1
                return nil
            }
            let job = waiting[first]
            first += 1
            if first >= 64, first * 2 >= waiting.count {
                waiting.removeFirst(first)
                first = 0
            }
            return job
        }
    }
    private let state = Mutex(State())
    private let queue: DispatchQueue
    private let width: Int

    init(_ label: String, width: Int) {
        queue = DispatchQueue(label: label, attributes: .concurrent)
        self.width = width
    }

    func run<R: Sendable>(_ work: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            enqueue { continuation.resume(with: Result { try work() }) }
        }
    }

    private func enqueue(_ job: @escaping @Sendable () -> Void) {
        let mustStart = state.withLock { state in
            state.waiting.append(job)
            guard state.running < width else { return false }
            state.running += 1
            return true
        }
        if mustStart { queue.async { [self] in drain() } }
    }

    private func drain() {
        while let job = state.withLock({ $0.next() }) { job() }
    }
}
