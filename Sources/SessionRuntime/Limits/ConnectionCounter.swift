import MailVocabulary
import NIOCore
import Synchronization

/// Counts open connections against the limits. By address it keeps those with open connections, and `ArrivalRates`:
/// memory is bounded by the limit on connections.
final class ConnectionCounter: Sendable {
    struct Count {
        var open = 0
        var unauthenticated = 0
        var handshakes = 0
    }

    private struct Counts {
        var all = Count()
        var byAddress: [NetworkAddress: Count] = [:]
        var rates: ArrivalRates
    }

    private let limits: RuntimeLimits
    private let counts: Mutex<Counts>

    init(_ limits: RuntimeLimits) {
        self.limits = limits
        counts = Mutex(Counts(rates: ArrivalRates(perSecond: limits.connectionsPerSecond)))
    }

    var open: Int { counts.withLock { $0.all.open } }
    /// How many connections there are, and how many of them have not authenticated or are in a handshake.
    var snapshot: Count { counts.withLock { $0.all } }

    /// A place, that is given back when the permit is dropped.
    ///
    /// - Parameter peer: nil for one that no address is counted for: a UNIX socket, a proxy.
    func admit(_ peer: NetworkAddress?) throws(ConnectionRefusal) -> ConnectionPermit {
        let refusal = counts.withLock { counts -> ConnectionRefusal? in
            if counts.all.open >= limits.connections { return .connections }
            if counts.all.unauthenticated >= limits.unauthenticatedConnections { return .unauthenticated }
            counts.all.open += 1
            counts.all.unauthenticated += 1
            return nil
        }
        if let refusal { throw refusal }
        let permit = ConnectionPermit(counter: self)
        if let peer { try permit.identify(peer) }
        return permit
    }

    /// What is counted for an address; nil when nothing is.
    fileprivate func key(_ peer: NetworkAddress) -> NetworkAddress? {
        limits.exemptNetworks.contains(peer) ? nil : peer.customer
    }

    /// One more of an address that has a place already.
    fileprivate func add(_ address: NetworkAddress) -> ConnectionRefusal? {
        let now = NIODeadline.now().uptimeNanoseconds
        return counts.withLock { counts in
            let count = counts.byAddress[address] ?? Count()
            if count.open >= limits.connectionsPerAddress { return .connectionsPerAddress }
            if count.unauthenticated >= limits.unauthenticatedPerAddress { return .unauthenticatedPerAddress }
            guard counts.rates.take(address, now: now) else { return .connectionsPerSecond }
            counts.byAddress[address, default: Count()].open += 1
            counts.byAddress[address, default: Count()].unauthenticated += 1
            return nil
        }
    }

    fileprivate func beginHandshake(_ address: NetworkAddress?) -> ConnectionRefusal? {
        counts.withLock { counts in
            if counts.all.handshakes >= limits.handshakes { return .handshakes }
            if let address, counts.byAddress[address]?.handshakes ?? 0 >= limits.handshakesPerAddress {
                return .handshakesPerAddress
            }
            counts.all.handshakes += 1
            if let address { counts.byAddress[address]?.handshakes += 1 }
            return nil
        }
    }

    /// Changes the counts of a connection that has its place: no limit is checked.
    fileprivate func change(_ address: NetworkAddress?, _ count: WritableKeyPath<Count, Int>, by step: Int) {
        counts.withLock { counts in
            counts.all[keyPath: count] += step
            guard let address else { return }
            counts.byAddress[address]?[keyPath: count] += step
            if counts.byAddress[address]?.open == 0 { counts.byAddress[address] = nil }
        }
    }
}

/// One connection's place; gives it back when dropped.
final class ConnectionPermit: Sendable {
    private struct State {
        var address: NetworkAddress?
        var isAuthenticated = false
        var isInHandshake = false
    }

    private let counter: ConnectionCounter
    private let state = Mutex(State())

    fileprivate init(counter: ConnectionCounter) { self.counter = counter }

    /// Counts the connection for an address, from now on.
    func identify(_ peer: NetworkAddress) throws(ConnectionRefusal) {
        guard let address = counter.key(peer) else { return }
        if let refusal = counter.add(address) { throw refusal }
        state.withLock { $0.address = address }
    }

    func beginHandshake() throws(ConnectionRefusal) {
        let refusal = state.withLock { state -> ConnectionRefusal? in
            let refusal = counter.beginHandshake(state.address)
            state.isInHandshake = refusal == nil
            return refusal
        }
        if let refusal { throw refusal }
    }

    func endHandshake() {
        state.withLock { state in
            guard state.isInHandshake else { return }
            state.isInHandshake = false
            counter.change(state.address, \.handshakes, by: -1)
        }
    }

    /// The connection no longer counts as unauthenticated.
    func authenticated() { set(authenticated: true) }

    /// It does again.
    func unauthenticated() { set(authenticated: false) }

    private func set(authenticated: Bool) {
        state.withLock { state in
            guard state.isAuthenticated != authenticated else { return }
            state.isAuthenticated = authenticated
            counter.change(state.address, \.unauthenticated, by: authenticated ? -1 : 1)
        }
    }

    deinit {
        endHandshake()
        let (address, isAuthenticated) = state.withLock { ($0.address, $0.isAuthenticated) }
        if !isAuthenticated { counter.change(address, \.unauthenticated, by: -1) }
        counter.change(address, \.open, by: -1)
    }
}
