import Foundation
package import Logging
import MailDNS
import MailDelivery
package import MailRelay
package import MailStore
import MailVocabulary
import SMTPSyntax
package import SessionRuntime

/// What mail needs that goes further: filters, the queue, and ways to other servers.
package struct Relaying: Sendable {
    /// How long attempts in progress may take to end when the server stops.
    private static let patience = Duration.seconds(8)

    let acceptance: Acceptance
    package let runner: QueueRunner
    private let agent: RelayAgent?
    private let client: ClientRuntime
    private let filter: MilterFilter?
    private let running: [Task<Void, Never>]

    /// Starts it. Blocks on reading files. Throws `OperatorError`.
    ///
    /// - Parameter client: for outgoing connections; `stop` ends it.
    package init(
        _ configuration: ServerConfiguration, hostname: String, store: any MailStore, client: ClientRuntime,
        logger: Logger
    ) throws(OperatorError) {
        filter = try Relaying.filter(configuration.filters, hostname, store, client, logger)
        acceptance = Acceptance(
            store: store, queue: store, filters: filter.map { [$0] } ?? [],
            settings: DeliverySettings(configuration), now: SystemClock.now)
        let ways = try OutgoingWays(configuration, hostname: hostname, store: store, client: client, logger: logger)
        self.agent = ways.agent
        self.client = client
        let agent = LocalFirstAgent(store: store, acceptance: acceptance, elsewhere: ways.agent)
        runner = QueueRunner(
            store: store, agent: agent, router: RecipientNoticeRouter(store: store, resolver: acceptance.resolver),
            policy: QueuePolicy(configuration), host: hostname,
            clock: SystemQueueClock { SystemClock.now().seconds }, logger: logger)
        var running = [Task { [runner] in await runner.run() }]
        if let services = ways.services {
            running.append(Relaying.keep(services, configuration, hostname, acceptance, logger))
        }
        self.running = running
    }

    /// Attempts in progress end; what has not ended then is tried again after the next start.
    package func stop() async {
        await runner.stop(within: Self.patience)
        for task in running { task.cancel() }
        for task in running { await task.value }
        await agent?.close()
        filter?.close()
        await client.shutdown()
    }

    /// Throws for an address that is none: a filter that was asked for is never left out.
    private static func filter(
        _ configuration: FilterConfiguration, _ hostname: String, _ store: any MailStore, _ client: ClientRuntime,
        _ logger: Logger
    ) throws(OperatorError) -> MilterFilter? {
        var filters: [MilterSettings] = []
        for text in configuration.milters {
            guard let address = MilterAddress(text) else {
                throw OperatorError(
                    .configuration, "filters.milters: “\(text)” is neither inet:port@address nor unix:/path")
            }
            filters.append(
                MilterSettings(
                    address, failure: configuration.failure == .reject ? .reject : .tempfail,
                    connectTimeout: configuration.timeout, commandTimeout: configuration.timeout))
        }
        guard !filters.isEmpty else { return nil }
        let server = MilterServer(hostname: hostname, version: Release.version) { mailbox in
            guard let address = mailbox.address, let domains = try? await store.domains() else { return nil }
            return domains.contains(address.domain) ? .local : .smtp
        }
        return MilterFilter(filters, server: server, connector: client) {
            logger.warning("filter", metadata: ["problem": "\($0)"])
        }
    }

    /// Keeps policies fresh, and reports on TLS, until it is cancelled.
    private static func keep(
        _ services: PolicyServices, _ configuration: ServerConfiguration, _ hostname: String, _ acceptance: Acceptance,
        _ logger: Logger
    ) -> Task<Void, Never> {
        Task {
            guard let domain = configuration.defaultDomain ?? Domain(hostname) else { return }
            let postmaster = Address(localPart: "postmaster", domain: domain)
            let contact = configuration.relay.tlsReportContact.flatMap { Address($0) } ?? postmaster
            await services.run(submitter: contact.domain, contact: contact) { report in
                do { try await acceptance.submit(OwnMessage(report)) } catch {
                    logger.warning("TLS report not sent", metadata: ["reason": "\(error)"])
                    throw error
                }
            }
        }
    }
}

extension OwnMessage {
    fileprivate init(_ report: TLSReportMail) {
        self.init(
            envelope: SMTPEnvelope(reversePath: .mailbox(SMTPMailbox(report.sender))),
            recipients: report.recipients.map { SMTPRecipient(mailbox: SMTPMailbox($0)) }, content: report.content)
    }
}

extension QueuePolicy {
    package init(_ configuration: ServerConfiguration) {
        self.init()
        let queue = configuration.queue
        expiry = queue.expiry.components.seconds
        delayNotice = queue.delayNotice.components.seconds
        tellsPostmaster = queue.tellsPostmaster
        concurrency = configuration.relay.maximumConnections
        perDestination = configuration.relay.maximumConnectionsPerDestination
        retryDelays = Self.delays(from: queue.firstRetry.components.seconds, to: queue.longestRetry.components.seconds)
    }

    /// Each twice the one before.
    static func delays(from first: Int64, to longest: Int64) -> [Int64] {
        var delays = [min(first, longest)]
        while let last = delays.last, last < longest { delays.append(min(last * 2, longest)) }
        return delays
    }
}
