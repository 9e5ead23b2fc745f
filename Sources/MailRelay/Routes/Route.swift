import MailClient
package import SASL
import SessionRuntime
import TLSPolicy
package import WireFraming

/// Where mail for a destination goes.
package enum Route: Sendable {
    /// To the mail exchangers of the domain, as policies say.
    case exchangers
    case host(RelayHost)
    /// To a server that puts it into mailboxes (RFC 2033), in cleartext: on this machine, or on a network that is as
    /// good.
    case lmtp(StreamAddress)
}

/// A server that the operator names.
package struct RelayHost: Sendable {
    package enum Security: Sendable, Hashable {
        /// TLS from the first octet; verified (RFC 8314 §3.3).
        case implicitTLS
        /// STARTTLS and a verified certificate, or nothing.
        case startTLS
        /// STARTTLS where it is offered.
        case opportunistic
    }

    /// A host name, or an IP address without brackets. The certificate must be valid for it where one is verified.
    package var name: String
    package var port: Int
    package var security: Security
    /// Asked for each new session, so that they may change. Given inside verified TLS alone; a route that has them and
    /// cannot give them is not used.
    package var credentials: (@Sendable () async throws -> PasswordCredentials)?

    package init(
        name: String, port: Int, security: Security,
        credentials: (@Sendable () async throws -> PasswordCredentials)? = nil
    ) {
        self.name = name
        self.port = port
        self.security = security
        self.credentials = credentials
    }
}

/// The operator's table of routes.
package struct RouteTable: Sendable {
    /// Domains in lower case (A-labels) that have a route of their own.
    package var fixed: [String: Route]
    /// For all others.
    package var otherwise: Route

    package init(fixed: [String: Route] = [:], otherwise: Route) {
        self.fixed = fixed
        self.otherwise = otherwise
    }

    package func route(to destination: String) -> Route { fixed[destination] ?? otherwise }
}

/// A host to try, with all that a session with it needs.
struct Hop: Sendable {
    /// For notices and logs.
    var name: String
    /// Connections to it are counted together.
    var place: String
    var addresses: [StreamAddress]
    var dialect = SMTPClientSettings.Dialect.smtp
    var security: SMTPClientSettings.Security
    var verification: ServerVerification
    /// For SNI.
    var serverName: String?
    var credentials: (@Sendable () async throws -> PasswordCredentials)?
    var mustOfferRequireTLS = false
    /// A mail exchanger found in DNS: it may be this server, and is reported on.
    var planned: PlannedHost?

    init(_ host: PlannedHost) {
        name = host.name
        place = "\(host.name.lowercased()):\(host.port)"
        addresses = host.addresses.map { .internet(address: IPAddress.text($0), port: host.port) }
        security = host.requirement.mustEncrypt ? .startTLS : .opportunistic
        verification = host.requirement.verification
        serverName = host.serverName
        mustOfferRequireTLS = host.mustOfferRequireTLS
        planned = host
    }

    init(lmtp address: StreamAddress) {
        name = address.hostName
        place = address.text
        addresses = [address]
        dialect = .lmtp
        security = .cleartext
        verification = .unverified
    }

    /// - Parameter isRequired: REQUIRETLS, which a host of the operator's is held to as well.
    init(_ host: RelayHost, addresses: [String], isRequired: Bool) {
        name = host.name
        place = "\(host.name.lowercased()):\(host.port)"
        self.addresses = addresses.map { .internet(address: $0, port: host.port) }
        credentials = host.credentials
        mustOfferRequireTLS = isRequired
        serverName = IPAddress.octets(host.name) == nil ? host.name : nil
        switch host.security {
        case .implicitTLS: (security, verification) = (.implicitTLS, .authorities(names: [host.name]))
        case .startTLS: (security, verification) = (.startTLS, .authorities(names: [host.name]))
        case .opportunistic where isRequired || host.credentials != nil:
            (security, verification) = (.startTLS, .authorities(names: [host.name]))
        case .opportunistic: (security, verification) = (.opportunistic, .unverified)
        }
    }
}

extension StreamAddress {
    /// For `remote-MTA` and the log.
    fileprivate var hostName: String {
        switch self {
        case .internet(let address, _): address
        case .local: "localhost"
        }
    }
}
