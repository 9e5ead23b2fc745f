import MailDelivery
import MailStore
import MailTestSupport
import MailVocabulary
import SubmissionServer
import Testing

@Suite("Chunks (RFC 3030)")
struct ChunkingTests {
    private static let envelope = "MAIL FROM:<tim@example.com>\r\nRCPT TO:<ned@example.com>\r\n"

    private func begun(_ fixture: Fixture) async throws -> Driver {
        var driver = try await fixture.loggedIn()
        _ = await driver.send(Self.envelope)
        return driver
    }

    @Test(
        "A message in chunks is stored as it came, dots and all, however the octets are cut", arguments: [true, false])
    func stored(byByte: Bool) async throws {
        let fixture = try await Fixture()
        var driver = try await begun(fixture)
        let first = "From: tim@example.com\r\nSubj", second = "ect: x\r\n\r\n.\r\n.dot\r\n"
        let input = "BDAT \(first.utf8.count)\r\n\(first)BDAT \(second.utf8.count) LAST\r\n\(second)NOOP\r\n"
        let replies = byByte ? await driver.drip(input) : await driver.send(input)
        let lines = replies.split(separator: "\r\n")
        #expect(lines.map { $0.prefix(9) } == ["250 2.0.0", "250 2.0.0", "250 2.0.0"])
        #expect(lines.first == "250 2.0.0 \(first.utf8.count) octets received")
        let body = try #require(try await fixture.inbox(of: "ned").first)
        #expect(String(decoding: withoutTrace(body), as: UTF8.self) == first + second)
    }

    @Test("An empty last chunk ends a message; one alone is an empty message")
    func emptyLast() async throws {
        let fixture = try await Fixture()
        var driver = try await begun(fixture)
        let replies = await driver.send("BDAT 11\r\nA: b\r\n\r\nx\r\nBDAT 0 LAST\r\n")
        #expect(replies.split(separator: "\r\n").count == 2)
        _ = await driver.send(Self.envelope)
        #expect(await driver.send("bdat 0 last\r\n").hasPrefix("250 2.0.0 Message accepted"))
        #expect(try await fixture.inbox(of: "ned").count == 2)
    }

    @Test("A last line without end gets one: the next hop may know lines only")
    func lineEnd() async throws {
        let fixture = try await Fixture()
        var driver = try await begun(fixture)
        _ = await driver.send("BDAT 9 LAST\r\nA: b\r\n\r\nx")
        let body = try #require(try await fixture.inbox(of: "ned").first)
        #expect(String(decoding: withoutTrace(body), as: UTF8.self) == "A: b\r\n\r\nx\r\n")
    }

    @Test(
        "CR or LF alone and NUL are refused as in DATA, cut anywhere",
        arguments: [
            "A: b\r\n\r\nx\ny\r\n", "A: b\r\n\r\nx\ry\r\n", "A: b\r\n\r\nx\0y\r\n", "A: b\n\r\nx\r\n",
            "A: b\r\n\r\nx\r",
        ],
        [true, false])
    func bareLineEnds(_ message: String, byByte: Bool) async throws {
        let fixture = try await Fixture()
        var driver = try await begun(fixture)
        let input = "BDAT \(message.utf8.count) LAST\r\n\(message)NOOP\r\n"
        let replies = byByte ? await driver.drip(input) : await driver.send(input)
        #expect(replies.split(separator: "\r\n").map { $0.prefix(9) } == ["554 5.6.0", "250 2.0.0"])
        #expect(try await fixture.messageCount() == 0)
    }

    @Test("What follows a refused chunk is read and dropped, further chunks too; RSET begins anew")
    func drained() async throws {
        let fixture = try await Fixture(settings: SubmissionSettings(maximumMessageSize: 1024))
        var driver = try await begun(fixture)
        let large = String(repeating: "QUIT\r\n", count: 300)
        let replies = await driver.send(
            "BDAT \(large.utf8.count)\r\n\(large)BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nRSET\r\nNOOP\r\n")
        #expect(
            replies.split(separator: "\r\n").map { $0.prefix(9) }
                == ["552 5.3.4", "503 5.5.1", "503 5.5.1", "250 2.0.0", "250 2.0.0"])
        #expect(try await fixture.messageCount() == 0)
        _ = await driver.send(Self.envelope)
        #expect(await driver.send("BDAT 11 LAST\r\nA: b\r\n\r\nx\r\n").hasPrefix("250 2.0.0 Message"))
    }

    @Test("Chunks without recipients, before AUTH and of sizes that nobody can read never become commands")
    func outOfPlace() async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        #expect(await driver.send("BDAT 6\r\nQUIT\r\nNOOP\r\n") == "503 5.5.1 Send MAIL first\r\n250 2.0.0 OK\r\n")
        _ = await driver.send("MAIL FROM:<tim@example.com>\r\n")
        let refused = await driver.send("RCPT TO:<no@example.com>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")
        #expect(refused.split(separator: "\r\n").map { $0.prefix(9) } == ["550 5.1.1", "554 5.5.1", "250 2.0.0"])
        for size in ["99999999999999999999999", "4294967296", "-1", "x", "1x", ""] {
            var other = try await begun(fixture)
            let replies = await other.send("BDAT \(size) LAST\r\nQUIT\r\n")
            #expect(replies.hasPrefix("501 5.5.4") && replies.contains("\r\n421 4.7.0"), "\(size): \(replies)")
            let isClosed = other.isClosed
            #expect(isClosed)
        }
        var stranger = fixture.secureConnection()
        _ = await stranger.connect()
        _ = await stranger.send("EHLO a.example\r\n")
        #expect(await stranger.send("BDAT 6\r\nQUIT\r\n").contains("421 4.7.0"))
    }

    @Test("DATA, MAIL and RCPT have no place behind a chunk; RSET drops what has come")
    func mixed() async throws {
        let fixture = try await Fixture()
        var driver = try await begun(fixture)
        let replies = await driver.send(
            "BDAT 6\r\nA: b\r\nDATA\r\nRCPT TO:<dan@example.com>\r\nMAIL FROM:<>\r\nRSET\r\nBDAT 2 LAST\r\n\r\n")
        #expect(replies.contains("421"))
        var other = try await begun(fixture)
        _ = await other.send("BDAT 6\r\nA: b\r\n")
        #expect(await other.send("DATA\r\n").hasPrefix("503 5.5.1"))
        #expect(await other.send("RCPT TO:<dan@example.com>\r\n").hasPrefix("503 5.5.1"))
        #expect(await other.send("RSET\r\n").hasPrefix("250"))
        #expect(await other.send("BDAT 2 LAST\r\n\r\n").hasPrefix("503 5.5.1"))
        #expect(try await fixture.messageCount() == 0)
    }

    private static let binary =
        "From: tim@example.com\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
        + "Content-Transfer-Encoding: binary\r\n\r\n"

    @Test("What is declared as BINARYMIME may hold anything; in a mailbox it is encoded", arguments: [true, false])
    func binaryBody(byByte: Bool) async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        _ = await driver.send(
            "MAIL FROM:<tim@example.com> BODY=BINARYMIME\r\nRCPT TO:<ned@example.com>\r\nRCPT TO:<dan@example.com>\r\n")
        #expect(await driver.send("DATA\r\n").hasPrefix("503 5.5.1"))
        let content = Self.binary + "\0\r\n.\r\nQUIT\n\rx"
        let input = "BDAT \(content.utf8.count) LAST\r\n\(content)"
        let reply = byByte ? await driver.drip(input) : await driver.send(input)
        #expect(reply.hasPrefix("250 2.0.0 Message accepted"), "\(reply)")
        let body = String(decoding: try #require(try await fixture.inbox(of: "ned").first), as: UTF8.self)
        #expect(body.hasSuffix("\r\n\r\nAA0KLg0KUVVJVAoNeA==\r\n"), "\(body)")
        #expect(body.hasPrefix("Return-Path: <tim@example.com>\r\n") && body.contains("base64"))
    }

    @Test("A header of BINARYMIME is lines; what cannot be encoded is refused")
    func binaryRefused() async throws {
        let fixture = try await Fixture()
        var driver = try await fixture.loggedIn()
        let envelope = "MAIL FROM:<tim@example.com> BODY=BINARYMIME\r\nRCPT TO:<ned@example.com>\r\n"
        _ = await driver.send(envelope)
        let bare = "From: tim@example.com\nX: y\r\n\r\nx"
        #expect(await driver.send("BDAT \(bare.utf8.count) LAST\r\n\(bare)").hasPrefix("554 5.6.0"))
        let signed =
            "From: tim@example.com\r\nMIME-Version: 1.0\r\n"
            + "Content-Type: multipart/signed; boundary=b; protocol=\"application/pgp-signature\"\r\n\r\n--b\r\n"
            + "Content-Transfer-Encoding: binary\r\n\r\n\0\r\n--b\r\n\r\nx\r\n--b--\r\n"
        _ = await driver.send(envelope)
        #expect(await driver.send("BDAT \(signed.utf8.count) LAST\r\n\(signed)").hasPrefix("554 5.6.3"))
        #expect(try await fixture.messageCount() == 0)
    }
}
