package import MailVocabulary

/// Who may connect how often, who speaks for others, and what is told of the server.
package struct OperationConfiguration: Sendable, Equatable {
    package var proxyNetworks: [NetworkPrefix] = []
    /// Ports on which those are proxies; empty for all.
    package var proxyPorts: [Int] = []

    package var unauthenticatedPerAddress = 50
    package var handshakes = 1000
    package var handshakesPerAddress = 20
    /// New connections in a second.
    package var connectionsPerSecond = 20
    package var exemptNetworks: [NetworkPrefix] = ["127.0.0.0/8", "::1"].compactMap { NetworkPrefix($0) }

    /// Loopback addresses alone. Empty: no metrics.
    package var metrics: [Endpoint] = []
    /// Nil: whoever starts the server, who must not be root then.
    package var runAs: RunAs?

    package init() {}

    /// Networks whose connections to a port must begin with a PROXY header.
    package func proxies(onPort port: Int) -> [NetworkPrefix] {
        proxyPorts.isEmpty || proxyPorts.contains(port) ? proxyNetworks : []
    }
}

/// `user` or `user:group`.
package struct RunAs: Sendable, Hashable, CustomStringConvertible {
    package var user: String
    package var group: String?

    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let isName = { (name: String) in !name.isEmpty && !name.contains { $0.isWhitespace || $0 == "/" } }
        guard (1...2).contains(parts.count), parts.allSatisfy(isName) else { return nil }
        user = parts[0]
        group = parts.count == 2 ? parts[1] : nil
    }

    package var description: String { group.map { "\(user):\($0)" } ?? user }
}

extension ServerConfiguration {
    /// Ports below 1024 are bound again and again while the server runs: for an authority's questions over HTTP.
    package var bindsLater: Bool {
        acme.directory != nil && acme.challenge == .http && acme.httpListeners.contains { (1..<1024).contains($0.port) }
    }
}
