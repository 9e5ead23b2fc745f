import Foundation
package import MailDNS
package import MailVocabulary

/// All that mail to the Internet needs to know of domains, put together: the resolver, policies, and what is counted for
/// reports. One for a server.
package struct PolicyServices: Sendable {
    package struct Options: Sendable {
        /// This server's names, lower case; mail whose exchanger it is would come back.
        package var ownNames: Set<String>
        /// Policies and results are kept here over a restart; made when missing. Nil: nowhere.
        package var directory: String?
        package var resolver = ResolverOptions()
        /// PEM; nil for the system's authorities.
        package var trustRootsFile: String?
        /// Of mail exchangers. Other than 25 is for tests: exchangers may be on this machine then.
        package var port = 25
        /// Of policy files; other than 443 for tests.
        package var policyPort = 443
        /// Whether results are counted, for reports.
        package var countsResults = false

        package init(ownNames: Set<String>) { self.ownNames = ownNames }
    }

    package let resolver: UnboundResolver
    package let policies: PublicTransportPolicies
    /// For whoever connects to exchangers; nil when nothing is counted.
    package let recorder: (any TLSResultRecorder)?

    private let sts: STSPolicies
    private let ledger: TLSLedger?
    private let trustRootsFile: String?

    /// Blocks on reading what was kept, and trust anchors; throws when the resolver cannot be had as it should be.
    package init(_ options: Options) throws(ResolverOptionsError) {
        let resolver = try UnboundResolver(options.resolver)
        let isTest = options.port != 25
        let ledger = options.countsResults ? TLSLedger(directory: options.directory, now: Self.now) : nil
        let fetcher = HTTPSPolicyFetcher(
            resolver: resolver, trustRootsFile: options.trustRootsFile, port: options.policyPort, allowsLoopback: isTest
        )
        let sts = STSPolicies(
            resolver: resolver, fetcher: fetcher, directory: options.directory.map { $0 + "/mta-sts" },
            recorder: ledger,
            now: Self.now)
        policies = PublicTransportPolicies(
            resolver: resolver, sts: sts, recorder: ledger, ownNames: options.ownNames, port: options.port,
            allowsLoopback: isTest)
        (self.resolver, self.sts, self.ledger, recorder) = (resolver, sts, ledger, ledger)
        trustRootsFile = options.trustRootsFile
    }

    @Sendable private static func now() -> Int64 { Int64(Date().timeIntervalSince1970) }

    /// Until it is cancelled: keeps policies fresh, and sends reports when results are counted.
    ///
    /// - Parameters:
    ///   - submitter: the domain that reports.
    ///   - contact: the address that reports name and come from.
    ///   - submit: takes a report in as mail from the server itself, through the filters that other mail goes through, with
    ///     the contact as reverse-path; throws when it cannot now.
    package func run(
        submitter: Domain, contact: Address, submit: @escaping @Sendable (TLSReportMail) async throws -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await sts.run() }
            if let ledger {
                let reporter = TLSReporter(
                    ledger: ledger, resolver: resolver, submitter: submitter.name, contact: contact,
                    trustRootsFile: trustRootsFile, now: Self.now, submit: submit)
                group.addTask { await reporter.run() }
            }
        }
    }
}
