import NIOCore
import Synchronization

/// A connection's change notifications: any number from any thread become one call on the connection's loop. Holds
/// its handler weakly, since the session that the handler owns may hold this through an observation.
final class PendingChange: Sendable {
    private let isPending = Atomic(false)
    private let loop: any EventLoop
    private let arrive: @Sendable () -> Void

    /// - Parameter arrive: called on the loop.
    init(loop: any EventLoop, arrive: @escaping @Sendable () -> Void) {
        self.loop = loop
        self.arrive = arrive
    }

    func notify() {
        guard !isPending.exchange(true, ordering: .acquiringAndReleasing) else { return }
        loop.execute(arrive)
    }

    /// Whether a change came since the last call.
    func take() -> Bool { isPending.exchange(false, ordering: .acquiringAndReleasing) }
}

/// A handler, for closures that must not keep it alive; touched only on its loop.
struct WeakHandler<Handler: AnyObject> {
    weak var handler: Handler?
}
