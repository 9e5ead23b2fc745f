import MailDelivery
import MailStore
import MailVocabulary
import SMTPSyntax

struct FixtureError: Error {}

/// A store with `example.com` and its accounts ann, bob, cat and postmaster.
struct DeliveryFixture {
    static let names = ["ann", "bob", "cat", "postmaster"]
    static let now = Timestamp(seconds: 1_700_000_000)

    let store = InMemoryStore()

    init() async throws {
        guard let domain = Domain("example.com") else { throw FixtureError() }
        try await store.addDomain(domain)
        let verifier = SCRAMVerifier(salt: [], iterations: 1, storedKey: [], serverKey: [])
        let credentials = StoredCredentials(argon2id: "", scramSHA256: verifier)
        _ = try await store.addAccounts(Self.names.map { (Address(localPart: $0, domain: domain), credentials) })
    }

    func acceptance(
        filters: [any MessageFilter] = [], _ change: (inout DeliverySettings) -> Void = { _ in }
    ) -> Acceptance {
        var settings = DeliverySettings()
        change(&settings)
        return Acceptance(
            store: store, queue: settings.relaysElsewhere ? store : nil, filters: filters, settings: settings,
            now: { Self.now })
    }

    func account(_ name: String) async throws -> Account {
        guard let address = Address("\(name)@example.com"), let account = try await store.account(address) else {
            throw FixtureError()
        }
        return account
    }

    func alias(_ name: String, _ targets: String...) async throws {
        guard let name = AddressPattern(name) else { throw FixtureError() }
        try await store.setAlias(Alias(name: name, targets: targets.compactMap { Address($0) }))
    }

    static func path(_ text: String) throws -> ForwardPath {
        guard let address = Address(text) else { throw FixtureError() }
        return .mailbox(SMTPMailbox(address))
    }

    /// What the mailbox holds, in order.
    func bodies(_ name: String, _ mailbox: String = "INBOX") async throws -> [String] {
        guard let mailboxName = MailboxName(mailbox),
            let found = try await store.mailbox(mailboxName, of: account(name).id)
        else { throw FixtureError() }
        var ids: [BodyID] = []
        try await store.open(found.id).forEach { ids.append($1.body) }
        return try await store.read(ids).compactMap { $0.map { String(decoding: $0, as: UTF8.self) } }
    }

    func queued() async throws -> [QueuedMessageDetail] {
        try await store.queuedMessages(QueueFilter(), after: nil, limit: 100)
    }

    func message(
        _ text: String, _ acceptance: Acceptance, to recipients: [SMTPRecipient],
        from sender: String = "ann@example.com"
    ) async throws -> IncomingMessage {
        guard let sender = Address(sender) else { throw FixtureError() }
        let writer = store.bodyWriter()
        writer.write(Array(text.utf8).span)
        var accepted: [AcceptedRecipient] = []
        for recipient in recipients {
            guard case .accepted(let found) = await acceptance.resolver.resolve(.mailbox(recipient.mailbox)) else {
                throw FixtureError()
            }
            accepted.append(AcceptedRecipient(recipient, found))
        }
        return IncomingMessage(
            writer: writer, identifier: "ID-1", arrival: Self.now,
            envelope: SMTPEnvelope(reversePath: .mailbox(SMTPMailbox(sender))), recipients: accepted)
    }

    static func recipient(
        _ text: String, notifications: NotificationConditions? = nil, original: String? = nil
    ) throws -> SMTPRecipient {
        guard let address = Address(text) else { throw FixtureError() }
        return SMTPRecipient(mailbox: SMTPMailbox(address), original: original, notifications: notifications)
    }
}
