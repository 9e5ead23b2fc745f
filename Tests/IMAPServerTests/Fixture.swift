import MailStore
import MailTestSupport
import MailVocabulary
import MessageFormat
import SASL
import Synchronization
import TLSPolicy
import Testing
import WireFraming

@testable import IMAPServer

/// Lets those it knows in with `secret`; `offline` cannot be looked up.
struct FixedAuthenticator: PasswordDecision {
    let accounts: [String: Account]

    func decide(_ credentials: PasswordCredentials) async -> AuthenticationStep {
        if credentials.authenticationIdentity == "offline" { return .unavailable(reason: "no answer") }
        guard let account = accounts[credentials.authenticationIdentity] else {
            return .refused("no such account")
        }
        let isRight = credentials.password.revealed() == "secret"
        let isOwn = credentials.authorizationIdentity.map { $0 == credentials.authenticationIdentity } ?? true
        return isRight && isOwn ? .admitted(account) : .refused("wrong password")
    }
}

typealias IMAPDriver = SessionDriver<IMAPSession, IMAPService>

/// A session with its driver, in a form that tests can hand around.
final class Client {
    var driver: IMAPDriver

    init(_ driver: consuming IMAPDriver) { self.driver = driver }

    func connect() async -> String { String(decoding: await driver.connect(), as: UTF8.self) }
    func send(_ text: String) async -> String { await driver.send(text) }
    /// Sends a command, and compares the answer.
    func expect(_ text: String, _ answer: String, sourceLocation: SourceLocation = #_sourceLocation) async {
        let actual = await driver.send(text)
        #expect(actual == answer, sourceLocation: sourceLocation)
    }

    /// Has what others did delivered, and compares what is told of it.
    func expectChanges(_ told: String, sourceLocation: SourceLocation = #_sourceLocation) async {
        let actual = await changes()
        #expect(actual == told, sourceLocation: sourceLocation)
    }

    func sendBytes(_ bytes: [UInt8]) async -> [UInt8] { await driver.send(bytes) }
    func changes() async -> String { String(decoding: await driver.deliverChanges(), as: UTF8.self) }
    var isClosed: Bool { driver.isClosed }
    var events: [SessionEvent] { driver.events }
    var awaitsHandshake: Bool { driver.awaitsHandshake }
    var isCompressed: Bool { driver.isCompressed }
    var isAuthenticated: Bool { driver.session.isAuthenticated }
    var patience: Duration { driver.session.patience }
    var pendingCount: Int { driver.pending.count }
    func handshake() async -> [UInt8] { await driver.handshake() }
}

/// A store with an account, and sessions on it.
struct Fixture {
    let store: InMemoryStore
    /// What sessions get.
    let served: TroubledStore
    /// Fred's.
    private(set) var account: Account
    /// Others of the domain, by local part; eve is of another.
    let others: [String: Account]
    private(set) var service: IMAPService
    static let now = Timestamp(seconds: 840_000_000, zoneMinutes: -420)

    /// - Parameter isForgetful: whether sessions never find an index at hand.
    init(isForgetful: Bool = false) async throws {
        store = InMemoryStore(now: { UInt32(Fixture.now.seconds) })
        let served = TroubledStore(store)
        served.condition.withLock { $0.forgets = isForgetful }
        self.served = served
        let domain = try #require(Domain("example.org"))
        try await store.addDomain(domain)
        let credentials = StoredCredentials(
            argon2id: "", scramSHA256: SCRAMVerifier(salt: [], iterations: 1, storedKey: [], serverKey: []))
        account = try await store.addAccounts([(Address(localPart: "fred", domain: domain), credentials)])[0]
        let names = ["ann", "bob", "chris", "david", "shared"]
        let colleagues = try await store.addAccounts(
            names.map { (Address(localPart: $0, domain: domain), credentials) })
        let elsewhere = try #require(Domain("example.net"))
        try await store.addDomain(elsewhere)
        let eve = try await store.addAccounts([(Address(localPart: "eve", domain: elsewhere), credentials)])[0]
        others = Dictionary(uniqueKeysWithValues: zip(names + ["eve"], colleagues + [eve]))
        let authenticator = FixedAuthenticator(
            accounts: others.merging(["fred": account, "mrc": account, "joe": account]) { $1 })
        service = IMAPService(store: served, authenticator: authenticator, now: { Fixture.now })
    }

    /// Another account of the domain, whose sessions are not of interest.
    func addAccount(_ name: String) async throws -> Account {
        let credentials = StoredCredentials(
            argon2id: "", scramSHA256: SCRAMVerifier(salt: [], iterations: 1, storedKey: [], serverKey: []))
        let address = Address(localPart: name, domain: account.address.domain)
        return try #require(try await store.addAccounts([(address, credentials)]).first)
    }

    /// The same with the account as it is now.
    func anew() async throws -> Fixture {
        var fixture = self
        fixture.account = try #require(try await store.account(account.address))
        let accounts = ["fred": fixture.account, "mrc": fixture.account, "joe": fixture.account]
        fixture.service = IMAPService(
            store: served, authenticator: FixedAuthenticator(accounts: accounts), now: { Fixture.now })
        return fixture
    }

    static let tls = TLSDescription(version: .tls13, cipherSuite: CipherSuite(0x1302))

    func client(
        tls: TLSDescription? = Fixture.tls, canStartTLS: Bool = true, settings: IMAPSettings = IMAPSettings(),
        intervals: ProgressIntervals? = nil
    ) -> Client {
        var service = service
        if let intervals { service.progressIntervals = intervals }
        let context = SessionContext(hostname: "mail.example.org", tls: tls, canStartTLS: canStartTLS)
        return Client(
            IMAPDriver(
                IMAPSession(
                    context: context, settings: settings, store: served, authenticator: service.authenticator),
                service: service))
    }

    /// A session that is logged in; with a mailbox, one that has it selected.
    /// - Parameter intervals: how often long searches tell of themselves, if not as they do.
    func session(
        _ mailbox: String? = nil, as user: String = "fred", settings: IMAPSettings = IMAPSettings(),
        intervals: ProgressIntervals? = nil
    ) async -> Client {
        let client = client(settings: settings, intervals: intervals)
        _ = await client.connect()
        _ = await client.send("l LOGIN \(user) secret\r\n")
        if let mailbox { _ = await client.send("s SELECT \"\(mailbox)\"\r\n") }
        return client
    }

    func mailbox(_ name: String, of owner: Account? = nil) async throws -> Mailbox {
        let (name, owner) = (try #require(MailboxName(name)), owner ?? account)
        if let found = try await store.mailbox(name, of: owner.id) { return found }
        return try await store.createMailbox(name, of: owner.id, specialUse: nil)
    }

    /// Gives rights on one of somebody's mailboxes, in the place of those given before; makes it when it is not there.
    @discardableResult
    func share(
        _ name: String, of owner: String, _ rights: String, with user: String? = "fred", isNegative: Bool = false
    ) async throws -> Mailbox {
        let mailbox = try await mailbox(name, of: others[owner])
        let account = user == "fred" ? account : user.flatMap { others[$0] }
        try await store.changeAccess(
            .replace(try #require(MailboxRights(rights))),
            of: AccessIdentifier(account?.id, isNegative: isNegative), on: mailbox.id)
        return mailbox
    }

    /// Adds messages, LF for line ends, as if they had been delivered.
    @discardableResult
    func deliver(
        _ messages: [String], to name: String = "INBOX", of owner: String? = nil, flags: [Flag] = [],
        date: Timestamp = Fixture.now
    ) async throws -> [UID] {
        let mailbox = try await mailbox(name, of: owner.flatMap { others[$0] })
        let new = messages.map { text in
            let bytes = Array(text.replacing("\n", with: "\r\n").utf8)
            let summary = MessageSummary(parsing: bytes.span)
            return NewMessage(
                body: InMemoryBody(bytes), flags: flags, internalDate: date,
                summary: summary.encoded(),
                threadKeys: summary.threadMessageIDs.map { ThreadKey(messageID: $0) })
        }
        return try await store.append([(mailbox.id, new)])[0].uids
    }

    static func simple(_ number: Int) -> String {
        """
        From: a\(number)@example.org
        To: fred@example.org
        Subject: message \(number)
        Date: Wed, 17 Jul 1996 02:23:25 -0700

        Hello number \(number)

        """
    }
}
