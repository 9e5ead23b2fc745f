import MailStore
import MailTestSupport
import MailVocabulary
import POP3Server
import SASL
import TLSPolicy
import WireFraming

typealias Driver = SessionDriver<POP3Session, POP3Service>

/// One password for everyone in the store.
struct TestAuthenticator: Authenticator {
    static let password = "tanstaaf"

    let store: InMemoryStore
    /// Answers instead of the password's being looked at.
    var override: AuthenticationResult?

    func authenticate(_ credentials: PasswordCredentials) async -> AuthenticationResult {
        if let override { return override }
        guard
            let address = Address(credentials.authenticationIdentity)
                ?? Address("\(credentials.authenticationIdentity)@example.org"),
            let account = try? await store.account(address.canonical)
        else { return .failure(reason: "unknown user") }
        guard credentials.authorizationIdentity.map({ $0 == credentials.authenticationIdentity }) ?? true else {
            return .failure(reason: "may not act for another")
        }
        return credentials.password.revealed() == Self.password
            ? .success(account) : .failure(reason: "wrong password")
    }
}

/// A store with the accounts `mrose@example.org` and `test@example.org`, and a service on it.
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

    init(_ messages: [[UInt8]] = classic, authentication: AuthenticationResult? = nil) async throws {
        let address = Address("mrose@example.org")
        let other = Address("test@example.org")
        guard let domain = Domain("example.org"), let address, let other else { throw FixtureError() }
        try await store.addDomain(domain)
        let verifier = SCRAMVerifier(salt: [], iterations: 1, storedKey: [], serverKey: [])
        let credentials = StoredCredentials(argon2id: "", scramSHA256: verifier)
        account = try await store.addAccounts([(address, credentials), (other, credentials)])[0]
        guard let mailbox = try await store.mailbox(.inbox, of: account.id) else { throw FixtureError() }
        inbox = mailbox.id
        service = POP3Service(
            store: store, authenticator: TestAuthenticator(store: store, override: authentication),
            failureDelay: .zero)
        try await deliver(messages)
    }

    func deliver(_ messages: [[UInt8]]) async throws {
        var new: [NewMessage] = []
        for bytes in messages {
            let writer = store.bodyWriter()
            writer.write(bytes.span)
            new.append(
                NewMessage(
                    body: try await writer.finish(), internalDate: Timestamp(seconds: 1_700_000_000), summary: []))
        }
        _ = try await store.append([(inbox, new)])
    }

    /// A connection to the port of Implicit TLS.
    func secureConnection() -> Driver {
        Driver(POP3Session(SessionContext(hostname: "dewey.example.org", tls: Self.tls)), service: service)
    }

    /// A connection to the port where TLS is asked for by STLS.
    func plainConnection(canStartTLS: Bool = true) -> Driver {
        Driver(
            POP3Session(SessionContext(hostname: "dewey.example.org", canStartTLS: canStartTLS)), service: service)
    }

    /// Logged in; greeting and answers read.
    func loggedIn(utf8: Bool = false) async throws -> Driver {
        var driver = secureConnection()
        _ = await driver.connect()
        if utf8 { _ = await driver.send("UTF8\r\n") }
        let answer = await driver.send("USER mrose\r\nPASS \(TestAuthenticator.password)\r\n")
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
