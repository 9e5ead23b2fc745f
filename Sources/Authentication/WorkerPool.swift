import Dispatch
import Synchronization

/// Runs blocking work on a few threads, with a bounded queue: what comes when it is full is refused at once, so a flood
/// of logins costs bounded memory and cannot starve whoever waits already.
package final class WorkerPool: Sendable {
    /// Two computations of 19 MiB each keep a small machine responsive.
    package static let standardWidth = 2
    /// Some seconds of waiting at 25 ms each; longer, and clients give up anyway.
    package static let standardCapacity = 64

    private struct State {
        var running = 0
        /// Short enough for an array.
        var waiting: [@Sendable () -> Void] = []
    }

    private let width: Int
    private let capacity: Int
    private let queue = DispatchQueue(label: "passwords", attributes: .concurrent)
    private let state = Mutex(State())

    package init(width: Int = standardWidth, capacity: Int = standardCapacity) {
        self.width = max(1, width)
        self.capacity = max(0, capacity)
    }

    /// Nil when the queue is full.
    package func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result? {
        await withCheckedContinuation { continuation in
            let isAccepted = submit { continuation.resume(returning: work()) }
            if !isAccepted { continuation.resume(returning: nil) }
        }
    }

    private func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        let startsWorker: Bool? = state.withLock { state in
            if state.running < width {
                state.running += 1
                return true
            }
            guard state.waiting.count < capacity else { return nil }
            state.waiting.append(job)
            return false
        }
        guard let startsWorker else { return false }
        if startsWorker { queue.async { self.work(job) } }
        return true
    }

    private func work(_ first: @Sendable () -> Void) {
        first()
        while let job = next() { job() }
    }

    private func next() -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}
