import MailStore
import MailTestSupport
import MailVocabulary
import SubmissionServer
import Testing
import WireFraming

@Suite("Limits")
struct LimitTests {
    @Test("Lines as long as RFC 5321 and its extensions allow are read, longer ones are not")
    func lines() async throws {
        var driver = try await Fixture().loggedIn()
        let noop = await driver.send("NOOP " + String(repeating: "x", count: 505) + "\r\n")
        #expect(noop == "250 2.0.0 OK\r\n")
        let longNoop = await driver.send("NOOP " + String(repeating: "x", count: 506) + "\r\n")
        #expect(longNoop == "500 5.5.2 Line too long\r\n")
        let head = "MAIL FROM:<tim@example.com>"
        let mail = await driver.send(head + String(repeating: " ", count: 1255 - head.count) + "\r\n")
        #expect(mail == "250 2.1.0 Sender OK\r\n")
        _ = await driver.send("RSET\r\n")
        let longMail = await driver.send(head + String(repeating: " ", count: 1256 - head.count) + "\r\n")
        #expect(longMail == "500 5.5.2 Line too long\r\n")
    }

    @Test("A line far too long is answered once and skipped, whole or by pieces", arguments: [1, 100, 60_000])
    func skipped(_ piece: Int) async throws {
        var driver = try await Fixture().loggedIn()
        let line = Array("MAIL FROM:<".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 50_000)
        var answers = ""
        for start in stride(from: 0, to: line.count, by: piece) {
            answers += String(decoding: await driver.send(line[start..<min(start + piece, line.count)]), as: UTF8.self)
        }
        #expect(answers == "500 5.5.2 Line too long\r\n")
        let reply = await driver.send(">\r\nNOOP\r\n")
        #expect(reply == "250 2.0.0 OK\r\n")
    }

    @Test("Every step that asks for no more input uses some: a driver need not call again in vain")
    func progress() async throws {
        let fixture = try await Fixture()
        var session = fixture.service.session(SessionContext(hostname: "mail.example.com", tls: Fixture.tls))
        var output = SessionOutput()
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 20_000)
        var consumed = 0
        _ = session.received((line + [0x0D, 0x0A] + line).span, consumed: &consumed, &output)
        #expect(consumed == 20_002)
        consumed = 0
        _ = session.received(line.span, consumed: &consumed, &output)
        #expect(consumed == 20_000)
        #expect(output.bytes.text == "500 5.5.2 Line too long\r\n500 5.5.2 Line too long\r\n")
    }

    @Test("A line without end ends the connection")
    func endless() async throws {
        var driver = try await Fixture().secureConnection()
        _ = await driver.connect()
        var sent = 0
        var isClosed = false
        while !isClosed, sent < 1_000_000 {
            _ = await driver.send([UInt8](repeating: 0x16, count: 20_000))
            sent += 5000
            isClosed = driver.isClosed
        }
        #expect(sent < 100_000)
    }

    @Test("Bad commands are counted over the connection, and a good one does not pardon them")
    func badCommands() async throws {
        var driver = try await Fixture().loggedIn()
        var answer = ""
        for number in 1...10 {
            _ = await driver.send("NOOP\r\n")
            answer = await driver.send("FOO\r\n")
            if number < 10 { #expect(answer.hasPrefix("500 5.5.1")) }
        }
        #expect(answer == "421 4.7.0 Too many errors, closing connection\r\n")
        let isClosed = driver.isClosed
        #expect(isClosed)
    }

    @Test("What follows a refused MAIL in its group is not held against the client")
    func refusedGroup() async throws {
        var driver = try await Fixture().loggedIn()
        let group =
            "MAIL FROM:<tim@example.com> SIZE=99999999\r\n"
            + String(repeating: "RCPT TO:<ned@example.com>\r\n", count: 50) + "DATA\r\n"
        let replies = await driver.send(group).split(separator: "\r\n")
        #expect(replies.count == 52)
        #expect(replies.dropFirst().allSatisfy { $0.hasPrefix("503 5.5.1") })
        let noop = await driver.send("NOOP\r\n")
        #expect(noop.hasPrefix("250"))
    }

    @Test("Before authentication a client has fifty commands")
    func unauthenticatedCommands() async throws {
        var driver = try await Fixture().secureConnection()
        _ = await driver.connect()
        for _ in 0..<50 {
            let reply = await driver.send("NOOP\r\n")
            #expect(reply == "250 2.0.0 OK\r\n")
        }
        let reply = await driver.send("NOOP\r\n")
        #expect(reply == "421 4.7.0 Too many commands, closing connection\r\n")
        var other = try await Fixture().loggedIn()
        for _ in 0..<200 { _ = await other.send("NOOP\r\n") }
        let isClosed = other.isClosed
        #expect(!isClosed)
    }

    @Test("A message has at most a thousand recipients; those accepted get it")
    func recipients() async throws {
        let fixture = try await Fixture()
        let domain = try #require(Domain("example.com"))
        let verifier = SCRAMVerifier(salt: [], iterations: 1, storedKey: [], serverKey: [])
        let credentials = StoredCredentials(argon2id: "", scramSHA256: verifier)
        _ = try await fixture.store.addAccounts(
            (0...1000).map { (Address(localPart: "u\($0)", domain: domain), credentials) })
        var driver = try await fixture.loggedIn()
        let group =
            "MAIL FROM:<tim@example.com>\r\n"
            + (0...1000).map { "RCPT TO:<u\($0)@example.com>\r\n" }.joined() + "DATA\r\n"
        let replies = await driver.send(group).split(separator: "\r\n")
        #expect(replies.count == 1003)
        #expect(replies[1...1000].allSatisfy { $0 == "250 2.1.5 Recipient OK" })
        #expect(replies[1001] == "452 4.5.3 Too many recipients")
        let reply = await driver.send("Subject: x\r\n\r\n.\r\n")
        #expect(reply.hasPrefix("250"))
        #expect(try await fixture.inbox(of: "u999").count == 1)
        #expect(try await fixture.inbox(of: "u1000").isEmpty)
    }

    @Test("A search for addresses ends after a hundred misses")
    func refusedRecipients() async throws {
        var driver = try await Fixture().loggedIn()
        _ = await driver.send("MAIL FROM:<tim@example.com>\r\n")
        for _ in 0..<100 {
            let reply = await driver.send("RCPT TO:<guess@example.com>\r\n")
            #expect(reply.hasPrefix("550 5.1.1"))
        }
        let reply = await driver.send("RCPT TO:<guess@example.com>\r\n")
        #expect(reply.hasPrefix("421 4.7.0"))
    }

    @Test("Malformed recipients are refused like others: a list with twenty of them still goes to the rest")
    func malformedRecipients() async throws {
        var driver = try await Fixture().loggedIn()
        _ = await driver.send("MAIL FROM:<tim@example.com>\r\n")
        for number in 1...100 {
            let reply = await driver.send("RCPT TO:<a b@example.com>\r\n")
            #expect(reply == "501 5.1.3 Syntax error in recipient address\r\n")
            guard number == 20 else { continue }
            let good = await driver.send("RCPT TO:<ned@example.com>\r\n")
            #expect(good.hasPrefix("250"))
        }
        let reply = await driver.send("RCPT TO:<грета@example.com>\r\n")
        #expect(reply.hasPrefix("421 4.7.0"))
    }

    @Test("Patience is short before authentication, RFC 5321's after")
    func patience() async throws {
        var before = try await Fixture().secureConnection()
        let short = before.session.patience
        #expect(short == .seconds(60))
        let farewell = String(decoding: before.timeOut(), as: UTF8.self)
        #expect(farewell == "421 4.4.2 Timeout, closing connection\r\n")
        let after = try await Fixture().loggedIn()
        let long = after.session.patience
        #expect(long == .seconds(300))
    }

    @Test("A server that stops says so")
    func stopping() async throws {
        var driver = try await Fixture().loggedIn()
        var output = SessionOutput()
        driver.session.stopping(&output)
        #expect(output.bytes.text == "421 4.3.2 Service is stopping, closing connection\r\n")
    }

    @Test("Settings keep to what the store can hold", arguments: [(0, 1024), (1 << 40, 1 << 30), (5000, 5000)])
    func settings(_ asked: Int, _ given: Int) {
        #expect(SubmissionSettings(maximumMessageSize: asked).maximumMessageSize == given)
    }
}
