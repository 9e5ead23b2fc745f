import MailTestSupport
import MailVocabulary
import SASL
import Testing

@Suite struct Base64Tests {
    @Test(
        "RFC 4648 §10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func vectors(_ plain: String, _ encoded: String) {
        #expect(String(decoding: Base64.encode(plain.utf8), as: UTF8.self) == encoded)
        #expect(Base64.decode(Array(encoded.utf8).span) == Array(plain.utf8))
    }

    @Test(
        "What is not exactly base64 is refused",
        arguments: ["Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "=Zm9", "Z===", "Zg==Zg==", "____"])
    func refused(_ text: String) { #expect(Base64.decode(Array(text.utf8).span) == nil) }

    @Test func roundTrip() {
        var random = SeededGenerator(seed: 1)
        for length in 0..<200 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(Base64.decode(Base64.encode(bytes).span) == bytes)
        }
    }
}

@Suite struct PlainTests {
    private func plain(_ response: [UInt8]) -> (authzid: String?, authcid: String, password: String)? {
        var exchange = SASLServerExchange(.plain)
        guard case .verify(let credentials) = exchange.respond(response.span) else { return nil }
        return (
            credentials.authorizationIdentity, credentials.authenticationIdentity, credentials.password.revealed()
        )
    }

    private func plain(_ text: String) -> (authzid: String?, authcid: String, password: String)? {
        plain(Array(text.utf8))
    }

    @Test("One message: authzid NUL authcid NUL password; empty authzid is derived [2595-6-2] [2595-6-3]")
    func fields() throws {
        let first = try #require(plain("\0tim\0tanstaaftanstaaf"))
        #expect(first == (nil, "tim", "tanstaaftanstaaf"))
        let second = try #require(plain("Ursel\0Kurt\0xipj3plmq"))
        #expect(second == ("Ursel", "Kurt", "xipj3plmq"))
    }

    @Test("Fields of 255 octets are accepted, longer ones refused [2595-6-11] [2595-6-12] [2595-6-13]")
    func lengths() {
        let long = String(repeating: "x", count: 255)
        #expect(plain("\(long)\0\(long)\0\(long)") != nil)
        #expect(plain("\(long)x\0a\0b") == nil)
        #expect(plain("\0\(long)x\0b") == nil)
        #expect(plain("\0a\0\(long)x") == nil)
        #expect(Base64.encode(Array("\(long)\0\(long)\0\(long)".utf8)).count <= SASLLimits.encodedResponse)
    }

    @Test("UTF-8 is accepted, ill-formed UTF-8 refused [2595-6-8]")
    func utf8() throws {
        #expect(try #require(plain("\0jörg\0пароль")).password == "пароль")
        for bad: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3]] {
            #expect(plain([0, 0x61, 0] + bad) == nil)
        }
    }

    @Test(
        "Three NULs, one NUL, empty name or password",
        arguments: ["\0tim\0tanstaaf\0tanstaaf", "tim\0tanstaaf", "tim", "", "\0\0x", "\0x\0", "\0\0"])
    func malformed(_ text: String) { #expect(plain(text) == nil) }

    @Test func startAsksWithAnEmptyChallenge() {
        var exchange = SASLServerExchange(.plain)
        guard case .challenge(let challenge) = exchange.start() else {
            Issue.record("no challenge")
            return
        }
        #expect(challenge.isEmpty)
    }
}

@Suite struct LoginTests {
    @Test func twoSteps() throws {
        var exchange = SASLServerExchange(.login)
        guard case .challenge(let first) = exchange.start(),
            case .challenge(let second) = exchange.respond(Array("joe".utf8).span),
            case .verify(let credentials) = exchange.respond(Array("secret".utf8).span)
        else {
            Issue.record("the exchange ended early")
            return
        }
        // What clients compare.
        #expect(Base64.encode(first) == Array("VXNlcm5hbWU6".utf8))
        #expect(Base64.encode(second) == Array("UGFzc3dvcmQ6".utf8))
        #expect(credentials.authenticationIdentity == "joe")
        #expect(credentials.password.revealed() == "secret")
        guard case .malformed = exchange.respond(Array("more".utf8).span) else {
            Issue.record("an exchange that is over goes on")
            return
        }
    }

    @Test("Mechanism names are found in any case, and no other")
    func names() {
        #expect(SASLMechanism(name: "plain") == .plain)
        #expect(SASLMechanism(name: "Login") == .login)
        #expect(SASLMechanism(name: "KERBEROS_V4") == nil)
        #expect(SASLMechanism(name: "") == nil)
    }
}
