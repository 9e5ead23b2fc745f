import MailStore
import MailVocabulary
import SASL
import TLSPolicy
import Testing

@testable import Authentication

/// Tokens by what they are called.
private struct NamedTokens: TokenVerifying {
    let scope: String? = "example_scope"
    let configurationURL: String? = "https://example.com/.well-known/openid-config"

    func verify(_ token: Secret) async -> TokenVerdict {
        switch token.revealed() {
        case "narrow": .insufficientScope(reason: "narrow")
        case "lost": .unavailable(reason: "no answer")
        case let name where name.hasPrefix("of-"): .valid(login: String(name.dropFirst(3)))
        case _: .invalid(reason: "unknown")
        }
    }
}

@Suite("Bearer tokens")
struct BearerExchangeTests {
    let authenticator: ServerAuthenticator

    init() throws {
        let accounts = TestAccounts()
        try accounts.add("user@example.com", "x")
        try accounts.add("bob@example.com", "x", isDisabled: true)
        var settings = AuthenticationSettings(hostname: "server.example.com")
        settings.tokens = NamedTokens()
        authenticator = ServerAuthenticator(
            accounts: accounts, defaultDomain: Domain("example.com"), settings: settings, failureDelay: .zero)
    }

    private func answer(_ response: String, by mechanism: SASLMechanism = .oauthBearer, sni: String? = nil) async
        -> String
    {
        let context = AuthenticationContext(
            service: "imap", peer: "192.0.2.1", tls: TLSDescription(version: .tls13, serverName: sni))
        let exchange = authenticator.exchange(mechanism, context)
        #expect(await exchange.respond(nil).summary == "challenge: ")
        let answer = await exchange.respond(Secret(response)).summary
        #expect(await exchange.respond(Secret("\u{1}")).summary == "malformed: The exchange is over")
        return answer
    }

    @Test("A token lets its user in, also when the response names the user and the host")
    func accepted() async {
        for head in ["n,,", "n,a=user@example.com,", "n,a=USER,", "n,,\u{1}host=server.example.com\u{1}port=143"] {
            #expect(await answer("\(head)\u{1}auth=Bearer of-user\u{1}\u{1}") == "success user@example.com")
        }
        #expect(
            await answer("n,,\u{1}host=mx.example.com\u{1}auth=Bearer of-user\u{1}\u{1}", sni: "MX.example.com")
                == "success user@example.com")
        #expect(await answer("user=user\u{1}auth=Bearer of-user\u{1}\u{1}", by: .xoauth2) == "success user@example.com")
    }

    @Test("Why not is told as RFC 7628 §3.2.2 has it: the JSON of §4.3")
    func asking() async {
        let invalid =
            #"rejection: {"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com/.well-known/openid-config"}"#
        #expect(
            await answer("n,a=user@example.com,\u{1}host=server.example.com\u{1}auth=\u{1}\u{1}") == invalid
                + ": no token")
        #expect(await answer("n,,\u{1}auth=Bearer x\u{1}\u{1}") == invalid + ": unknown")
        #expect(await answer("n,a=bob,\u{1}auth=Bearer of-user\u{1}\u{1}") == invalid + ": token of another user")
        #expect(await answer("n,,\u{1}auth=Bearer of-bob\u{1}\u{1}") == invalid + ": account disabled")
        #expect(await answer("n,,\u{1}auth=Bearer of-eve\u{1}\u{1}") == invalid + ": no such account")
        #expect(await answer("n,,\u{1}auth=Bearer of-a..b\u{1}\u{1}") == invalid + ": names no address")
        #expect(await answer("n,,\u{1}auth=Bearer narrow\u{1}\u{1}").contains(#""status":"insufficient_scope""#))
        #expect(await answer("\u{1}").contains(#""status":"invalid_request""#))
        #expect(
            await answer("n,,\u{1}host=other.example\u{1}auth=Bearer of-user\u{1}\u{1}", sni: "server.example.com")
                .hasSuffix("host of another server"))
        #expect(
            await answer("user=user\u{1}auth=Bearer x\u{1}\u{1}", by: .xoauth2)
                == #"rejection: {"status":"401","schemes":"bearer","scope":"example_scope"}: unknown"#)
    }

    @Test("An issuer that does not answer is no refusal")
    func unavailable() async {
        #expect(await answer("n,,\u{1}auth=Bearer lost\u{1}\u{1}") == "unavailable: no answer")
    }
}
