import MailStore
import MailTestSupport
import MailVocabulary
import POP3Server
import SASL
import Testing
import WireFraming

@Suite("POP3 login")
struct LoginTests {
    @Test("Good name, bad name, other identity, disabled account: one denial [8314-4.1-5] [2595-6-6]")
    func oneDenial() async throws {
        let fixture = try await Fixture()
        var answers: Set<String> = []
        let tries = [
            "USER mrose\r\nPASS wrong\r\n", "USER nobody\r\nPASS tanstaaf\r\n",
            "AUTH PLAIN \(plain("", "mrose", "wrong"))\r\n", "AUTH PLAIN \(plain("", "nobody", "tanstaaf"))\r\n",
            "AUTH PLAIN \(plain("karen", "mrose", "tanstaaf"))\r\n",
        ]
        for attempt in tries { answers.insert(await lastLine(attempt, fixture.secureConnection())) }
        var disabled = fixture.account
        disabled.isDisabled = true
        let closed = try await Fixture(authenticator: FixedAuthenticator(.admitted(disabled)))
        answers.insert(await lastLine("USER mrose\r\nPASS tanstaaf\r\n", closed.secureConnection()))
        #expect(answers == ["-ERR [AUTH] authentication failed\r\n"])
    }

    private func lastLine(_ text: String, _ driver: consuming Driver) async -> String {
        _ = await driver.connect()
        let answer = await driver.send(text)
        #expect(driver.isAnonymous == true)
        return answer.hasPrefix("+OK send PASS\r\n") ? String(answer.dropFirst("+OK send PASS\r\n".count)) : answer
    }

    @Test("The third refusal closes")
    func threeTries() async throws {
        var driver = try await Fixture().secureConnection()
        _ = await driver.connect()
        for attempt in 1...3 {
            #expect(driver.isClosed == false)
            _ = await driver.send("USER mrose\r\n")
            #expect(await driver.send("PASS wrong\(attempt)\r\n") == "-ERR [AUTH] authentication failed\r\n")
        }
        #expect(driver.isClosed == true)
        let failures = driver.events.filter { if case .authenticationFailed = $0 { true } else { false } }
        #expect(failures.count == 3)
        #expect(!"\(driver.events)".contains("wrong1"))
    }

    @Test("An empty authorization identity is derived, an own one accepted [2595-6-2] [2595-6-3] [2595-6-4]")
    func identities() async throws {
        let fixture = try await Fixture()
        for authzid in ["", "mrose"] {
            var driver = fixture.secureConnection()
            _ = await driver.connect()
            #expect(await driver.send("AUTH PLAIN \(plain(authzid, "mrose", "tanstaaf"))\r\n").hasPrefix("+OK"))
            #expect(driver.events == [.authenticated(login: "mrose@example.org", mechanism: "PLAIN")])
        }
    }

    @Test(
        "Identities and passwords of 255 octets are taken [2595-6-11] [2595-6-12] [2595-6-13]",
        arguments: [true, false])
    func long(initialResponse: Bool) async throws {
        let authenticator = FixedAuthenticator(.refused("noted"))
        var driver = try await Fixture(authenticator: authenticator).secureConnection()
        _ = await driver.connect()
        let (a, b, c) = (text("a", 255), text("ü", 127) + "u", text("c", 255))
        if initialResponse {
            _ = await driver.send("AUTH PLAIN \(plain(a, b, c))\r\n")
        } else {
            #expect(await driver.send("AUTH PLAIN\r\n") == "+ \r\n")
            _ = await driver.send("\(plain(a, b, c))\r\n")
        }
        let asked = try #require(authenticator.credentials.first)
        #expect(asked.authorizationIdentity == a && asked.authenticationIdentity == b)
        #expect(asked.password.revealed() == c)
    }

    @Test("USER and PASS take 255 octets too, spaces and UTF-8 (RFC 6856 §2.2); no more")
    func longNames() async throws {
        let authenticator = FixedAuthenticator(.refused("noted"))
        var driver = try await Fixture(authenticator: authenticator).secureConnection()
        _ = await driver.connect()
        let password = " " + text("pä ss", 42) + " "
        _ = await driver.send("USER \(text("n", 255))\r\nPASS \(password)\r\n")
        #expect(authenticator.credentials.first?.password.revealed() == password)
        #expect(await driver.send("USER \(text("n", 256))\r\n") == "-ERR command too long\r\n")
    }

    @Test("EXTERNAL is not supported [2595-4-9]")
    func external() async throws {
        var driver = try await Fixture().secureConnection()
        _ = await driver.connect()
        #expect(await driver.send("AUTH EXTERNAL =\r\n") == "-ERR mechanism not supported\r\n")
    }

    @Test("PLAIN is not taken without TLS, and the password is not looked at [2595-6-1s] [8314-4.1-4]")
    func plainInClear() async throws {
        let authenticator = FixedAuthenticator(.refused("asked"))
        var driver = try await Fixture(authenticator: authenticator).plainConnection()
        _ = await driver.connect()
        let good = await driver.send("AUTH PLAIN \(plain("", "mrose", "tanstaaf"))\r\n")
        let bad = await driver.send("AUTH PLAIN \(plain("", "mrose", "wrong"))\r\n")
        #expect(good == bad && good.hasPrefix("-ERR [SYS/PERM]"))
        #expect(authenticator.credentials.isEmpty)
        #expect(driver.events.first == .notice("AUTH refused: it came without TLS"))
    }

    @Test("A server that cannot answer says so; the client may try again")
    func unavailable() async throws {
        let fixture = try await Fixture(authenticator: FixedAuthenticator(.unavailable(reason: "busy")))
        var driver = fixture.secureConnection()
        _ = await driver.connect()
        _ = await driver.send("USER mrose\r\n")
        #expect(await driver.send("PASS x\r\n") == "-ERR [SYS/TEMP] cannot log in now, try again later\r\n")
        #expect(driver.isClosed == false)
        for _ in 1...2 { _ = await driver.send("USER mrose\r\nPASS x\r\n") }
        #expect(driver.isClosed == true)
        #expect(driver.events == Array(repeating: .notice("login not possible now: busy"), count: 3))
    }

    @Test("A maildrop in use is no wrong password: logged as such, and not counted")
    func inUseIsNotCounted() async throws {
        let fixture = try await Fixture()
        let first = try await fixture.loggedIn()
        var second = fixture.secureConnection()
        _ = await second.connect()
        for _ in 1...5 {
            #expect(
                await second.send("AUTH PLAIN \(plain("", "mrose", "tanstaaf"))\r\n")
                    == "-ERR [IN-USE] the maildrop is in use\r\n")
        }
        #expect(second.isClosed == false)
        let expected = SessionEvent.notice("login not possible now: maildrop of mrose@example.org in use")
        #expect(second.events == Array(repeating: expected, count: 5))
        withExtendedLifetime(first.service) {}
    }

    @Test("The store failing behind a right password is not counted")
    func storeTrouble() async throws {
        let nobody = Account(id: AccountID(99), address: try #require(Address("mrose@example.org")))
        var driver = try await Fixture(authenticator: FixedAuthenticator(.admitted(nobody))).secureConnection()
        _ = await driver.connect()
        for _ in 1...5 {
            #expect(
                await driver.send("USER mrose\r\nPASS x\r\n").hasSuffix(
                    "-ERR [SYS/TEMP] cannot log in now, try again later\r\n"))
        }
        #expect(driver.isClosed == false)
        let failures = driver.events.filter { if case .authenticationFailed = $0 { true } else { false } }
        #expect(failures.isEmpty && driver.events.count == 5)
    }

    @Test("One session for each maildrop; any end of the first frees it")
    func locking() async throws {
        let fixture = try await Fixture()
        var second = fixture.secureConnection()
        _ = await second.connect()
        for end in ["drop", "quit", "timeout", "rude"] {
            try await withFirst(of: fixture, ending: end) {
                #expect(
                    await second.send("AUTH PLAIN \(plain("", "mrose", "tanstaaf"))\r\n")
                        == "-ERR [IN-USE] the maildrop is in use\r\n")
            }
            var other = try await fixture.loggedIn()
            _ = await other.send("QUIT\r\n")
            second = fixture.secureConnection()
            _ = await second.connect()
        }
    }

    private func withFirst(of fixture: Fixture, ending: String, _ body: () async throws -> Void) async throws {
        var first = try await fixture.loggedIn()
        try await body()
        switch ending {
        case "quit": _ = await first.send("DELE 1\r\nQUIT\r\n")
        case "timeout": _ = first.timeOut()
        case "rude": for _ in 0..<12 { _ = await first.send("FOO\r\n") }
        // Dropped behind this line: the connection is lost.
        case _: #expect(first.isClosed == false)
        }
    }

    @Test("Another account is not kept out")
    func otherAccount() async throws {
        let fixture = try await Fixture()
        let first = try await fixture.loggedIn()
        var second = fixture.secureConnection()
        _ = await second.connect()
        #expect(await second.send("USER test\r\nPASS test\r\n").hasSuffix("(320 octets)\r\n"))
        withExtendedLifetime(first.service) {}
    }
}

/// A response of PLAIN, in base64.
func plain(_ authzid: String, _ authcid: String, _ password: String) -> String {
    String(decoding: Base64.encode("\(authzid)\0\(authcid)\0\(password)".utf8), as: UTF8.self)
}

func text(_ piece: String, _ count: Int) -> String { String(repeating: piece, count: count) }
