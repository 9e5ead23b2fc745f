package import MailVocabulary

/// Bounds on connections, in all and by address. Every number protects the others from one.
///
/// What counts as one address is an IPv4 address or an IPv6 /64, since one customer commonly owns that many.
package struct RuntimeLimits: Sendable {
    /// Open connections of all listeners together; beyond it, new ones are closed at once.
    package var connections = 20_000
    package var connectionsPerAddress = 200
    /// Connections of all listeners that have not authenticated.
    package var unauthenticatedConnections = 5_000
    package var unauthenticatedPerAddress = 50
    /// TLS handshakes in progress.
    package var handshakes = 1_000
    package var handshakesPerAddress = 20
    /// New connections from one address: a handshake is the dearest thing a stranger can ask for, and a connection makes
    /// at most one. Beyond it a second's worth, and four more, are let through at once.
    package var connectionsPerSecond = 20.0
    /// Whom the limits by address are not for: many users behind one address.
    package var exemptNetworks: [NetworkPrefix] = ["127.0.0.0/8", "::1"].compactMap { NetworkPrefix($0) }
    /// From the first octet to a finished handshake.
    package var handshakeTime = Duration.seconds(20)
    /// From the connection to the end of the PROXY header: a proxy sends it at once.
    package var proxyHeaderTime = Duration.seconds(5)
    /// From the greeting to a proved identity, however busy the connection is: a peer that sends an octet now and then
    /// keeps no place.
    package var unauthenticatedTime = Duration.seconds(120)

    /// How long a peer may take none of what is written to it: one that stopped reading holds a place and a buffer.
    package var stallTime = Duration.seconds(300)

    package init() {}
}

/// Which limit was reached.
package enum ConnectionRefusal: String, Sendable, Error, CaseIterable {
    case connections, unauthenticated, handshakes
    case connectionsPerAddress = "connections-per-address"
    case unauthenticatedPerAddress = "unauthenticated-per-address"
    case handshakesPerAddress = "handshakes-per-address"
    case connectionsPerSecond = "connections-per-second"
}
