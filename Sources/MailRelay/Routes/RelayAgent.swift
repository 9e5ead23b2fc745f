package import Logging
import MailClient
package import MailDNS
package import MailStore
package import MailVocabulary
import SMTPSyntax
package import SessionRuntime
import TLSPolicy
import WireFraming

/// What a relay needs of the rest of the server.
package struct RelaySettings: Sendable {
    /// This server's own name: said in EHLO, and known again when a way leads back here.
    package var hostname: String
    package var routes: RouteTable
    /// Connections at a time, in all and to one host.
    package var maximumConnections = 100
    package var maximumConnectionsPerDestination = 4
    /// How long a connection is kept for further mail. Servers wait five minutes (RFC 5321 §4.5.3.2.7); few like it.
    package var idleTime = Duration.seconds(10)
    /// For a connection to come about; then the next address is tried.
    package var connectTime = Duration.seconds(30)
    /// This side's IP address; nil for the system's choice.
    package var sourceAddress: String?

    package init(hostname: String, routes: RouteTable) {
        self.hostname = hostname
        self.routes = routes
    }
}

/// Takes mail to its next hop by SMTP or LMTP: to mail exchangers, a smarthost, or servers of the operator's table.
package final class RelayAgent: DeliveryAgent {
    let settings: RelaySettings
    let store: any MailStore
    let runtime: ClientRuntime
    let verifier: PeerVerifier
    let resolver: any DNSResolver
    let policies: any TransportPolicies
    let recorder: (any TLSResultRecorder)?
    let logger: Logger
    let pool: ConnectionPool
    let contents = ContentCache()
    /// Recipients, by what became of them and the policy for TLS that held.
    package let deliveries = LabelledCounter(labels: ["result", "policy"])
    /// Seconds since 1970.
    let now: @Sendable () -> Int64

    package init(
        _ settings: RelaySettings, store: any MailStore, runtime: ClientRuntime, verifier: PeerVerifier,
        resolver: any DNSResolver, policies: any TransportPolicies, recorder: (any TLSResultRecorder)? = nil,
        logger: Logger, now: @escaping @Sendable () -> Int64
    ) {
        self.settings = settings
        self.store = store
        self.runtime = runtime
        self.verifier = verifier
        self.resolver = resolver
        self.policies = policies
        self.recorder = recorder
        self.logger = logger
        self.now = now
        pool = ConnectionPool(
            maximum: settings.maximumConnections, perHost: settings.maximumConnectionsPerDestination,
            idleTime: settings.idleTime)
    }

    package func deliver(_ message: OutgoingMessage, to destination: String) async -> [RecipientOutcome] {
        var delivery = Delivery(message, to: destination, by: self)
        await delivery.run()
        let policy = delivery.policy
        let outcomes = delivery.finished()
        for outcome in outcomes { deliveries.increment([outcome.result.word, policy]) }
        return outcomes
    }

    /// Ends idle connections. Deliveries end when their tasks are cancelled.
    package func close() async { await pool.close() }
}
