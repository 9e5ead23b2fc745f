import Synchronization

/// Counts asynchronous work under way, so that nothing is torn down under it.
final class RunningWork: Sendable {
    private let count = Atomic(0)

    func enter() { count.add(1, ordering: .relaxed) }
    func leave() { count.subtract(1, ordering: .releasing) }
    var isIdle: Bool { count.load(ordering: .acquiring) == 0 }
}
