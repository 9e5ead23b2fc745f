import Crypto
import MailStore
import MailVocabulary
import SASL
import Synchronization
import TLSPolicy
import Testing

@testable import Authentication

/// A client of SCRAM, by RFC 5802 §3 alone.
struct SCRAMTestClient {
    var hash = SCRAMHash.sha256
    var user = "ada"
    var password = "pass word"
    var header = "n,,"
    var binding: [UInt8] = []
    var nonce = "rOprNGfwEbeRWgbNEkqO"

    var bare: String { "n=\(user),r=\(nonce)" }
    var first: Secret { Secret(header + bare) }

    /// The final message, and the signature that the server must send.
    func final(_ server: [UInt8]) throws -> (message: Secret, signature: [UInt8]) {
        let text = String(decoding: server, as: UTF8.self)
        let parts = text.split(separator: ",").map { $0.dropFirst(2) }
        try #require(parts.count == 3 && parts[0].hasPrefix(nonce))
        let salt = try #require(decoded(parts[1]))
        let iterations = try #require(Int(parts[2]))
        let verifier = try SCRAMKeys.verifier(
            Array(password.utf8).span, salt: salt, iterations: iterations, hash)
        let salted = try hash.salted(Array(password.utf8).span, salt: salt, iterations: iterations)
        let input = String(decoding: Base64.encode(Array(header.utf8) + binding), as: UTF8.self)
        let withoutProof = "c=\(input),r=\(parts[0])"
        let message = Array("\(bare),\(text),\(withoutProof)".utf8)
        let key = hash.code(of: Array("Client Key".utf8), key: salted)
        let proof = zip(key, hash.code(of: message, key: verifier.storedKey)).map { $0 ^ $1 }
        let signature = hash.code(of: message, key: verifier.serverKey)
        return (Secret("\(withoutProof),p=\(String(decoding: Base64.encode(proof), as: UTF8.self))"), signature)
    }
}

private func decoded(_ base64: some StringProtocol) -> [UInt8]? { Base64.decode(Array(base64.utf8).span) }

@Suite("SCRAM")
struct SCRAMExchangeTests {
    let accounts = TestAccounts()
    let authenticator: ServerAuthenticator
    static let bindings = ChannelBindings(exporter: Array(1...32), serverEndPoint: Array(33...64))

    init() throws {
        try accounts.add("ada@example.org", "pass word")
        try accounts.add("bob@example.org", "pass word", isDisabled: true)
        authenticator = Self.authenticator(accounts)
    }

    static func authenticator(
        _ accounts: TestAccounts, mechanisms: [SASLMechanism] = SASLMechanism.allCases,
        key: Secret = Secret([UInt8](repeating: 7, count: 32))
    ) -> ServerAuthenticator {
        var settings = AuthenticationSettings(saltKey: key, hostname: "mail.example.org")
        settings.mechanisms = mechanisms
        return ServerAuthenticator(
            accounts: accounts, defaultDomain: Domain("example.org"), settings: settings, failureDelay: .zero)
    }

    private func context(_ bindings: ChannelBindings = bindings) -> AuthenticationContext {
        AuthenticationContext(
            service: "imap", peer: "192.0.2.1", tls: TLSDescription(version: .tls13, channelBindings: bindings))
    }

    /// A whole exchange: what it ended with.
    private func run(
        _ mechanism: SASLMechanism, _ client: SCRAMTestClient, _ context: AuthenticationContext? = nil,
        by authenticator: ServerAuthenticator? = nil
    ) async throws -> AuthenticationStep {
        let exchange = (authenticator ?? self.authenticator).exchange(mechanism, context ?? self.context())
        guard case .challenge(let empty) = await exchange.respond(nil), empty.isEmpty else { throw TestFailure() }
        let first = await exchange.respond(client.first)
        guard case .challenge(let server) = first else { return first }
        let (message, signature) = try client.final(server)
        let last = await exchange.respond(message)
        guard case .challenge(let final) = last else { return last }
        #expect(final == Array("v=".utf8) + Base64.encode(signature))
        return await exchange.respond(Secret([]))
    }

    private struct TestFailure: Error {}

    private func account(_ address: String) async throws -> Account {
        let address = try #require(Address(address))
        return try #require(try await accounts.account(address))
    }

    @Test("The exchange of RFC 5802 §5, octet for octet")
    func sha1Example() async throws {
        let salt = try #require(decoded("QSXCR+Q6sek8bf92"))
        try accounts.add("user@example.org", "pencil")
        let account = try await self.account("user@example.org")
        var stored = try #require(try await accounts.credentials(of: account.id))
        stored.scramSHA1 = try SCRAMKeys.verifier(Array("pencil".utf8).span, salt: salt, iterations: 4096, .sha1)
        try await accounts.setCredentials(stored, of: account.id)
        let exchange = SCRAMExchange(
            .scramSHA1, .sha1, authenticator, context(), nonce: Array("3rfcNHYJY1ZVvWVs7j".utf8))
        let first = await exchange.respond(Secret("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"))
        #expect(first.summary == "challenge: r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096")
        let final = await exchange.respond(
            Secret("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="))
        #expect(final.summary == "challenge: v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")
        #expect(await exchange.respond(Secret([])).summary == "success user@example.org")
    }

    @Test("The exchange of RFC 7677 §3, octet for octet")
    func sha256Example() async throws {
        let salt = try #require(decoded("W22ZaJ0SNY7soEsUEjb6gQ=="))
        let account = try await self.account("ada@example.org")
        var stored = try #require(try await accounts.credentials(of: account.id))
        stored.scramSHA256 = try SCRAMKeys.verifier(Array("pencil".utf8).span, salt: salt, iterations: 4096)
        try accounts.add("user@example.org", "x")
        let user = try await self.account("user@example.org")
        try await accounts.setCredentials(stored, of: user.id)
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        let exchange = SCRAMExchange(
            .scramSHA256, .sha256, authenticator, context(), nonce: Array("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".utf8))
        let first = await exchange.respond(Secret("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"))
        #expect(first.summary == "challenge: r=\(nonce),s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
        let final = await exchange.respond(
            Secret("c=biws,r=\(nonce),p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="))
        #expect(final.summary == "challenge: v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        #expect(await exchange.respond(Secret([])).summary == "success user@example.org")
    }

    @Test("Bound to the connection by either binding; another connection's octets do not do")
    func bindings() async throws {
        for (name, octets) in [("tls-exporter", Array(1...32)), ("tls-server-end-point", Array(33...64))]
            as [(String, [UInt8])]
        {
            let client = SCRAMTestClient(header: "p=\(name),,", binding: octets)
            #expect(try await run(.scramSHA256Plus, client).summary == "success ada@example.org")
            let relayed = SCRAMTestClient(header: "p=\(name),,", binding: octets.reversed())
            let step = try await run(.scramSHA256Plus, relayed)
            #expect(step.summary == "rejection: e=channel-bindings-dont-match: channel-bindings-dont-match")
        }
        let unknown = SCRAMTestClient(header: "p=tls-unique,,", binding: [1])
        let step = try await run(.scramSHA256Plus, unknown)
        #expect(step.summary.hasPrefix("rejection: e=unsupported-channel-binding-type"))
    }

    @Test("A client that was kept from seeing -PLUS is refused; one that has no binding is not")
    func downgrade() async throws {
        let robbed = SCRAMTestClient(header: "y,,")
        let step = try await run(.scramSHA256, robbed)
        #expect(step.summary.hasPrefix("rejection: e=server-does-support-channel-binding"))
        #expect(try await run(.scramSHA256, SCRAMTestClient()).summary == "success ada@example.org")
        let plain = context(ChannelBindings())
        #expect(try await run(.scramSHA256, robbed, plain).summary == "success ada@example.org")
        let bound = SCRAMTestClient(header: "p=tls-exporter,,", binding: Array(1...32))
        #expect(try await run(.scramSHA256, bound).summary.hasPrefix("rejection: e=channel-binding-not-supported"))
        #expect(try await run(.scramSHA256Plus, SCRAMTestClient()).summary.hasPrefix("rejection: e=other-error"))
    }

    @Test("Wrong password, no such user, disabled, no verifier: the same messages but for the salt [8314-4.1-5]")
    func unknownUsers() async throws {
        let bare = try #require(try await accounts.credentials(of: AccountID(1)))
        try accounts.add("eve@example.org", "pass word")
        try await accounts.setCredentials(
            StoredCredentials(argon2id: bare.argon2id, scramSHA256: .absent), of: AccountID(3))
        for (user, password) in [
            ("ada", "wrong"), ("nobody", "x"), ("bob", "pass word"), ("eve", "pass word"), ("a b", "x"),
        ] {
            let step = try await run(.scramSHA256, SCRAMTestClient(user: user, password: password))
            #expect(step.summary.hasPrefix("rejection: e=invalid-proof: "))
        }
    }

    @Test("A made-up salt is the same each time, after a restart too, however the name is written; and each name's own")
    func stableSalt() async throws {
        func start(_ user: String, _ authenticator: ServerAuthenticator) async -> String {
            let exchange = authenticator.exchange(.scramSHA256, context())
            guard case .challenge(let server) = await exchange.respond(Secret("n,,n=\(user),r=a")) else { return "" }
            return String(decoding: server, as: UTF8.self).split(separator: ",").dropFirst().joined(separator: ",")
        }
        let nobody = await start("nobody", authenticator)
        #expect(nobody.hasSuffix(",i=\(SCRAMKeys.iterations)"))
        #expect(nobody.count == (await start("ada", authenticator)).count)
        #expect(await start("Nobody@EXAMPLE.org", authenticator) == nobody)
        #expect(await start("nobody", Self.authenticator(accounts)) == nobody)
        #expect(await start("nobody2", authenticator) != nobody)
        #expect(await start("nobody", Self.authenticator(accounts, key: Secret([1]))) != nobody)
    }

    @Test("Another's authorization identity is refused, the own one is not")
    func identities() async throws {
        #expect(
            try await run(.scramSHA256, SCRAMTestClient(header: "n,a=ada@example.org,")).summary.hasPrefix("success"))
        let step = try await run(.scramSHA256, SCRAMTestClient(header: "n,a=bob,"))
        #expect(step.summary == "rejection: e=other-error: authorization identity of another")
    }

    @Test("A changed nonce, a proof of another length, a response behind the end")
    func tampering() async throws {
        let exchange = authenticator.exchange(.scramSHA256, context())
        _ = await exchange.respond(SCRAMTestClient().first)
        #expect(await exchange.respond(Secret("c=biws,r=abc,p=AAAA")).summary.hasPrefix("rejection: e=other-error"))
        #expect(await exchange.respond(Secret("x")).summary == "malformed: The exchange is over")
        let short = authenticator.exchange(.scramSHA256, context())
        guard case .challenge(let server) = await short.respond(SCRAMTestClient().first) else { throw TestFailure() }
        let nonce = String(decoding: server, as: UTF8.self).prefix { $0 != "," }
        #expect(await short.respond(Secret("c=biws,\(nonce),p=AAAA")).summary.hasPrefix("rejection: e=invalid-proof"))
        let garbage = authenticator.exchange(.scramSHA256, context())
        #expect(await garbage.respond(Secret("x")).summary.hasPrefix("rejection: e=invalid-encoding"))
    }

    @Test("A store that is down is not a wrong password")
    func unavailable() async throws {
        accounts.isDown.withLock { $0 = true }
        #expect(try await run(.scramSHA256, SCRAMTestClient()).summary.hasPrefix("unavailable"))
    }

    @Test("What is offered: in the configured order, where it can work [2595-9-7]")
    func offers() {
        let all = authenticator.mechanisms(for: context())
        #expect(all == [.scramSHA256Plus, .scramSHA1Plus, .scramSHA256, .scramSHA1, .cramMD5, .plain])
        #expect(authenticator.mechanisms(for: context(ChannelBindings())).contains(.scramSHA256Plus) == false)
        var submission = context()
        submission.service = "submission"
        #expect(authenticator.mechanisms(for: submission).last == .login)
        var cleartext = context()
        cleartext.tls = nil
        #expect(authenticator.mechanisms(for: cleartext).isEmpty)
        #expect(!authenticator.acceptsPasswordCommands(cleartext))
        var settings = AuthenticationSettings()
        settings.acceptsPasswords = false
        settings.serviceMechanisms = ["pop3": [.scramSHA256]]
        let strict = ServerAuthenticator(accounts: accounts, defaultDomain: nil, settings: settings)
        #expect(strict.mechanisms(for: context()) == [.scramSHA256Plus, .scramSHA256])
        #expect(!strict.acceptsPasswordCommands(context()))
        var pop3 = context()
        pop3.service = "pop3"
        #expect(strict.mechanisms(for: pop3) == [.scramSHA256])
    }

    @Test("A user's own restriction: other ways are refused like a wrong password")
    func userRestriction() async throws {
        var settings = AuthenticationSettings()
        let address = try #require(Address("ada@example.org"))
        settings.userMechanisms = [address: [.scramSHA256Plus]]
        let strict = ServerAuthenticator(
            accounts: accounts, defaultDomain: Domain("example.org"), settings: settings, failureDelay: .zero)
        let refused = "mechanism not permitted to this user"
        let credentials = PasswordCredentials(authenticationIdentity: "ada", password: Secret("pass word"))
        #expect(await strict.authenticate(credentials, from: "192.0.2.1").summary == "failure: \(refused)")
        let step = try await run(.scramSHA256, SCRAMTestClient(), by: strict)
        #expect(step.summary == "rejection: e=other-error: \(refused)")
        let bound = SCRAMTestClient(header: "p=tls-exporter,,", binding: Array(1...32))
        #expect(try await run(.scramSHA256Plus, bound, by: strict).summary == "success ada@example.org")
    }

    @Test("CRAM-MD5: RFC 2195 §2's digest, for users who have a secret set, and the same refusal for others")
    func cram() async throws {
        try accounts.add("tim@example.org", "tanstaaftanstaaf")
        let account = try await self.account("tim@example.org")
        let credentials = try PasswordHashing.computeCredentials(
            Secret("tanstaaftanstaaf"), cost: .test, further: .sharedSecret)
        let challenge = Array("<1896.697170952@postoffice.reston.mci.net>".utf8)
        let right = Secret("tim b913a602c7eda7a495b4e6e7334d3890")
        func answer(_ response: Secret) async -> String {
            let exchange = CRAMExchange(authenticator, context(), challenge: challenge)
            #expect(await exchange.respond(nil).summary == "challenge: \(String(decoding: challenge, as: UTF8.self))")
            return await exchange.respond(response).summary
        }
        #expect(await answer(right) == "failure: no shared secret")
        try await accounts.setCredentials(credentials, of: account.id)
        #expect(await answer(right) == "success tim@example.org")
        #expect(await answer(Secret("tim b913a602c7eda7a495b4e6e7334d3891")) == "failure: wrong password")
        #expect(await answer(Secret("nobody b913a602c7eda7a495b4e6e7334d3890")) == "failure: no such account")
        let first = CRAMExchange(authenticator, context())
        #expect(await first.respond(right).summary == "malformed: CRAM-MD5 has no initial response")
        #expect("\(credentials.sharedSecret as Any) \(credentials)".contains("tanstaaf") == false)
    }
}
