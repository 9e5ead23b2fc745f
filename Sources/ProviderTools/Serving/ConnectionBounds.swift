package import SessionRuntime

/// The bounds on connections that a configuration and the process's own bound on open files allow.
package struct ConnectionBounds: Sendable {
    /// Descriptors for everything that is no connection: the store's files, listeners, certificates, logs.
    package static let reserve = 256
    /// Connections that have not logged in, however many there may be in all: each has a buffer and a TLS state.
    private static let mostUnauthenticated = 5_000

    package let limits: RuntimeLimits
    /// For the operator, when the configuration asks for more than there is.
    package let warning: String?

    package init(_ configuration: ServerConfiguration, fileLimit: Int) {
        let asked = configuration.maximumConnections
        // Of a very small limit, half.
        let possible = max(1, fileLimit - min(Self.reserve, fileLimit / 2))
        var limits = RuntimeLimits()
        limits.connections = min(asked, possible)
        limits.connectionsPerAddress = configuration.maximumConnectionsPerAddress
        limits.unauthenticatedConnections = max(1, min(Self.mostUnauthenticated, limits.connections / 2))
        let operation = configuration.operation
        limits.unauthenticatedPerAddress = operation.unauthenticatedPerAddress
        limits.handshakes = operation.handshakes
        limits.handshakesPerAddress = operation.handshakesPerAddress
        limits.connectionsPerSecond = Double(operation.connectionsPerSecond)
        limits.exemptNetworks = operation.exemptNetworks
        limits.unauthenticatedTime = configuration.unauthenticatedTime
        self.limits = limits
        warning =
            asked > possible
            ? "limits.connections is \(asked), but the system lets this process open only \(fileLimit) files: "
                + "\(possible) connections are served; raise the limit (LimitNOFILE, ulimit -n)" : nil
    }
}
