import Authentication
import Foundation
import MailStore
import MailTestSupport
import MailVocabulary
import SASL
import Testing

@Suite("Verifiers")
struct VerifierTests {
    /// Made by Debian's `argon2` program: `printf 'correct horse' | argon2 sixteenbytesalt -id -t 2 -k 19456 -p 1 -e`.
    static let reference =
        "$argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbmJ5dGVzYWx0$Gc6bMo8QnjUJBooceflfFhLl68W/1UCReDtWK9YjwH8"

    private func verify(_ password: String, _ phc: String) throws -> Bool {
        try Argon2Verifying().verify(Secret(password), against: #require(Argon2Verifier(phc)))
    }

    @Test func verifierOfTheReferenceProgramIsUnderstood() throws {
        #expect(try verify("correct horse", Self.reference))
        #expect(try !verify("correct horsf", Self.reference))
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/argon2")))
    func verifierEqualsTheReferenceProgram() throws {
        // The program takes its salt as an argument, so one without NUL, and the shell strips line feeds.
        var made = ""
        var salt: [UInt8] = [0]
        while salt.contains(0) || salt.last == 0x0A {
            made = try PasswordHashing.computeCredentials(Secret("Tr0ub4dor&3")).argon2id
            salt = try #require(decoded(made.split(separator: "$")[3] + "=="))
        }
        let computed = try argon2(password: "Tr0ub4dor&3", salt: salt)
        #expect(computed == made)
    }

    private func argon2(password: String, salt: [UInt8]) throws -> String {
        let process = ChildProcess()
        process.executableURL = URL(filePath: "/bin/sh")
        let octal = salt.map { "\\" + String($0, radix: 8) }.joined()
        process.arguments = [
            "-c", "printf %s \"$0\" | argon2 \"$(printf '\(octal)')\" -id -t 2 -k 19456 -p 1 -l 32 -e", password,
        ]
        let output = ProgramPipe()
        process.standardOutput = output
        try process.run()
        process.waitUntilExit()
        return String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test(arguments: [
        "", "$", "$argon2id", "$argon2i$v=19$m=64,t=1,p=1$c2l4dGVlbmJ5dGVzYWx0$c2l4dGVlbmJ5dGVzYWx0",
        "$argon2id$v=16$m=64,t=1,p=1$c2l4dGVlbmJ5dGVzYWx0$c2l4dGVlbmJ5dGVzYWx0YWI",
        "$argon2id$v=19$m=4294967295,t=1,p=1$c2l4dGVlbmJ5dGVzYWx0$c2l4dGVlbmJ5dGVzYWx0YWI",
        "$argon2id$v=19$m=262145,t=1,p=1$c2l4dGVlbmJ5dGVzYWx0$c2l4dGVlbmJ5dGVzYWx0YWI",
        "$argon2id$v=19$m=64,t=17,p=1$c2l4dGVlbmJ5dGVzYWx0$c2l4dGVlbmJ5dGVzYWx0YWI",
        "$argon2id$v=19$m=64,t=1,p=9$c2l4dGVlbmJ5dGVzYWx0$c2l4dGVlbmJ5dGVzYWx0YWI",
        "$argon2id$v=19$m=7,t=1,p=1$c2l4dGVlbmJ5dGVzYWx0$c2l4dGVlbmJ5dGVzYWx0YWI",
        "$argon2id$v=19$m=+64,t=1,p=1$c2l4dGVlbmJ5dGVzYWx0$c2l4dGVlbmJ5dGVzYWx0YWI",
        "$argon2id$v=19$m=64,t=1,p=1$c2l0$c2l4dGVlbmJ5dGVzYWx0YWI",
        "$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbmJ5dGVzYWx0$",
        "$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbmJ5dGVzYWx0$c2l4dGVlbmJ5dGVzYWx0YW!",
        "$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbmJ5dGVzYWx0$c2l4dGVlbmJ5dGVzYWx0YWI$",
    ])
    func otherVerifiersAreRefused(_ text: String) {
        #expect(Argon2Verifier(text) == nil)
    }

    @Test func mutatedVerifiersNeverCrash() {
        var generator = SplitMix(state: 7)
        for _ in 0..<20_000 {
            var bytes = Array(Self.reference.utf8)
            for _ in 0..<(1 + generator.next() % 3) {
                let index = Int(generator.next() % UInt64(bytes.count))
                bytes[index] = UInt8(truncatingIfNeeded: generator.next())
            }
            let text = String(decoding: bytes, as: UTF8.self)
            if let verifier = Argon2Verifier(text) { #expect(verifier.cost.memoryKiB <= 256 * 1024) }
        }
    }

    private func decoded(_ base64: some StringProtocol) -> [UInt8]? { Base64.decode(Array(base64.utf8).span) }

    @Test("SCRAM-SHA-256 keys prove the exchange of RFC 7677 §3")
    func scramKeys() throws {
        let salt = try #require(decoded("W22ZaJ0SNY7soEsUEjb6gQ=="))
        let verifier = try SCRAMKeys.verifier(Array("pencil".utf8).span, salt: salt, iterations: 4096)
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        let message =
            "n=user,r=rOprNGfwEbeRWgbNEkqO,r=\(nonce),s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=\(nonce)"
        #expect(
            Base64.encode(hmac(verifier.serverKey, message))
                == Array("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".utf8))
        let proof = try #require(decoded("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="))
        let clientKey = zip(proof, hmac(verifier.storedKey, message)).map { $0 ^ $1 }
        #expect(sha256(clientKey) == verifier.storedKey)
    }

    @Test(arguments: [
        ("I\u{AD}X", "IX"), ("user", "user"), ("USER", "USER"), ("\u{AA}", "a"), ("\u{2168}", "IX"),
    ])
    func saslprepExamples(input: String, output: String) {
        // RFC 4013 §3
        #expect(PasswordPreparation.prepare(Secret(input), for: .setting)?.revealed() == output)
    }

    @Test(arguments: ["\u{7}", "\u{627}1", "", "a\u{0}b", "\u{AD}", String(repeating: "a", count: 256), "\u{221}"])
    func saslprepRefuses(_ input: String) {
        #expect(PasswordPreparation.prepare(Secret(input), for: .setting) == nil)
    }

    @Test func notUTF8IsRefused() {
        #expect(PasswordPreparation.prepare(Secret([0x61, 0xC3]), for: .verifying) == nil)
        #expect(PasswordPreparation.prepare(Secret([0xFF, 0xFE, 0xED, 0xA0, 0x80]), for: .verifying) == nil)
    }

    @Test func randomOctetsNeverCrashPreparation() {
        var generator = SplitMix(state: 11)
        for _ in 0..<20_000 {
            let count = Int(generator.next() % 40)
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            if let prepared = PasswordPreparation.prepare(Secret(bytes), for: .verifying) {
                #expect(prepared.count > 0)
            }
        }
    }

    @Test func cacheIsBoundedAndExpires() async throws {
        let clock = TestClock()
        let accounts = TestAccounts()
        for name in 1...6 { try accounts.add("u\(name)@example.org", "p") }
        let verifying = CountingVerifying()
        let authenticator = ServerAuthenticator(
            accounts: accounts, defaultDomain: Domain("example.org"),
            cache: VerificationCache(capacity: 4, lifetime: .seconds(60), now: { clock.now }), verifying: verifying)
        func login(_ name: Int) async {
            _ = await authenticator.authenticate(
                PasswordCredentials(authenticationIdentity: "u\(name)", password: Secret("p")), from: "192.0.2.1")
        }
        for name in 1...6 { await login(name) }
        await login(6)
        #expect(verifying.count == 6)
        await login(1)
        #expect(verifying.count == 7, "the oldest was forgotten")
        clock.advance(by: .seconds(61))
        await login(6)
        #expect(verifying.count == 8, "expired")
    }

    @Test func cachedLoginIsCheap() async throws {
        let accounts = TestAccounts()
        try accounts.add("u@example.org", "p")
        let authenticator = ServerAuthenticator(accounts: accounts, defaultDomain: nil)
        let credentials = PasswordCredentials(authenticationIdentity: "u@example.org", password: Secret("p"))
        _ = await authenticator.authenticate(credentials, from: "192.0.2.1")
        var best = Duration.seconds(60)
        for _ in 0..<1000 {
            best = min(
                best,
                await ContinuousClock().measure {
                    _ = await authenticator.authenticate(credentials, from: "192.0.2.1")
                })
        }
        #expect(best < .microseconds(500))
    }
}
