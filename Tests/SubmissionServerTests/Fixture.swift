import MailDelivery
import MailStore
import MailTestSupport
import MailVocabulary
import SASL
import SubmissionServer
import TLSPolicy
import WireFraming

typealias Driver = SessionDriver<SubmissionSession, SubmissionService>

/// One password for everyone in the store.
struct TestAuthenticator: PasswordDecision {
    static let password = "1234"

    let store: InMemoryStore
    /// Answers instead of the password's being looked at.
    var override: AuthenticationStep?

    func decide(_ credentials: PasswordCredentials) async -> AuthenticationStep {
        if let override { return override }
        let name = credentials.authenticationIdentity
        guard let address = Address(name) ?? Address("\(name)@example.com"),
            let account = try? await store.account(address.canonical)
        else { return .refused("unknown user") }
        guard credentials.authorizationIdentity.map({ $0 == name }) ?? true else {
            return .refused("may not act for another")
        }
        return credentials.password.revealed() == Self.password
            ? .admitted(account) : .refused("wrong password")
    }
}

struct FixtureError: Error {}

/// A store with the domain `example.com` and its accounts tim, ned, dan, kvc, jones, brown and postmaster; tim logs in.
struct Fixture {
    static let tls = TLSDescription(version: .tls13, cipherSuite: CipherSuite(0x1301), group: NamedGroup(0x001D))
    static let names = ["tim", "ned", "dan", "kvc", "jones", "brown", "postmaster"]
    /// base64 of NUL "tim" NUL "1234"
    static let plainResponse = "AHRpbQAxMjM0"

    let store = InMemoryStore()
    let settings: SubmissionSettings
    let acceptance: Acceptance
    let service: SubmissionService

    /// A message goes in as it came, so that a test sees what came.
    static let plain: DeliverySettings = {
        var settings = DeliverySettings()
        settings.repairs = []
        return settings
    }()

    /// Everything that is offered where mail goes elsewhere.
    static let relaying: DeliverySettings = {
        var settings = plain
        settings.relaysElsewhere = true
        return settings
    }()

    /// Beside the login's own address: those of the RFCs' examples.
    static let granted = ["@bar.com", "@thor.innosoft.com", "@dbc.mtview.ca.us", "грета@example.org"]

    init(
        settings: SubmissionSettings = SubmissionSettings(maximumMessageSize: 1_000_000),
        delivery: DeliverySettings = Fixture.plain, authentication: AuthenticationStep? = nil,
        filters: [any MessageFilter] = [], urls: (any AuthorisedURLs)? = nil
    ) async throws {
        self.settings = settings
        acceptance = Acceptance(
            store: store, queue: delivery.relaysElsewhere ? store : nil, filters: filters, settings: delivery,
            now: { Timestamp(seconds: 1_700_000_000) })
        service = SubmissionService(
            acceptance: acceptance, store: store,
            authenticator: TestAuthenticator(store: store, override: authentication), settings: settings, urls: urls)
        guard let domain = Domain("example.com") else { throw FixtureError() }
        try await store.addDomain(domain)
        let verifier = SCRAMVerifier(salt: [], iterations: 1, storedKey: [], serverKey: [])
        let credentials = StoredCredentials(argon2id: "", scramSHA256: verifier)
        let accounts = try await store.addAccounts(
            Self.names.map { (Address(localPart: $0, domain: domain), credentials) })
        for grant in Self.granted.compactMap({ AddressPattern($0) }) {
            try await store.grantSender(grant, to: accounts[0].id)
        }
    }

    /// A connection to the port of Implicit TLS.
    func secureConnection(_ tls: TLSDescription = Fixture.tls, peer: String = "192.0.2.1") -> Driver {
        Driver(
            service.session(SessionContext(hostname: "mail.example.com", peer: peer, tls: tls)), service: service)
    }

    /// A connection to the port where TLS is asked for by STARTTLS.
    func plainConnection(canStartTLS: Bool = true) -> Driver {
        Driver(
            service.session(
                SessionContext(hostname: "mail.example.com", peer: "192.0.2.1", canStartTLS: canStartTLS)),
            service: service)
    }

    /// A connection by a socket of LMTP; the fixture's settings must be of that role.
    func localConnection() -> Driver {
        Driver(service.session(SessionContext(hostname: "mail.example.com", peer: "unknown")), service: service)
    }

    /// Greeted, and logged in as tim; answers read.
    func loggedIn(_ tls: TLSDescription = Fixture.tls, peer: String = "192.0.2.1") async throws -> Driver {
        var driver = secureConnection(tls, peer: peer)
        _ = await driver.connect()
        let answer = await driver.send("EHLO client.example.net\r\nAUTH PLAIN \(Self.plainResponse)\r\n")
        guard answer.hasSuffix("235 2.7.0 Authentication successful\r\n") else { throw FixtureError() }
        return driver
    }

    /// The bodies in someone's INBOX, in order.
    func inbox(of name: String) async throws -> [[UInt8]] {
        guard let address = Address("\(name)@example.com"), let account = try await store.account(address),
            let mailbox = try await store.mailbox(.inbox, of: account.id)
        else { throw FixtureError() }
        var ids: [BodyID] = []
        try await store.open(mailbox.id).forEach { ids.append($1.body) }
        return try await store.read(ids).compactMap { $0 }
    }

    /// Messages in all INBOXes.
    func messageCount() async throws -> Int {
        var count = 0
        for name in Self.names { count += try await inbox(of: name).count }
        return count
    }
}

/// A stored message without the two fields of trace ahead: from the first line that follows a date line of theirs.
func withoutTrace(_ body: [UInt8]) -> [UInt8] {
    // Return-Path is one line; Received goes on while lines start with a tab.
    var lines = 0
    var index = 0
    while index < body.count {
        if lines >= 2, body[index] != 0x09 { break }
        while index < body.count, body[index] != 0x0A { index += 1 }
        index += 1
        lines += 1
    }
    return Array(body[min(index, body.count)...])
}
