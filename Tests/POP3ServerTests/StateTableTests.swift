import MailStore
import MailTestSupport
import POP3Server
import POP3Syntax
import Testing

/// Every command in every state: what the table says is what the session does.
@Suite("POP3 states and commands")
struct StateTableTests {
    @Test("Before TLS: credentials are refused unheard [2595-2.2-1s] [8314-4.1-4]", arguments: POP3Verb.allCases)
    func beforeTLS(_ verb: POP3Verb) async throws {
        let authenticator = FixedAuthenticator(.refused("asked"))
        var driver = try await Fixture(authenticator: authenticator).plainConnection()
        _ = await driver.connect()
        let answer = await driver.send(verb.sample + "\r\n")
        switch verb {
        case .auth, .pass, .user:
            #expect(answer == "-ERR [SYS/PERM] TLS is required before authentication\r\n")
        case .dele, .list, .noop, .retr, .rset, .stat, .top, .uidl:
            #expect(answer == "-ERR command not permitted in this state\r\n")
        case .capa, .lang, .quit, .stls, .utf8:
            #expect(answer.hasPrefix("+OK"))
        }
        #expect(driver.isAnonymous == true)
        #expect(authenticator.credentials.isEmpty)
        #expect(driver.isClosed == (verb == .quit))
        #expect(driver.awaitsHandshake == (verb == .stls))
    }

    @Test("AUTHORIZATION inside TLS [8314-3.1-4s] [2595-4-5]", arguments: POP3Verb.allCases)
    func authorization(_ verb: POP3Verb) async throws {
        var driver = try await Fixture().secureConnection()
        #expect(String(decoding: await driver.connect(), as: UTF8.self).hasPrefix("+OK"))
        #expect(driver.isAnonymous == true)
        let answer = await driver.send(verb.sample + "\r\n")
        switch verb {
        case .dele, .list, .noop, .retr, .rset, .stat, .top, .uidl:
            #expect(answer == "-ERR command not permitted in this state\r\n")
        case .stls: #expect(answer == "-ERR command not permitted when TLS active\r\n")
        case .pass: #expect(answer == "-ERR send USER first\r\n")
        case .auth, .capa, .lang, .quit, .user, .utf8: #expect(answer.hasPrefix("+OK"))
        }
        #expect(driver.isAnonymous == (verb != .auth))
    }

    @Test("TRANSACTION [2595-4-3] [2595-8-4]", arguments: POP3Verb.allCases)
    func transaction(_ verb: POP3Verb) async throws {
        var driver = try await Fixture().loggedIn()
        let answer = await driver.send(verb.sample + "\r\n")
        switch verb {
        case .auth, .pass, .stls, .user, .utf8:
            #expect(answer == "-ERR command not permitted in this state\r\n")
        case .capa, .dele, .lang, .list, .noop, .quit, .retr, .rset, .stat, .top, .uidl:
            #expect(answer.hasPrefix("+OK"))
        }
        #expect(driver.isClosed == (verb == .quit))
    }

    @Test("Inside an exchange, a line is a response, whatever it says", arguments: POP3Verb.allCases)
    func exchange(_ verb: POP3Verb) async throws {
        var driver = try await Fixture().secureConnection()
        _ = await driver.connect()
        #expect(await driver.send("AUTH PLAIN\r\n") == "+ \r\n")
        let answer = await driver.send(verb.sample + "\r\n")
        #expect(answer == "-ERR not base64\r\n" || answer == "-ERR the response does not fit the mechanism\r\n")
        #expect(driver.isAnonymous == true)
        #expect(await driver.send("CAPA\r\n").hasPrefix("+OK"))
    }

    @Test("After QUIT nothing is answered")
    func afterQuit() async throws {
        var driver = try await Fixture().loggedIn()
        #expect(await driver.send("QUIT\r\nSTAT\r\n") == "+OK signing off\r\n")
        #expect(await driver.send("STAT\r\n").isEmpty)
    }
}
