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
    private let filter: MilterFilter?
    private let reporter: TLSReporter?
    private let running: [Task<Void, Never>]

    /// Starts it. Blocks on reading files. Throws `OperatorError`.
    ///
    /// - Parameter client: for outgoing connections; it must outlive this.
    package init(
        _ configuration: ServerConfiguration, hostname: String, store: any MailStore, client: ClientRuntime,
        logger: Logger
    ) throws(OperatorError) {
        filter = Relaying.filter(configuration.filters, hostname, client, logger)
        acceptance = Acceptance(
            store: store, queue: store, filters: filter.map { [$0] } ?? [],
            settings: DeliverySettings(configuration), now: SystemClock.now)
        let ways = try OutgoingWays(configuration, hostname: hostname, store: store, client: client, logger: logger)
        let agent = LocalFirstAgent(store: store, acceptance: acceptance, elsewhere: ways.agent)
        runner = QueueRunner(
            store: store, agent: agent, router: ResolvingNoticeRouter(store: store, resolver: acceptance.resolver),
            policy: QueuePolicy(configuration), host: hostname,
            clock: SystemQueueClock { SystemClock.now().seconds }, logger: logger)
        reporter = Relaying.reporter(configuration, hostname, ways, acceptance)
        running = [
            Task { [runner] in await runner.run() },
            Task { [reporter, ledger = ways.ledger] in await Relaying.keep(ledger, reporter) },
        ]
    }

    /// Attempts in progress end; what has not ended then is tried again after the next start.
    package func stop() async {
        await runner.stop(within: Self.patience)
        for task in running { task.cancel() }
        for task in running { await task.value }
        filter?.close()
    }

    private static func filter(
        _ configuration: FilterConfiguration, _ hostname: String, _ client: ClientRuntime, _ logger: Logger
    ) -> MilterFilter? {
        let filters = configuration.milters.compactMap(MilterAddress.init).map { address in
            MilterSettings(
                address, failure: configuration.failure == .reject ? .reject : .tempfail,
                connectTimeout: configuration.timeout, commandTimeout: configuration.timeout)
        }
        guard !filters.isEmpty else { return nil }
        return MilterFilter(
            filters, server: MilterServer(hostname: hostname, version: Release.version), connector: client
        ) {
            logger.warning("filter", metadata: ["problem": "\($0)"])
        }
    }

    /// Nil when no reports are to be sent, or nobody could be named in them.
    private static func reporter(
        _ configuration: ServerConfiguration, _ hostname: String, _ ways: OutgoingWays, _ acceptance: Acceptance
    ) -> TLSReporter? {
        let postmaster = configuration.defaultDomain.map { Address(localPart: "postmaster", domain: $0) }
        guard configuration.relay.reportsTLS, let resolver = ways.resolver,
            let contact = configuration.relay.tlsReportContact.flatMap({ Address($0) }) ?? postmaster
        else { return nil }
        return TLSReporter(
            ledger: ways.ledger, resolver: resolver, submitter: contact.domain.name, contact: contact,
            trustRootsFile: configuration.trustRootsFile, now: { SystemClock.now().seconds }
        ) { mail in
            try await acceptance.submit(
                OwnMessage(
                    envelope: SMTPEnvelope(reversePath: .mailbox(SMTPMailbox(mail.sender))),
                    recipients: mail.recipients.map { SMTPRecipient(mailbox: SMTPMailbox($0)) },
                    content: mail.content))
        }
    }

    /// Until it is cancelled: what is known of TLS sessions is saved, and reported where it is to be.
    private static func keep(_ ledger: TLSLedger, _ reporter: TLSReporter?) async {
        if let reporter { return await reporter.run() }
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(60))
            ledger.save()
        }
    }
}

extension QueuePolicy {
    package init(_ configuration: ServerConfiguration) {
        self.init()
        let queue = configuration.queue
        expiry = queue.expiry.components.seconds
        delayNotice = queue.delayNotice.components.seconds
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
