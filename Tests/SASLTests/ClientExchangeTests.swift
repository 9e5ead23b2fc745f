import MailVocabulary
import SASL
import Testing

@Suite struct ClientExchangeTests {
    private let credentials = PasswordCredentials(authenticationIdentity: "ann@x.org", password: Secret("pass wörd"))

    /// What the server of the same mechanism makes of it.
    private func verified(_ mechanism: PasswordMechanism, initial: Bool) -> PasswordCredentials? {
        var client = SASLClientExchange(mechanism, credentials)
        var server = SASLServerExchange(mechanism)
        var step = SASLServerStep.challenge([])
        if initial, let response = client.initialResponse() {
            step = response.withBytes { server.respond($0) }
        } else {
            step = server.start()
        }
        while case .challenge(let challenge) = step {
            guard let response = client.respond(to: challenge) else { return nil }
            step = response.withBytes { server.respond($0) }
        }
        guard case .verify(let credentials) = step else { return nil }
        return credentials
    }

    @Test("PLAIN and LOGIN say who and the password, with and without an initial response")
    func exchanges() throws {
        for (mechanism, initial) in [(PasswordMechanism.plain, true), (.plain, false), (.login, true), (.login, false)]
        {
            let found = try #require(verified(mechanism, initial: initial))
            #expect(found.authenticationIdentity == "ann@x.org")
            #expect(found.authorizationIdentity == nil)
            #expect(found.password.revealed() == "pass wörd")
        }
    }

    @Test("A server that asks for more than a mechanism has gets nothing")
    func tooManyChallenges() {
        var plain = SASLClientExchange(.plain, credentials)
        #expect(plain.initialResponse() != nil)
        #expect(plain.respond(to: []) == nil)
        var login = SASLClientExchange(.login, credentials)
        #expect(login.initialResponse() == nil)
        #expect(login.respond(to: [])?.revealed() == "ann@x.org")
        #expect(login.respond(to: [])?.revealed() == "pass wörd")
        #expect(login.respond(to: []) == nil)
    }

    @Test("PLAIN before LOGIN; nothing else is chosen")
    func choice() {
        #expect(SASLClientExchange.choose(from: ["LOGIN", "plain", "CRAM-MD5"]) == .plain)
        #expect(SASLClientExchange.choose(from: ["XOAUTH2", "login"]) == .login)
        #expect(SASLClientExchange.choose(from: ["CRAM-MD5"]) == nil)
    }
}
