import Foundation
import Logging
import MailDNS
import MailStore
import MailTestSupport
import MailVocabulary
import SMTPSyntax
import SessionRuntime
import Synchronization
import TLSPolicy
import WireFraming

@testable import MailRelay

/// Policies as a test says them.
final class ScriptedPolicies: TransportPolicies {
    private let plan: Mutex<DeliveryPlan>
    private let questions = Mutex<[(destination: String, demand: TLSDemand)]>([])

    init() { plan = Mutex(.deferred(PlanRefusal(status: "4.4.3", text: "not scripted"))) }

    var asked: [TLSDemand] { questions.withLock { $0.map(\.demand) } }
    var destinations: [String] { questions.withLock { $0.map(\.destination) } }
    func set(_ new: DeliveryPlan) { plan.withLock { $0 = new } }

    func plan(for destination: String, _ demand: TLSDemand) async -> DeliveryPlan {
        questions.withLock { $0.append((destination, demand)) }
        return plan.withLock { $0 }
    }
}

final class ResultList: TLSResultRecorder {
    private let results = Mutex<[TLSSessionResult]>([])
    var all: [TLSSessionResult] { results.withLock { $0 } }
    func record(_ result: TLSSessionResult) { results.withLock { $0.append(result) } }
}

/// A relay with a store and scripted peers on loopback.
struct RelayFixture {
    let store = InMemoryStore()
    let runtime = ClientRuntime(loops: 1)
    let resolver = ScriptedResolver()
    let policies = ScriptedPolicies()
    let results = ResultList()
    let certificate: CertificateFiles
    let peers: ServerRuntime
    static let now = Int64(Date().timeIntervalSince1970)

    init() async throws {
        certificate = try await CertificateFiles()
        peers = try ServerRuntime(
            loops: 1, hostname: "mx.test",
            tls: TLSContext(certificateFile: certificate.certificate, keyFile: certificate.key),
            limits: RuntimeLimits(), logger: Self.silent)
    }

    private static let silent: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    func stop() async {
        await peers.shutdown(grace: .seconds(2))
        await runtime.shutdown()
        certificate.remove()
    }

    /// A peer; the port it listens on, and what it hears.
    func peer(
        _ security: ListenerSecurity = .startTLS, _ change: (inout MailServerScript) -> Void = { _ in }
    ) async throws -> (port: Int, record: MailServerRecord) {
        var script = MailServerScript()
        script.features = ["PIPELINING", "8BITMIME", "STARTTLS", "SIZE 100000"]
        script.securedFeatures = ["PIPELINING", "8BITMIME", "SIZE 100000", "DSN", "AUTH PLAIN"]
        change(&script)
        let record = MailServerRecord()
        let port = try await peers.listen(
            on: ListenerAddress(host: "127.0.0.1", port: 0), security, ScriptedMailService(),
            makeSession: { [script] in ScriptedMailServer($0, script, record) })
        return (port, record)
    }

    func agent(
        _ route: Route = .exchangers, policies: (any TransportPolicies)? = nil, trustsAuthority: Bool = true,
        _ change: (inout RelaySettings) -> Void = { _ in }
    ) throws -> RelayAgent {
        var settings = RelaySettings(hostname: "relay.test", routes: RouteTable(otherwise: route))
        settings.idleTime = .seconds(30)
        settings.connectTime = .seconds(10)
        change(&settings)
        let verifier =
            trustsAuthority ? try PeerVerifier(trustRoots: TrustRoots(file: certificate.authority)) : PeerVerifier()
        return RelayAgent(
            settings, store: store, runtime: runtime, verifier: verifier, resolver: resolver,
            policies: policies ?? self.policies, recorder: results, logger: Self.silent,
            now: { Int64(Date().timeIntervalSince1970) })
    }

    /// Certificate usage DANE-EE(3), full certificate, exactly this one.
    func dane() throws -> ServerVerification {
        .dane(
            records: [TLSARecord(usage: 3, selector: 0, matching: 0, data: try certificate.encoded())],
            names: ["mx.test"])
    }

    func host(
        _ port: Int, _ requirement: TransportRequirement = .opportunistic, name: String = "mx.test"
    ) -> PlannedHost {
        PlannedHost(
            name: name, port: port, addresses: [[127, 0, 0, 1]], requirement: requirement, basis: .opportunistic,
            serverName: name, reportedPolicy: ReportedPolicy(.none, recipientDomain: "example.net"))
    }

    func message(
        _ text: String = "Subject: x\r\n\r\nhello\r\n", to recipients: [String] = ["bob@example.net"],
        _ change: (inout SMTPEnvelope) -> Void = { _ in }
    ) async throws -> OutgoingMessage {
        try await message(Array(text.utf8), to: recipients, change)
    }

    func message(
        _ octets: [UInt8], to recipients: [String] = ["bob@example.net"],
        _ change: (inout SMTPEnvelope) -> Void = { _ in }
    ) async throws -> OutgoingMessage {
        let writer = store.bodyWriter()
        writer.write(octets.span)
        let body = try await writer.finish()
        var envelope = SMTPEnvelope(reversePath: .mailbox(try Self.mailbox("ann@example.org")))
        change(&envelope)
        let named = try recipients.map { SMTPRecipient(mailbox: try Self.mailbox($0)) }
        let id = try await store.accept(
            [],
            queue: [
                NewQueuedMessage(
                    body: body, envelope: envelope, recipients: named, identifier: "m1", submitter: nil,
                    arrival: Timestamp(seconds: Self.now))
            ]
        ).queued[0]
        guard let stored = try await store.queuedMessage(id) else { throw FixtureError() }
        return OutgoingMessage(
            id: id, identifier: "m1", envelope: envelope, body: stored.message.body, size: octets.count,
            recipients: named, arrival: Self.now)
    }

    private static func mailbox(_ text: String) throws -> SMTPMailbox {
        guard let address = Address(text) else { throw FixtureError() }
        return SMTPMailbox(address)
    }
}

struct FixtureError: Error {}

/// A fixture, stopped whatever comes.
func withFixture(_ body: (RelayFixture) async throws -> Void) async throws {
    let fixture = try await RelayFixture()
    do { try await body(fixture) } catch {
        await fixture.stop()
        throw error
    }
    await fixture.stop()
}
