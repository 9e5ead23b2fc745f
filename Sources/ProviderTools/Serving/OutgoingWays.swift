import Logging
import MailDNS
package import MailRelay
import MailStore
import MailVocabulary
import SASL
import SessionRuntime
import WireFraming

/// The ways to other servers, as configured.
struct OutgoingWays {
    /// Nil: mail goes nowhere else.
    let agent: RelayAgent?
    let services: PolicyServices?

    /// Throws `OperatorError`.
    init(
        _ configuration: ServerConfiguration, hostname: String, store: any MailStore, client: ClientRuntime,
        logger: Logger
    ) throws(OperatorError) {
        guard configuration.relay.mode != .none else {
            (agent, services) = (nil, nil)
            return
        }
        let services = try Self.services(configuration, hostname)
        let relay = configuration.relay
        var settings = RelaySettings(hostname: hostname, routes: RouteTable(relay))
        settings.maximumConnections = relay.maximumConnections
        settings.maximumConnectionsPerDestination = relay.maximumConnectionsPerDestination
        agent = RelayAgent(
            settings, store: store, runtime: client, verifier: try Self.verifier(configuration),
            resolver: services.resolver, policies: services.policies, recorder: services.recorder, logger: logger,
            now: { SystemClock.now().seconds })
        self.services = services
    }

    private static func services(
        _ configuration: ServerConfiguration, _ hostname: String
    ) throws(OperatorError) -> PolicyServices {
        let options = PolicyServices.Options(configuration, machineName: hostname)
        do { return try PolicyServices(options) } catch {
            throw OperatorError(.configuration, "names cannot be looked up: \(error); see dns.trust-anchor")
        }
    }

    private static func verifier(_ configuration: ServerConfiguration) throws(OperatorError) -> PeerVerifier {
        guard let file = configuration.trustRootsFile else { return PeerVerifier() }
        do { return PeerVerifier(trustRoots: try TrustRoots(file: file)) } catch {
            throw OperatorError(.configuration, "tls.trust-roots: \(error)")
        }
    }
}

extension RouteTable {
    package init(_ relay: RelayConfiguration) {
        var fixed: [String: Route] = [:]
        for entry in relay.transports.compactMap(TransportEntry.init) {
            fixed[DNSName.ascii(entry.domain.name) ?? entry.domain.name] = Route(entry.way)
        }
        self.init(fixed: fixed, otherwise: relay.smarthostRoute ?? .exchangers)
    }
}

extension Route {
    fileprivate init(_ way: TransportEntry.Way) {
        self =
            switch way {
            case .socket(let path): .lmtp(.local(path: path))
            case .lmtp(let endpoint): .lmtp(.internet(address: endpoint.address, port: endpoint.port))
            case .server(let endpoint, let security):
                // By the name that was given: that is what its certificate must prove.
                .host(
                    RelayHost(
                        name: endpoint.host ?? endpoint.address, port: endpoint.port, security: .init(security)))
            }
    }
}

extension RelayHost.Security {
    fileprivate init(_ security: RelayConfiguration.Security) {
        self = security == .implicit ? .implicitTLS : .startTLS
    }
}

extension Endpoint {
    /// Without brackets; only where a host must be given.
    fileprivate var address: String { host == "localhost" ? "127.0.0.1" : host ?? "127.0.0.1" }
}

extension RelayConfiguration {
    fileprivate var smarthostRoute: Route? {
        guard mode == .smarthost, let smarthost, let host = smarthost.host else { return nil }
        var server = RelayHost(name: host, port: smarthost.port, security: .init(smarthostSecurity))
        if let username {
            let password = RelayPassword(self)
            server.credentials = {
                PasswordCredentials(authenticationIdentity: username, password: try await password.read())
            }
        }
        return .host(server)
    }
}
