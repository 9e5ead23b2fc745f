import MailStore
import MailTestSupport
import MailVocabulary
import SASL
import SubmissionServer
import Synchronization
import Testing
import WireFraming

@Suite("Authentication")
struct AuthenticationTests {
    private func response(_ parts: String...) -> String {
        String(decoding: Base64.encode(Array(parts.joined(separator: "\0").utf8)), as: UTF8.self)
    }

    private func greeted(_ authentication: AuthenticationStep? = nil) async throws -> Driver {
        var driver = try await Fixture(authentication: authentication).secureConnection()
        _ = await driver.connect()
        _ = await driver.send("EHLO a.example\r\n")
        return driver
    }

    @Test("Every failure has one answer; the reason is for the log [8314-4.1-5]")
    func failures() async throws {
        var replies: Set<String> = []
        var reasons: Set<String> = []
        for credentials in [
            response("", "tim", "wrong"), response("", "nobody", "1234"), response("ned", "tim", "1234"),
        ] {
            var driver = try await greeted()
            replies.insert(await driver.send("AUTH PLAIN \(credentials)\r\n"))
            for case .authenticationFailed(_, "PLAIN", let reason) in driver.events { reasons.insert(reason) }
        }
        #expect(replies == ["535 5.7.8 Authentication credentials invalid\r\n"])
        #expect(reasons.count == 3)
    }

    @Test("A disabled account is no account [8314-4.1-5]")
    func disabled() async throws {
        let address = try #require(Address("tim@example.com"))
        let account = Account(id: AccountID(1), address: address, isDisabled: true)
        var driver = try await greeted(.admitted(account))
        let reply = await driver.send("AUTH PLAIN \(Fixture.plainResponse)\r\n")
        #expect(reply == "535 5.7.8 Authentication credentials invalid\r\n")
    }

    @Test("What cannot be answered now is temporary; it counts, but is logged as no wrong password")
    func unavailable() async throws {
        var driver = try await greeted(.unavailable(reason: "busy"))
        for number in 1...3 {
            let reply = await driver.send("AUTH PLAIN \(Fixture.plainResponse)\r\n")
            #expect(reply.hasPrefix("454 4.7.0 Temporary authentication failure\r\n"))
            let isClosed = driver.isClosed
            #expect(isClosed == (number == 3))
        }
        let events = driver.events
        #expect(events == Array(repeating: .notice("authentication unavailable: busy"), count: 3))
    }

    @Test("Identities and passwords of 255 octets are taken [2595-6-11] [2595-6-12] [2595-6-13]")
    func longest() async throws {
        let (a, b, c) = ("a", "b", "c")
        let long = [a, b, c].map { String(repeating: $0, count: 255) }
        let address = try #require(Address("tim@example.com"))
        let authenticator = RecordingAuthenticator(Account(id: AccountID(1), address: address))
        let fixture = try await Fixture()
        let service = SubmissionService(
            acceptance: fixture.acceptance, store: fixture.store, authenticator: authenticator,
            settings: fixture.settings)
        let encoded = response(long[0], long[1], long[2])
        for lines in [["AUTH PLAIN \(encoded)"], ["AUTH PLAIN", encoded]] {
            var driver = Driver(
                service.session(SessionContext(hostname: "mail.example.com", tls: Fixture.tls)),
                service: service)
            _ = await driver.connect()
            _ = await driver.send("EHLO a.example\r\n")
            var reply = ""
            for line in lines { reply = await driver.send(line + "\r\n") }
            #expect(reply == "235 2.7.0 Authentication successful\r\n")
        }
        let seen = authenticator.seen.withLock { $0 }
        #expect(seen.count == 2)
        #expect(
            seen.allSatisfy { $0.authorization == long[0] && $0.authentication == long[1] && $0.password == long[2] })
    }

    @Test("An empty authorization identity is none [2595-6-3]")
    func emptyAuthorization() async throws {
        var driver = try await greeted()
        let reply = await driver.send("AUTH PLAIN \(response("", "tim", "1234"))\r\n")
        #expect(reply.hasPrefix("235"))
        let events = driver.events
        #expect(events == [.authenticated(login: "tim@example.com", mechanism: "PLAIN")])
    }

    @Test("A response that is too long fails the exchange and is not kept")
    func tooLong() async throws {
        var driver = try await greeted()
        _ = await driver.send("AUTH PLAIN\r\n")
        let long = String(repeating: "A", count: SASLLimits.encodedResponse + 1)
        let reply = await driver.send(long + "AAAA\r\n")
        #expect(reply == "500 5.5.6 Authentication exchange line is too long\r\n")
        let next = await driver.send("AUTH PLAIN \(Fixture.plainResponse)\r\n")
        #expect(next.hasPrefix("235 2.7.0"))
    }

    @Test("A response behind a refused AUTH is not read as commands")
    func behindRefused() async throws {
        var driver = try await greeted()
        let reply = await driver.send("AUTH GSSAPI\r\nMAIL FROM:<tim@example.com>\r\n")
        #expect(
            reply
                == "504 5.5.4 Mechanism not supported\r\n421 4.7.0 Input followed a command that was refused, closing connection\r\n"
        )
        let isClosed = driver.isClosed
        #expect(isClosed)
    }

    @Test(
        "Malformed PLAIN is refused without a verdict",
        arguments: ["", "tim", "\0\0", "\0tim\0", "\0tim\0a\0b", "a\0\0b"])
    func malformed(_ message: String) async throws {
        var driver = try await greeted()
        _ = await driver.send("AUTH PLAIN\r\n")
        let reply = await driver.send(response(message) + "\r\n")
        #expect(reply.hasPrefix("501 5.5.2"))
        let events = driver.events
        #expect(events.isEmpty)
    }

    @Test("Neither replies nor events hold what was secret")
    func secrecy() async throws {
        let canary = "hunter2secret"
        let plain = response("", "tim", canary)
        for lines in [
            ["AUTH PLAIN \(plain)"], ["AUTH PLAIN", plain], ["AUTH LOGIN", response("tim"), response(canary)],
            ["AUTH PLAIN \(plain) x"], [plain], [canary], ["AUTH PLAIN \(plain)"],
        ] {
            var driver = try await greeted()
            var said = ""
            for line in lines { said += await driver.send(line + "\r\n") }
            for event in driver.events { said += "\(event)" }
            #expect(!said.contains(canary))
            #expect(!said.contains(plain.prefix(10)))
            #expect(!said.contains(response(canary).prefix(10)))
        }
    }

    @Test("A login is cleaned for the log")
    func cleanLogin() async throws {
        var driver = try await greeted()
        _ = await driver.send("AUTH PLAIN \(response("", "a\r\nb\u{1B}[2J\u{202E}", "x"))\r\n")
        let events = driver.events
        #expect(
            events == [.authenticationFailed(login: "a??b?[2J?", mechanism: "PLAIN", reason: "unknown user")])
    }
}
