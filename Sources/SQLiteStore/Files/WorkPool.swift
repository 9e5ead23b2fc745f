import Dispatch
import MailVocabulary
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
    private let times: Histogram?

    /// - Parameter times: takes how long work took, with its waiting for a thread.
    init(_ label: String, width: Int, times: Histogram? = nil) {
        self.times = times
        queue = DispatchQueue(label: label, attributes: .concurrent)
        self.width = width
    }

    func run<R: Sendable>(_ work: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            let start = times.map { _ in ContinuousClock.now }
            enqueue { [times] in
                let result = Result { try work() }
                if let start { times?.record(.now - start) }
                continuation.resume(with: result)
            }
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
