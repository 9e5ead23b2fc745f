import MailStore
import MailTestSupport
import MailVocabulary
import POP3Server
import SASL
import Synchronization
import TLSPolicy
import WireFraming

typealias Driver = SessionDriver<POP3Session, POP3Service>

/// The names and passwords of the RFCs' examples.
struct TestAuthenticator: PasswordDecision {
    static let passwords = ["mrose": "tanstaaf", "karen": "password", "test": "test"]

    let store: InMemoryStore

    func decide(_ credentials: PasswordCredentials) async -> AuthenticationStep {
        let name = credentials.authenticationIdentity
        guard let password = Self.passwords[name] else { return .refused("unknown user") }
        guard credentials.password.revealed() == password else { return .refused("wrong password") }
        guard credentials.authorizationIdentity.map({ $0 == name }) ?? true else {
            return .refused("may not act for another")
        }
        guard let address = Address("\(name)@example.org"), let account = try? await store.account(address) else {
            return .unavailable(reason: "no store")
        }
        return .admitted(account)
    }
}

/// Gives one answer to everyone and remembers what it was asked.
final class FixedAuthenticator: PasswordDecision {
    let answer: AuthenticationStep
    private let asked = Mutex<[PasswordCredentials]>([])

    init(_ answer: AuthenticationStep) { self.answer = answer }

    var credentials: [PasswordCredentials] { asked.withLock { $0 } }

    func decide(_ credentials: PasswordCredentials) async -> AuthenticationStep {
        asked.withLock { $0.append(credentials) }
        return answer
    }
}

/// A store with an account for each name above, the same messages in each INBOX, and a service on it.
struct Fixture {
    /// 120 and 200 octets, as in RFC 1939 §10.
    static let classic = [
        message(of: 120, subject: "one"),
        message(of: 200, subject: "two"),
    ]
    static let tls = TLSDescription(version: .tls13, cipherSuite: CipherSuite(0x1302), group: NamedGroup(0x001D))

    let store = InMemoryStore()
    let account: Account
    let inbox: MailboxID
    let service: POP3Service

    init(_ messages: [[UInt8]] = classic, authenticator: (any Authenticator)? = nil) async throws {
        guard let domain = Domain("example.org") else { throw FixtureError() }
        try await store.addDomain(domain)
        let verifier = SCRAMVerifier(salt: [], iterations: 1, storedKey: [], serverKey: [])
        let credentials = StoredCredentials(argon2id: "", scramSHA256: verifier)
        let addresses = ["mrose", "karen", "test"].map { Address(localPart: $0, domain: domain) }
        let accounts = try await store.addAccounts(addresses.map { ($0, credentials) })
        var inboxes: [MailboxID] = []
        for account in accounts {
            guard let mailbox = try await store.mailbox(.inbox, of: account.id) else { throw FixtureError() }
            inboxes.append(mailbox.id)
        }
        (account, inbox) = (accounts[0], inboxes[0])
        service = POP3Service(store: store, authenticator: authenticator ?? TestAuthenticator(store: store))
        for inbox in inboxes { try await deliver(messages, to: inbox) }
    }

    func deliver(_ messages: [[UInt8]], to inbox: MailboxID) async throws {
        let new = messages.map {
            NewMessage(body: InMemoryBody($0), internalDate: Timestamp(seconds: 1_700_000_000), summary: [])
        }
        _ = try await store.append([(inbox, new)])
    }

    /// A connection to the port of Implicit TLS.
    func secureConnection() -> Driver {
        Driver(
            POP3Session(
                SessionContext(hostname: "dewey.example.org", tls: Self.tls), authenticator: service.authenticator),
            service: service)
    }

    /// A connection to the port where TLS is asked for by STLS.
    func plainConnection(canStartTLS: Bool = true) -> Driver {
        Driver(
            POP3Session(
                SessionContext(hostname: "dewey.example.org", canStartTLS: canStartTLS),
                authenticator: service.authenticator), service: service)
    }

    /// Logged in; greeting and answers read.
    func loggedIn(utf8: Bool = false) async throws -> Driver {
        var driver = secureConnection()
        _ = await driver.connect()
        if utf8 { _ = await driver.send("UTF8\r\n") }
        let answer = await driver.send("USER mrose\r\nPASS tanstaaf\r\n")
        guard answer.contains("+OK maildrop") else { throw FixtureError() }
        return driver
    }

    /// UIDs in the store now.
    func uids() async throws -> [UInt32] { Array(try await store.open(inbox).allUIDs) }

    static func message(of length: Int, subject: String) -> [UInt8] {
        let head = Array("Subject: \(subject)\r\n\r\n".utf8)
        let body = (0..<max(0, length - head.count - 2)).map { $0 % 70 == 69 ? UInt8(ascii: " ") : UInt8(ascii: "x") }
        return head + body + [0x0D, 0x0A]
    }
}

struct FixtureError: Error {}
