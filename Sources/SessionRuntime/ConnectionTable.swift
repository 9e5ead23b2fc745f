import Synchronization

/// How to end each open connection: with a goodbye, and without.
final class ConnectionTable: Sendable {
    private struct Connection {
        var stop: @Sendable () -> Void
        let close: @Sendable () -> Void
    }

    private struct State {
        var next: UInt64 = 1
        var open: [UInt64: Connection] = [:]
    }

    private let state = Mutex(State())

    /// The connection's number, unique in the process.
    func number() -> UInt64 {
        state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
    }

    /// Until there is a session to say goodbye, stopping a connection is closing it.
    func add(_ number: UInt64, close: @escaping @Sendable () -> Void) {
        state.withLock { $0.open[number] = Connection(stop: close, close: close) }
    }

    /// Unless the connection is gone.
    func setStop(_ number: UInt64, _ stop: @escaping @Sendable () -> Void) {
        state.withLock { $0.open[number]?.stop = stop }
    }

    func remove(_ number: UInt64) { state.withLock { $0.open[number] = nil } }

    func stopAll() {
        for connection in state.withLock({ Array($0.open.values) }) { connection.stop() }
    }

    func closeAll() {
        for connection in state.withLock({ Array($0.open.values) }) { connection.close() }
    }
}
