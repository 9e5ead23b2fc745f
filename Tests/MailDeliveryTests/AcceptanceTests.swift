import MailDelivery
import MailStore
import MailVocabulary
import SMTPSyntax
import Synchronization
import Testing

/// Does what it is told, and remembers that it was finished.
final class VerdictFilter: MessageFilter, FilterTransaction {
    let result: FilteredMessage
    let added: String
    let finished = Mutex(0)
    let seen = Mutex<[String]>([])

    init(_ result: FilteredMessage, adding added: String = "") {
        self.result = result
        self.added = added
    }

    func begin(_ client: FilteredClient) async -> any FilterTransaction { self }
    func sender(_ envelope: SMTPEnvelope) async -> FilterVerdict { .accept }
    func recipient(_ recipient: SMTPRecipient) async -> FilterVerdict { .accept }

    func message(
        _ body: any StagedBody, identifier: String, writer: @escaping @Sendable () -> any BodyWriter
    ) async -> FilteredMessage {
        var result = result
        try? body.withBytes { bytes in
            let text = String(decoding: (0..<bytes.count).map { bytes[$0] }, as: UTF8.self)
            seen.withLock { $0.append(text) }
            if !added.isEmpty { result.body = InMemoryBody(Array((added + text).utf8)) }
        }
        return result
    }

    func finish() async { finished.withLock { $0 += 1 } }
}

@Suite("Taking mail in")
struct AcceptanceTests {
    private static let text = "Received: from a by b; x\r\nFrom: ann@example.com\r\n\r\nbody\r\n"

    @Test("Mailboxes and the queue in one commit; Return-Path for the former only")
    func both() async throws {
        let fixture = try await DeliveryFixture()
        let acceptance = fixture.acceptance { $0.relaysElsewhere = true }
        let recipients = try ["bob@example.com", "x@else.example", "cat@example.com", "bob+y@example.com"].map {
            try DeliveryFixture.recipient($0)
        }
        let message = try await fixture.message(Self.text, acceptance, to: recipients)
        #expect(!acceptance.wantsReturnPath(message.envelope, message.recipients, submitter: nil, isHeld: false))
        #expect(await acceptance.accept(message) == .taken(failures: [:]))
        for name in ["bob", "cat"] {
            #expect(try await fixture.bodies(name) == ["Return-Path: <ann@example.com>\r\n" + Self.text])
        }
        let queued = try await fixture.queued()
        #expect(queued.count == 1)
    }

    @Test("Who asks to be told of success, and mail that is to wait, go by the queue, to accounts too")
    func byQueue() async throws {
        let fixture = try await DeliveryFixture()
        let acceptance = fixture.acceptance { $0.relaysElsewhere = true }
        let told = try DeliveryFixture.recipient("bob+x@example.com", notifications: .success)
        let other = try DeliveryFixture.recipient("cat@example.com")
        #expect(
            await acceptance.accept(try await fixture.message(Self.text, acceptance, to: [told, other]))
                == .taken(failures: [:]))
        #expect(try await fixture.bodies("bob").isEmpty)
        #expect(try await fixture.bodies("cat").count == 1)
        var later = try await fixture.message(Self.text, acceptance, to: [other])
        later.notBefore = DeliveryFixture.now.seconds + 3600
        #expect(await acceptance.accept(later) == .taken(failures: [:]))
        #expect(try await fixture.bodies("cat").count == 1)
        #expect(try await fixture.queued().count == 2)
    }

    @Test(
        "Of an alias of several addresses it is told once that it went on; one of one passes wishes on (RFC 3461 §5.2.7)"
    )
    func aliases() async throws {
        let fixture = try await DeliveryFixture()
        let acceptance = fixture.acceptance { $0.relaysElsewhere = true }
        try await fixture.alias("team@example.com", "bob@example.com", "cat@else.example")
        try await fixture.alias("one@example.com", "dog@else.example")
        let wishes: NotificationConditions = [.success, .failure]
        let names = ["team@example.com", "one@example.com"]
        let recipients = try names.map { try DeliveryFixture.recipient($0, notifications: wishes) }
        let message = try await fixture.message(Self.text, acceptance, to: recipients)
        #expect(await acceptance.accept(message) == .taken(failures: [:]))
        #expect(try await fixture.bodies("bob").count == 1)
        let queued = try #require(try await fixture.queued().first)
        #expect(try await fixture.queued().count == 1)
        let found = queued.recipients.map { "\($0.recipient.mailbox) \($0.state) \($0.recipient.original ?? "-")" }
        #expect(
            found == [
                "cat@else.example waiting rfc822;team@example.com", "dog@else.example waiting rfc822;one@example.com",
                "team@example.com owesExpansion -",
            ])
        #expect(queued.recipients.map(\.recipient.notifications) == [.failure, wishes, wishes])
    }

    @Test("Filters change the body, the envelope and the recipients, one after the other, and are told of the end")
    func filtered() async throws {
        let fixture = try await DeliveryFixture()
        var change = FilteredMessage(.accept)
        change.sender = try MailCommand(parsing: Array("FROM:<>".utf8).span)
        change.addedRecipients = [try DeliveryFixture.recipient("cat@example.com")]
        change.removedRecipients = [try DeliveryFixture.recipient("BOB@example.com").mailbox]
        let first = VerdictFilter(FilteredMessage(.accept), adding: "X-Spam-Flag: YES\r\n")
        let second = VerdictFilter(change, adding: "X-Two: 2\r\n")
        let acceptance = fixture.acceptance(filters: [first, second])
        let client = FilteredClient(name: "x", peer: "192.0.2.1", hostname: "mail.example.com")
        do {
            var message = try await fixture.message(
                Self.text, acceptance, to: [try DeliveryFixture.recipient("bob@example.com")])
            message.filters = await acceptance.beginFilters(client)
            #expect(await acceptance.accept(message) == .taken(failures: [:]))
        }
        #expect(try await fixture.bodies("bob").isEmpty)
        #expect(try await fixture.bodies("cat").isEmpty)
        #expect(
            try await fixture.bodies("cat", "Junk")
                == ["Return-Path: <>\r\nX-Two: 2\r\nX-Spam-Flag: YES\r\n" + Self.text])
        #expect(second.seen.withLock { $0 } == ["X-Spam-Flag: YES\r\n" + Self.text])
        for filter in [first, second] {
            while filter.finished.withLock({ $0 }) == 0 { await Task.yield() }
            #expect(filter.finished.withLock { $0 } == 1)
        }
    }

    @Test("Parameters that a filter gives with another sender are the message's; what it does not give stays")
    func filteredParameters() async throws {
        let fixture = try await DeliveryFixture()
        var change = FilteredMessage(.accept)
        let words = "FROM:<new@example.com> RET=HDRS MT-PRIORITY=-2 BY=600;N HOLDFOR=60 BODY=BINARYMIME"
        change.sender = try MailCommand(parsing: Array(words.utf8).span, .all)
        let acceptance = fixture.acceptance(filters: [VerdictFilter(change)]) { $0.relaysElsewhere = true }
        var message = try await fixture.message(
            Self.text, acceptance, to: [try DeliveryFixture.recipient("bob@elsewhere.example")])
        message.envelope.requiresTLS = true
        message.envelope.identifier = "own"
        message.filters = await acceptance.beginFilters(FilteredClient(name: "x", peer: "", hostname: "mail"))
        #expect(await acceptance.accept(message) == .taken(failures: [:]))
        let queued = try #require(try await fixture.queued().first)
        let envelope = queued.message.envelope
        #expect(envelope.reversePath.text == "<new@example.com>")
        #expect(envelope.returned == .headers && envelope.priority == -2 && envelope.identifier == "own")
        #expect(envelope.requiresTLS && envelope.body != .binaryMIME)
        #expect(envelope.deadline == DeliveryDeadline(time: DeliveryFixture.now.seconds + 600, mode: .notified))
        #expect(queued.deliveries.map(\.due) == [DeliveryFixture.now.seconds + 60])
    }

    @Test("What a filter refuses or drops is nowhere; what it holds is in the queue")
    func verdicts() async throws {
        let fixture = try await DeliveryFixture()
        let reply = SMTPReply(550, .init(7, 1), "no")
        var held = FilteredMessage(.accept)
        held.quarantine = "virus"
        for (result, expected) in [
            (FilteredMessage(.refuse(reply)), AcceptanceResult.refused(reply)),
            (FilteredMessage(.discard), .discarded), (held, .taken(failures: [:])),
        ] {
            let acceptance = fixture.acceptance(filters: [VerdictFilter(result)]) { $0.relaysElsewhere = true }
            var message = try await fixture.message(
                Self.text, acceptance, to: [try DeliveryFixture.recipient("bob@example.com")])
            message.filters = await acceptance.beginFilters(
                FilteredClient(name: "x", peer: "", hostname: "mail.example.com"))
            #expect(await acceptance.accept(message) == expected)
        }
        #expect(try await fixture.bodies("bob").isEmpty)
        #expect(try await fixture.queued().count == 1)
    }

    @Test("The server's own mail goes through the filters, too")
    func own() async throws {
        let fixture = try await DeliveryFixture()
        let filter = VerdictFilter(FilteredMessage(.accept), adding: "DKIM-Signature: x\r\n")
        let acceptance = fixture.acceptance(filters: [filter]) { $0.relaysElsewhere = true }
        let recipients = try ["bob@example.com", "gone@example.com", "x@else.example"].map {
            try DeliveryFixture.recipient($0, notifications: [])
        }
        try await acceptance.submit(
            OwnMessage(
                envelope: SMTPEnvelope(reversePath: .null), recipients: recipients, content: Array(Self.text.utf8)))
        #expect(try await fixture.bodies("bob") == ["Return-Path: <>\r\nDKIM-Signature: x\r\n" + Self.text])
        #expect(try await fixture.queued().count == 1)
    }

    @Test("Queued mail for accounts here: delivered, gone, full")
    func localRoute() async throws {
        let fixture = try await DeliveryFixture()
        let acceptance = fixture.acceptance { $0.relaysElsewhere = true }
        let cat = try await fixture.account("cat")
        // The body must be somewhere: in another's mailbox.
        let seed = try await fixture.message(
            Self.text, acceptance, to: [try DeliveryFixture.recipient("ann@example.com")])
        _ = await acceptance.accept(seed)
        let ann = try await fixture.account("ann")
        let inbox = try #require(try await fixture.store.mailbox(.inbox, of: ann.id))
        let row = try await fixture.store.open(inbox.id)[0]
        try await fixture.store.setQuota(QuotaLimits(storage: .limited(10)), of: cat.id)
        let sender = try #require(Address("s@else.example"))
        let results = await acceptance.deliver(
            queued: row.body, size: Int(row.size), envelope: SMTPEnvelope(reversePath: .mailbox(SMTPMailbox(sender))),
            to: try ["bob@example.com", "gone@example.com", "cat@example.com"].map {
                try DeliveryFixture.recipient($0)
            })
        #expect(
            results == [
                .delivered, .failed(status: "5.1.1", text: "No such user here"),
                .deferred(status: "4.2.2", text: "The recipient's mailbox is full"),
            ])
        #expect(try await fixture.bodies("bob").first?.hasPrefix("Return-Path: <s@else.example>\r\n") == true)
    }
}
