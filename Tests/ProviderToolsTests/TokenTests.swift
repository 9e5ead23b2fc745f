import Authentication
import Foundation
import JWTKit
import MailVocabulary
import Synchronization
import Testing

@testable import ProviderTools

@Suite("Tokens of an issuer")
struct TokenTests {
    private static let now = 1_700_000_000.0
    private static let rules = TokenRules(issuer: "https://issuer.example", audience: "mail", scope: "imap")

    private func claims(_ changes: [String: TokenClaims.Value?] = [:]) -> TokenClaims {
        var values: [String: TokenClaims.Value] = [
            "iss": .text("https://issuer.example"), "aud": .texts(["web", "mail"]), "exp": .number(Self.now + 60),
            "scope": .text("email imap"), "email": .text("ada@example.org"),
        ]
        for (name, value) in changes { values[name] = value }
        return TokenClaims(values)
    }

    @Test("Issuer, audience, times, scope and address are each looked at")
    func rules() {
        func judge(_ changes: [String: TokenClaims.Value?]) -> TokenVerdict {
            Self.rules.judge(claims(changes), now: Self.now)
        }
        #expect(judge([:]) == .valid(login: "ada@example.org"))
        #expect(
            judge(["aud": .text("mail"), "scope": nil, "scp": .texts(["imap"])]) == .valid(login: "ada@example.org"))
        #expect(
            judge(["exp": .number(Self.now - 59), "nbf": .number(Self.now + 59)]) == .valid(login: "ada@example.org"))
        let refused: [[String: TokenClaims.Value?]] = [
            ["iss": nil], ["iss": .text("https://issuer.example/")], ["aud": nil], ["aud": .text("mai")], ["exp": nil],
            ["exp": .text("1800000000")], ["exp": .number(Self.now - 60)], ["exp": .number(.infinity)],
            ["nbf": .number(Self.now + 61)], ["nbf": .text("x")], ["email": nil],
            ["email": .texts(["ada@example.org"])],
            ["email_verified": .flag(false)],
        ]
        for changes in refused {
            guard case .invalid = judge(changes) else {
                Issue.record("\(changes) is let in")
                continue
            }
        }
        for changes in [["scope": .text("imaps")], ["scope": nil]] as [[String: TokenClaims.Value?]] {
            #expect(judge(changes) == .insufficientScope(reason: "token without the scope"))
        }
    }

    /// A key, and the set that it is in.
    private func issuer(_ identifier: String) -> (key: ES256PrivateKey, jwks: String) {
        let key = ES256PrivateKey()
        let point = key.publicKey.parameters
        let jwk =
            #"{"kty":"EC","crv":"P-256","kid":"\#(identifier)","use":"sig","x":"\#(point?.x ?? "")","y":"\#(point?.y ?? "")"}"#
        return (key, #"{"keys":[{"kty":"oct","k":"AA","kid":"x"},\#(jwk)]}"#)
    }

    private func signed(_ key: ES256PrivateKey, _ identifier: String, _ header: JWTHeader = [:]) async throws -> Secret
    {
        let keys = JWTKeyCollection()
        await keys.add(ecdsa: key, kid: JWKIdentifier(string: identifier))
        return Secret(try await keys.sign(claims(), kid: JWKIdentifier(string: identifier), header: header))
    }

    private func verifier(
        _ algorithms: Set<TokenAlgorithm>, _ keys: IssuerKeys
    ) -> SignedTokens {
        SignedTokens(Self.rules, algorithms: algorithms, keys: keys, configurationURL: nil, now: { Self.now })
    }

    @Test("A signature by the issuer's key is needed, by a permitted algorithm, with nothing critical")
    func signatures() async throws {
        let (key, jwks) = issuer("one")
        let keys = IssuerKeys(now: { 0 }) { Array(jwks.utf8) }
        let verifier = self.verifier(Set(TokenAlgorithm.allCases), keys)
        let good = try await signed(key, "one")
        #expect(await verifier.verify(good) == .valid(login: "ada@example.org"))
        let stranger = try await signed(issuer("one").key, "one")
        #expect(await verifier.verify(stranger) == .invalid(reason: "signature of no known key"))
        let critical = try await signed(key, "one", ["crit": .array([.string("x")])])
        #expect(await verifier.verify(critical) == .invalid(reason: "token with a critical extension"))
        let strict = self.verifier([.rs256], keys)
        #expect(await strict.verify(good) == .invalid(reason: "algorithm not permitted"))
        let parts = good.revealed().split(separator: ".")
        for algorithm in ["none", "None", "HS256", "RS256", "ES384", "EdDSA"] {
            let header = Data(#"{"alg":"\#(algorithm)","kid":"one"}"#.utf8).base64EncodedString()
                .replacing("=", with: "")
            for signature in [parts[2], ""] {
                let verdict = await verifier.verify(Secret("\(header).\(parts[1]).\(signature)"))
                guard case .invalid = verdict else {
                    Issue.record("\(algorithm) is let in")
                    continue
                }
            }
        }
        for text in [
            "", "a", "a.b", "a.b.c", "..", "a.b.c.d", good.revealed() + "x", String(good.revealed().dropLast(4)),
        ] {
            guard case .invalid = await verifier.verify(Secret(text)) else {
                Issue.record("\(text) is let in")
                continue
            }
        }
    }

    @Test(
        "A new key is found at once, but nobody makes us ask more often than every 30 seconds; old keys outlive a silent issuer"
    )
    func rotation() async throws {
        let (first, second) = (issuer("one"), issuer("two"))
        let time = Mutex(0.0)
        let answer = Mutex<String?>(first.jwks)
        let asked = Mutex(0)
        struct Silent: Error {}
        let keys = IssuerKeys(now: { time.withLock { $0 } }) {
            asked.withLock { $0 += 1 }
            guard let text = answer.withLock({ $0 }) else { throw Silent() }
            return Array(text.utf8)
        }
        let verifier = self.verifier(Set(TokenAlgorithm.allCases), keys)
        let (old, new) = (try await signed(first.key, "one"), try await signed(second.key, "two"))
        for _ in 0..<3 { #expect(await verifier.verify(old) == .valid(login: "ada@example.org")) }
        for _ in 0..<9 { #expect(await verifier.verify(new) == .invalid(reason: "signature of no known key")) }
        #expect(asked.withLock { $0 } == 1)
        answer.withLock { $0 = second.jwks }
        time.withLock { $0 = 31 }
        #expect(await verifier.verify(new) == .valid(login: "ada@example.org"))
        #expect(await verifier.verify(old) == .invalid(reason: "signature of no known key"))
        #expect(asked.withLock { $0 } == 2)
        answer.withLock { $0 = nil }
        time.withLock { $0 = 31 + IssuerKeys.lifetime }
        #expect(await verifier.verify(new) == .valid(login: "ada@example.org"))
        #expect(asked.withLock { $0 } == 3)
    }

    @Test("An issuer whose keys cannot be had is no refusal")
    func noKeys() async throws {
        let token = try await signed(issuer("one").key, "one")
        for text in ["", "{}", "[]", #"{"keys":1}"#] {
            guard
                case .unavailable = await verifier(
                    Set(TokenAlgorithm.allCases), IssuerKeys(now: { 0 }) { Array(text.utf8) }
                ).verify(token)
            else {
                Issue.record("\(text) is a key set")
                continue
            }
        }
    }

    @Test("Introspection (RFC 7662): what is not active lets nobody in, and what the issuer says is held to the rules")
    func introspection() async {
        let forms = Mutex<[String]>([])
        func verdict(_ answer: String, token: String = "a/b+c=") async -> TokenVerdict {
            let verifier = TokenIntrospection(
                Self.rules, client: "mail:1", secret: { Secret("s&t") }, configurationURL: nil, now: { Self.now }
            ) { form, authorization in
                forms.withLock { $0 += [form, authorization] }
                return Array(answer.utf8)
            }
            return await verifier.verify(Secret(token))
        }
        let good = #"{"active":true,"scope":"imap","email":"ada@example.org"}"#
        #expect(await verdict(good) == .valid(login: "ada@example.org"))
        let basic = Data("mail%3A1:s%26t".utf8).base64EncodedString()
        #expect(
            forms.withLock { $0 } == ["token=a%2Fb%2Bc%3D&token_type_hint=access_token", "Basic \(basic)"])
        #expect(await verdict(#"{"active":false}"#) == .invalid(reason: "token not active"))
        #expect(
            await verdict(#"{"active":"true","scope":"imap","email":"a@b"}"#) == .invalid(reason: "token not active"))
        #expect(await verdict(good.replacing("}", with: #","exp":1}"#)) == .invalid(reason: "token expired"))
        #expect(
            await verdict(good.replacing("}", with: #","aud":"x"}"#)) == .invalid(reason: "token for another audience"))
        guard case .unavailable = await verdict("<html>") else {
            Issue.record("HTML is an answer")
            return
        }
    }

    @Test("The issuer is asked by HTTPS, or on this machine")
    func urls() {
        for url in ["https://issuer.example/keys", "http://127.0.0.1:80/k", "http://localhost/k", "http://[::1]/k"] {
            #expect(IssuerRequest.isAcceptable(url), "\(url)")
        }
        for url in ["http://issuer.example/keys", "ftp://localhost/", "https://", "keys", "http://127.0.0.1.example/"] {
            #expect(!IssuerRequest.isAcceptable(url), "\(url)")
        }
    }
}
