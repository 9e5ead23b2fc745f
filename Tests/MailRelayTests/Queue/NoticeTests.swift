import MailDelivery
import MailStore
import MailTestSupport
import MailVocabulary
import SMTPSyntax
import Synchronization
import Testing

@testable import MailRelay

@Suite("Notices")
struct NoticeTests {
    private static let text = "Message-ID: <x@example.org>\r\nSubject: hello\r\n\r\nThe text.\r\n"

    private func queued(_ fixture: StoreFixture, _ change: (inout NewQueuedMessage) -> Void) async throws
        -> NewQueuedMessage
    {
        var message = try await fixture.queued(Self.text, to: "a@one.net")
        message.identifier = "Q1"
        change(&message)
        return message
    }

    /// The only notice in the sender's INBOX.
    private func notice(_ outcome: RecipientOutcome, _ change: (inout NewQueuedMessage) -> Void) async throws -> String
    {
        let run = try await RunnerFixture { message, _ in message.recipients.map { _ in outcome } }
        try await run.fixture.enqueue(queued(run.fixture, change))
        try await run.until("it is settled") { try await run.isEmpty }
        await run.stop()
        let notices = try await run.notices()
        #expect(notices.count <= 1)
        return notices.first ?? ""
    }

    @Test("the message is returned as the sender asked, and its header only when it requires TLS")
    func returns() async throws {
        let full = try await notice(.refused) { $0.envelope.identifier = "ID 1" }
        #expect(full.contains("Content-Type: message/rfc822\r\n") && full.contains("The text."))
        #expect(full.hasPrefix("Return-Path: <>\r\n"))
        #expect(full.contains("Original-Envelope-Id: ID 1\r\n"))
        #expect(full.contains("In-Reply-To: <x@example.org>\r\n"))
        let header = try await notice(.refused) { $0.envelope.returned = .headers }
        #expect(header.contains("text/rfc822-headers") && !header.contains("The text."))
        let protected = try await notice(.refused) {
            $0.envelope.requiresTLS = true
            $0.envelope.returned = .full
        }
        #expect(protected.contains("text/rfc822-headers") && !protected.contains("The text."))
    }

    @Test("of success: delivered, or relayed to a system that tells of nothing; of what is here at once")
    func successes() async throws {
        let asks: (inout NewQueuedMessage) -> Void = { $0.recipients[0].notifications = [.success] }
        #expect(try await notice(.relayedWithoutPromises, asks).contains("Action: relayed\r\nStatus: 2.0.0\r\n"))
        #expect(try await notice(.delivered, asks).contains("Action: delivered\r\nStatus: 2.1.5\r\n"))
        #expect(try await notice(.relayed, asks) == "")
        let here = try await notice(.relayed) {
            $0.delivered = [SMTPRecipient(mailbox: $0.recipients[0].mailbox, notifications: .success)]
            $0.recipients = []
        }
        #expect(here.contains("Action: delivered\r\n") && !here.contains("The text."))
    }

    @Test("for a sender elsewhere: no sender, no notice of a notice, TLS as the message required")
    func remote() async throws {
        let seen = Mutex<[OutgoingMessage]>([])
        let run = try await RunnerFixture { message, destination in
            if destination == "elsewhere.net" { seen.withLock { $0.append(message) } }
            return message.recipients.map { _ in .refused }
        }
        let sender = try StoreFixture.mailbox("far@elsewhere.net")
        try await run.fixture.enqueue(
            queued(run.fixture) {
                $0.envelope.reversePath = .mailbox(sender)
                $0.envelope.requiresTLS = true
                $0.envelope.priority = 2
            })
        try await run.until("all is settled") { try await run.isEmpty }
        await run.stop()
        let notice = try #require(seen.withLock { $0.first })
        #expect(seen.withLock { $0.count } == 1)
        #expect(notice.envelope.reversePath == .null)
        #expect(notice.envelope.requiresTLS && notice.envelope.priority == 2)
        #expect(notice.recipients == [SMTPRecipient(mailbox: sender, notifications: [])])
        #expect(try await run.notices() == [])
    }

    @Test("one that nobody can take is dropped: the sender is gone, or has no room")
    func undeliverable() async throws {
        let run = try await RunnerFixture { message, _ in message.recipients.map { _ in .refused } }
        let gone = try StoreFixture.mailbox("gone@example.org")
        try await run.fixture.store.setQuota(
            QuotaLimits(storage: .limited(10), messages: .standard), of: run.fixture.account.id)
        try await run.fixture.enqueue(
            queued(run.fixture) { _ in }, queued(run.fixture) { $0.envelope.reversePath = .mailbox(gone) })
        try await run.until("all is settled") { try await run.isEmpty }
        await run.stop()
        #expect(try await run.notices() == [])
        #expect(try await run.runner.snapshot().activity.failureNotices == 0)
    }

    @Test(
        "of what failed and has no sender, or one whose mailbox takes nothing, the postmaster is told (RFC 3461 §5.2)")
    func postmaster() async throws {
        var settings = DeliverySettings()
        settings.postmaster = Address("joe@example.org")
        let run = try await RunnerFixture(settings: settings) { message, _ in message.recipients.map { _ in .refused } }
        let gone = try StoreFixture.mailbox("gone@example.org")
        try await run.fixture.enqueue(
            queued(run.fixture) {
                $0.envelope.reversePath = .null
                $0.recipients[0].notifications = []
            },
            queued(run.fixture) { $0.envelope.reversePath = .mailbox(gone) },
            queued(run.fixture) {
                $0.envelope.reversePath = .mailbox(gone)
                $0.recipients[0].notifications = []
            })
        try await run.until("all is settled") { try await run.isEmpty }
        await run.stop()
        let notices = try await run.notices()
        #expect(notices.count == 2)
        for notice in notices {
            #expect(notice.hasPrefix("Return-Path: <>\r\n") && notice.contains("To: <postmaster@mail.example.org>\r\n"))
            #expect(notice.contains("its sender cannot be told\r\n") && notice.contains("Action: failed\r\n"))
            #expect(notice.contains("The text."))
        }
    }

    @Test("a postmaster elsewhere is told through the queue, and is not told that this failed")
    func postmasterElsewhere() async throws {
        let seen = Mutex<[OutgoingMessage]>([])
        var settings = DeliverySettings()
        settings.relaysElsewhere = true
        let run = try await RunnerFixture(settings: settings) { message, destination in
            if destination == "elsewhere.net" { seen.withLock { $0.append(message) } }
            return message.recipients.map { _ in .refused }
        }
        let far = try StoreFixture.mailbox("far@elsewhere.net")
        let name = AddressPattern.address(try #require(Address("postmaster@example.org")))
        try await run.fixture.store.setAlias(Alias(name: name, targets: [try #require(Address("far@elsewhere.net"))]))
        try await run.fixture.enqueue(queued(run.fixture) { $0.envelope.reversePath = .null })
        try await run.until("all is settled") { try await run.isEmpty }
        await run.stop()
        let notice = try #require(seen.withLock { $0.first })
        #expect(seen.withLock { $0.count } == 1)
        #expect(notice.envelope.reversePath == .null)
        #expect(notice.recipients == [SMTPRecipient(mailbox: far, notifications: [])])
        #expect(try await run.notices() == [])
    }

    @Test("goes where mail for the sender would: to an account, elsewhere, or nowhere")
    func routes() async throws {
        let fixture = try await StoreFixture(InMemoryStore())
        let store = fixture.store
        let router = RecipientNoticeRouter(
            store: store, resolver: RecipientResolver(store: store, settings: DeliverySettings()))
        let inbox = try await fixture.mailbox("INBOX").id
        let here = try await router.route(StoreFixture.mailbox("Joe@example.org"))
        #expect(here == NoticeRoute(mailboxes: [inbox]))
        let far = try StoreFixture.mailbox("far@elsewhere.net")
        #expect(try await router.route(far) == NoticeRoute(recipients: [far]))
        #expect(try await router.route(StoreFixture.mailbox("nobody@example.org")) == NoticeRoute())
    }
}
