import Synchronization

/// Bounds on connections, in all and by address. Every number protects the others from one.
package struct RuntimeLimits: Sendable {
    /// Open connections of all listeners together; beyond it, new ones are closed at once.
    package var connections = 20_000
    /// Open connections from one address that is not on loopback.
    package var connectionsPerAddress = 200
    /// Connections of all listeners that have not authenticated.
    package var unauthenticatedConnections = 5_000
    /// From the first octet to a finished handshake.
    package var handshakeTime = Duration.seconds(20)
    /// From the greeting to a proved identity, however busy the connection is: a peer that sends an octet now and then
    /// keeps no place.
    package var unauthenticatedTime = Duration.seconds(120)

    /// How long a peer may take none of what is written to it: one that stopped reading holds a place and a buffer.
    package var stallTime = Duration.seconds(300)

    package init() {}
}

/// Counts open connections against the limits.
final class ConnectionCounter: Sendable {
    private struct Counts {
        var all = 0
        var unauthenticated = 0
        var byAddress: [String: Int] = [:]
    }

    private let limits: RuntimeLimits
    private let counts = Mutex(Counts())

    init(_ limits: RuntimeLimits) { self.limits = limits }

    /// Nil when a limit is reached; otherwise a place that is given back when the permit is dropped.
    func admit(_ peer: String) -> ConnectionPermit? {
        let exempt = ConnectionCounter.isLoopback(peer)
        let address = ConnectionCounter.network(of: peer)
        let admitted = counts.withLock { counts in
            guard counts.all < limits.connections, counts.unauthenticated < limits.unauthenticatedConnections,
                exempt || counts.byAddress[address, default: 0] < limits.connectionsPerAddress
            else { return false }
            counts.all += 1
            counts.unauthenticated += 1
            counts.byAddress[address, default: 0] += 1
            return true
        }
        return admitted ? ConnectionPermit(counter: self, address: address) : nil
    }

    var open: Int { counts.withLock { $0.all } }

    fileprivate func authenticated() { counts.withLock { $0.unauthenticated -= 1 } }
    /// No limit is checked: the connection has its place.
    fileprivate func unauthenticated() { counts.withLock { $0.unauthenticated += 1 } }

    fileprivate func release(_ address: String, authenticated: Bool) {
        counts.withLock { counts in
            counts.all -= 1
            if !authenticated { counts.unauthenticated -= 1 }
            let left = counts.byAddress[address, default: 1] - 1
            counts.byAddress[address] = left > 0 ? left : nil
        }
    }

    /// What is counted as one peer: an IPv4 address, or an IPv6 /64, since one host commonly owns that many.
    static func network(of address: String) -> String {
        guard address.contains(":") else { return address }
        let halves = address.split(separator: ":", omittingEmptySubsequences: false)
        guard let gap = halves.firstIndex(of: ""), gap < 4 else { return halves.prefix(4).joined(separator: ":") }
        return halves.prefix(gap).joined(separator: ":") + "::"
    }

    /// Whoever is at the other end of a UNIX socket.
    static let localPeer = "local"

    static func isLoopback(_ address: String) -> Bool {
        address.hasPrefix("127.") || address == "::1" || address == localPeer
    }
}

/// One connection's place; gives it back when dropped.
final class ConnectionPermit: Sendable {
    private let counter: ConnectionCounter
    private let address: String
    private let isAuthenticated = Atomic(false)

    init(counter: ConnectionCounter, address: String) {
        self.counter = counter
        self.address = address
    }

    /// The connection no longer counts as unauthenticated.
    func authenticated() {
        if !isAuthenticated.exchange(true, ordering: .relaxed) { counter.authenticated() }
    }

    /// It does again.
    func unauthenticated() {
        if isAuthenticated.exchange(false, ordering: .relaxed) { counter.unauthenticated() }
    }

    deinit { counter.release(address, authenticated: isAuthenticated.load(ordering: .relaxed)) }
}
