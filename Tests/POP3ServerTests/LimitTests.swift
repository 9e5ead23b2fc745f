import MailTestSupport
import POP3Server
import POP3Syntax
import Testing
import WireFraming

@Suite("POP3 limits")
struct LimitTests {
    @Test("A command of 255 octets with CRLF is read, a longer one refused, an endless one ends the connection")
    func lineLength() async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        let longest = "LIST " + text("0", 248)
        #expect(await driver.send(longest + "\r\n") == "-ERR no such message\r\n")
        #expect(await driver.send(longest + "0\r\n") == "-ERR line too long\r\n")
        #expect(driver.isClosed == true)
        #expect(driver.events.last == .violation("line too long"))
        var fresh = fixture.secureConnection()
        _ = await fresh.connect()
        #expect(await fresh.send("CAPA " + text("x", 300) + "\r\n") == "-ERR command too long\r\n")
        #expect(await fresh.send(text("x", 20_000)) == "-ERR line too long\r\n")
        #expect(fresh.isClosed == true)
    }

    @Test("Ten bad commands end the connection, in any state")
    func badCommands() async throws {
        let fixture = try await Fixture()
        var anonymous = fixture.plainConnection()
        _ = await anonymous.connect()
        let answers = await anonymous.send(text("FOO\r\n", 20))
        #expect(answers.split(separator: "\r\n").count == 10)
        #expect(answers.hasSuffix("-ERR too many bad commands\r\n"))
        #expect(anonymous.isClosed == true)
        var known = try await fixture.loggedIn()
        #expect(await known.send(text("RETR x\r\n", 20)).hasSuffix("-ERR too many bad commands\r\n"))
        #expect(known.isClosed == true)
    }

    @Test("A message number that does not exist is no bad command")
    func missingMessages() async throws {
        var driver = try await Fixture().loggedIn()
        _ = await driver.send(text("RETR 9\r\n", 50))
        #expect(driver.isClosed == false)
    }

    @Test(
        "HTTP ends the connection without an answer, before login only",
        arguments: [
            "GET / HTTP/1.1", "POST / HTTP/1.1", "HEAD /", "PUT /", "OPTIONS *", "CONNECT h:995", "DELETE /", "TRACE /",
            "PATCH /", "PRI * HTTP/2.0", "get /",
        ])
    func http(_ request: String) async throws {
        let fixture = try await Fixture()
        var driver = fixture.secureConnection()
        _ = await driver.connect()
        #expect(await driver.send(request + "\r\n").isEmpty)
        #expect(driver.isClosed == true)
        #expect(driver.events == [.violation("HTTP request")])
        var known = try await fixture.loggedIn()
        #expect(await known.send(request + "\r\n") == "-ERR unknown command\r\n")
    }

    @Test("Patience: a minute before login, ten minutes after (RFC 1939 §3)")
    func patience() async throws {
        let fixture = try await Fixture()
        let anonymous = fixture.secureConnection()
        #expect(anonymous.session.patience == .seconds(60))
        let known = try await fixture.loggedIn()
        #expect(known.session.patience == .seconds(600))
    }

    @Test("The service answers to the protocol's ALPN name")
    func names() async throws {
        let service = try await Fixture().service
        #expect(service.applicationProtocols == ["pop3"])
        #expect(service.name == "pop3")
    }
}
