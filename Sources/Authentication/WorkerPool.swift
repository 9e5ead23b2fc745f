import Dispatch
import Synchronization

/// Runs blocking work on a few threads. Whoever waits is served in turn by the peer's network, so one that floods waits
/// behind itself and not before others; each network and the whole have a bound, beyond which work is refused at once.
package final class WorkerPool: Sendable {
    /// Two computations of 19 MiB each keep a small machine responsive.
    package static let standardWidth = 2
    /// Some hundred octets each. With the bound on a network, it takes 64 of them to keep others out.
    package static let standardCapacity = 512
    /// Waiting work of one network: a few people's clients behind one address.
    package static let standardShare = 8
    /// Waiting work of this machine's own programs.
    package static let standardLoopbackShare = 64

    private typealias Job = @Sendable () -> Void

    private struct State {
        var running = 0
        var waiting = 0
        /// Never empty arrays; short ones.
        var jobs: [PeerNetwork: [Job]] = [:]
        /// The keys of `jobs`, next first.
        var turns: [PeerNetwork] = []
    }

    private let width: Int
    private let capacity: Int
    private let share: Int
    private let loopbackShare: Int
    private let queue = DispatchQueue(label: "passwords", attributes: .concurrent)
    private let state = Mutex(State())

    /// - Parameters:
    ///   - capacity: work that waits, in all.
    ///   - share: work that waits, for one network other than loopback.
    ///   - loopbackShare: work that waits, for this machine's own programs.
    package init(
        width: Int = standardWidth, capacity: Int = standardCapacity, share: Int = standardShare,
        loopbackShare: Int = standardLoopbackShare
    ) {
        self.width = max(1, width)
        self.capacity = max(0, capacity)
        self.share = share
        self.loopbackShare = loopbackShare
    }

    /// Nil when too much waits already.
    /// - Parameter peer: the address of whoever wants it; without one, this machine.
    package func run<Result: Sendable>(
        for peer: String = "127.0.0.1", _ work: @escaping @Sendable () -> Result
    ) async -> Result? {
        let network = PeerNetwork(peer)
        return await withCheckedContinuation { continuation in
            let isAccepted = submit(network) { continuation.resume(returning: work()) }
            if !isAccepted { continuation.resume(returning: nil) }
        }
    }

    var waitingCount: Int { state.withLock { $0.waiting } }

    private func submit(_ network: PeerNetwork, _ job: @escaping Job) -> Bool {
        let startsWorker: Bool? = state.withLock { state in
            if state.running < width {
                state.running += 1
                return true
            }
            let ahead = state.jobs[network]?.count ?? 0
            guard state.waiting < capacity, ahead < (network.isLoopback ? loopbackShare : share) else {
                return nil
            }
            state.waiting += 1
            state.jobs[network, default: []].append(job)
            if ahead == 0 { state.turns.append(network) }
            return false
        }
        guard let startsWorker else { return false }
        if startsWorker { queue.async { self.work(job) } }
        return true
    }

    private func work(_ first: Job) {
        first()
        while let job = next() { job() }
    }

    private func next() -> Job? {
        state.withLock { state in
            guard let network = state.turns.first, var jobs = state.jobs.removeValue(forKey: network) else {
                state.running -= 1
                return nil
            }
            state.turns.removeFirst()
            let job = jobs.removeFirst()
            state.waiting -= 1
            if !jobs.isEmpty {
                state.jobs[network] = jobs
                state.turns.append(network)
            }
            return job
        }
    }
}
