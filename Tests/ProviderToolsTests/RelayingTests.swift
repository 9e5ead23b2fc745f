import Foundation
import Logging
import MailDelivery
import MailRelay
import MailStore
import MailVocabulary
import SMTPSyntax
import SessionRuntime
import Testing

@testable import ProviderTools

@Suite("Relaying, put together")
struct RelayingTests {
    let store = InMemoryStore()
    let acceptance: Acceptance
    let user: Account

    init() async throws {
        var settings = DeliverySettings()
        settings.relaysElsewhere = true
        acceptance = Acceptance(store: store, queue: store, settings: settings) {
            Timestamp(seconds: 1_700_000_000, zoneMinutes: 0)
        }
        try await store.addDomain(#require(Domain("example.org")))
        let credentials = StoredCredentials(
            argon2id: "", scramSHA256: SCRAMVerifier(salt: [], iterations: 0, storedKey: [], serverKey: []))
        let address = try #require(Address("u@example.org"))
        user = try #require(try await store.addAccounts([(address, credentials)]).first)
    }

    private func mailbox(_ text: String) throws -> SMTPMailbox { SMTPMailbox(try #require(Address(text))) }

    /// A message in the queue, with these recipients.
    private func queued(_ recipients: [String]) async throws -> OutgoingMessage {
        let writer = store.bodyWriter()
        writer.write(Array("Subject: x\r\n\r\nText\r\n".utf8).span)
        let envelope = SMTPEnvelope(reversePath: .mailbox(try mailbox("s@example.com")))
        let to = try recipients.map { SMTPRecipient(mailbox: try mailbox($0)) }
        _ = try await store.accept(
            [],
            queue: [
                NewQueuedMessage(
                    body: try await writer.finish(), envelope: envelope, recipients: to, identifier: "X",
                    submitter: user.id, arrival: Timestamp(seconds: 1_700_000_000, zoneMinutes: 0))
            ])
        let due = try #require(
            try await store.dueDeliveries(
                DeliveryQuery(now: 1_800_000_000, limit: 1, perDestination: 1, inFlight: [:])
            ).first)
        return OutgoingMessage(
            id: due.message.id, identifier: "X", envelope: envelope, body: due.message.body, size: due.message.size,
            recipients: to, arrival: 1_700_000_000)
    }

    private struct Elsewhere: DeliveryAgent {
        func deliver(_ message: OutgoingMessage, to destination: String) async -> [RecipientOutcome] {
            message.recipients.map { _ in
                RecipientOutcome(.relayed(keepsPromises: true), status: "2.0.0", diagnostic: destination)
            }
        }
    }

    @Test("Queued mail for an account goes into its mailbox, once, with its Return-Path")
    func deliversHere() async throws {
        let message = try await queued(["u@example.org"])
        let agent = LocalFirstAgent(store: store, acceptance: acceptance, elsewhere: Elsewhere())
        let outcomes = await agent.deliver(message, to: "example.org")
        #expect(outcomes.map(\.result) == [.delivered])
        let inbox = try #require(try await store.mailbox(.inbox, of: user.id))
        #expect(inbox.messageCount == 1)
        let row = try #require(try await store.open(inbox.id).rows(NumberSet(1...1)).first)
        let text = String(decoding: try await store.read(row.body, 0..<1000), as: UTF8.self)
        #expect(text == "Return-Path: <s@example.com>\r\nSubject: x\r\n\r\nText\r\n")
    }

    @Test("An account that has gone fails for good")
    func accountGone() async throws {
        let message = try await queued(["gone@example.org"])
        let agent = LocalFirstAgent(store: store, acceptance: acceptance, elsewhere: nil)
        let outcome = try #require(await agent.deliver(message, to: "example.org").first)
        #expect(outcome.result == .failed && outcome.status == "5.1.1")
    }

    @Test("Without a way elsewhere mail fails rather than wait for nothing")
    func nowhere() async throws {
        let message = try await queued(["a@example.net"])
        let agent = LocalFirstAgent(store: store, acceptance: acceptance, elsewhere: nil)
        let outcome = try #require(await agent.deliver(message, to: "example.net").first)
        #expect(outcome.result == .failed && outcome.status == "5.7.1")
        let other = LocalFirstAgent(store: store, acceptance: acceptance, elsewhere: Elsewhere())
        #expect(await other.deliver(message, to: "example.net").map(\.diagnostic) == ["example.net"])
    }

    @Test("A notice goes to the account whose address it is, through the queue to others, and to nobody who is unknown")
    func notices() async throws {
        let router = RecipientNoticeRouter(store: store, resolver: acceptance.resolver)
        let inbox = try #require(try await store.mailbox(.inbox, of: user.id))
        #expect(try await router.route(mailbox("u@example.org")) == NoticeRoute(mailboxes: [inbox.id]))
        #expect(try await router.route(mailbox("u+list@example.org")) == NoticeRoute(mailboxes: [inbox.id]))
        #expect(try await router.route(mailbox("unknown@example.org")) == NoticeRoute())
        #expect(
            try await router.route(mailbox("a@example.net"))
                == NoticeRoute(recipients: [mailbox("a@example.net")]))
    }

    @Test("Attempts get rarer, up to the longest time between them")
    func delays() {
        #expect(QueuePolicy.delays(from: 60, to: 600) == [60, 120, 240, 480, 600])
        #expect(QueuePolicy.delays(from: 60, to: 60) == [60])
        #expect(QueuePolicy.delays(from: 600, to: 60) == [60])
    }

    private func read(_ relay: RelayConfiguration) async throws -> String {
        try await RelayPassword(relay).read().withBytes { octets in
            String(decoding: octets.indices.map { octets[$0] }, as: UTF8.self)
        }
    }

    @Test("The smarthost's password is the first line of a file, or of what a command prints")
    func password() async throws {
        let directory = try TemporaryDirectory()
        var relay = RelayConfiguration()
        relay.passwordFile = try directory.write("pass word\nsecond\n", to: "password")
        #expect(try await read(relay) == "pass word")
        relay.passwordFile = nil
        relay.passwordCommand = "printf 'from a command\\n'; echo hint >&2"
        #expect(try await read(relay) == "from a command")
        for command in ["false", "printf x; exit 3", "true", "echo"] {
            relay.passwordCommand = command
            await #expect(throws: RelayPassword.Failure.self) { try await RelayPassword(relay).read() }
        }
        relay.passwordCommand = nil
        relay.passwordFile = directory.path + "/missing"
        await #expect(throws: RelayPassword.Failure.self) { try await RelayPassword(relay).read() }
    }

    @Test("A filter whose address is none stops the start, rather than be left out")
    func filterThatIsNone() async throws {
        var configuration = ServerConfiguration()
        configuration.filters.milters = ["unix:/run/filter", "opendkim"]
        let client = ClientRuntime(loops: 1)
        #expect(throws: OperatorError.self) {
            _ = try Relaying(
                configuration, hostname: "mx.example.org", store: store, client: client, logger: Logger(label: "test"))
        }
        await client.shutdown()
        let problems = ConfigurationCheck(configuration).problems
        #expect(problems.contains("filters.milters: “opendkim” is neither inet:port@address nor unix:/path"))
    }
}
