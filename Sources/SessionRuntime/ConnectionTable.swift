import NIOCore
import Synchronization

/// How to stop each open connection.
final class ConnectionTable: Sendable {
    private struct State {
        var next: UInt64 = 1
        var stops: [UInt64: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    /// The connection's number, unique in the process.
    func number() -> UInt64 {
        state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
    }

    func add(_ number: UInt64, stop: @escaping @Sendable () -> Void) {
        state.withLock { $0.stops[number] = stop }
    }

    func remove(_ number: UInt64) { state.withLock { $0.stops[number] = nil } }

    func stopAll() {
        for stop in state.withLock({ Array($0.stops.values) }) { stop() }
    }
}
