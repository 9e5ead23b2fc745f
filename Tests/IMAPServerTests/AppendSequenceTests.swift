import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import IMAPServer

@Suite("Several messages, parts and URLs [3502-6.3.11] [4469-3] [8508-3.4]")
struct AppendSequenceTests {
    @Test("What fails late leaves nothing behind") func atomic() async throws {
        let fixture = try await Fixture()
        let client = await fixture.session()
        #expect(await client.send("a APPEND INBOX {1+}\r\nx {1+}\r\n\0\r\n").hasPrefix("a NO [UNKNOWN-CTE] "))
        #expect(await client.send("b APPEND INBOX {1+}\r\nx ({1+}\r\ny\r\n").hasPrefix("b BAD "))
        #expect(await client.send("c APPEND INBOX {1+}\r\nx CATENATE (URL /Q/;UID=1)\r\n").hasPrefix("c NO [BADURL "))
        #expect(await client.send("d APPEND INBOX CATENATE (TEXT {0+}\r\n)\r\n").hasPrefix("d NO [CANNOT] "))
        #expect(await client.send("e STATUS INBOX (MESSAGES)\r\n").contains("(MESSAGES 0)"))
        #expect(try await fixture.store.verify { _ in }.isEmpty)
    }

    @Test("What is under way behind a refusal is read past") func passedOver() async throws {
        let fixture = try await Fixture()
        var settings = IMAPSettings()
        settings.maximumMessageSize = 10
        let client = await fixture.session(settings: settings)
        let answer = await client.send("a APPEND INBOX {5+}\r\nhello {11+}\r\n0123456789x {5+}\r\nhello\r\nb NOOP\r\n")
        #expect(answer.hasPrefix("a NO [TOOBIG] ") && answer.hasSuffix("b OK Completed\r\n"))
        #expect(await client.send("c STATUS INBOX (MESSAGES)\r\n").contains("(MESSAGES 0)"))
        // Together they may be longer than one may be, but not without end.
        let many = String(repeating: " {10+}\r\n0123456789", count: 4)
        #expect(await client.send("d APPEND INBOX\(many)\r\n").contains("d OK [APPENDUID "))
        #expect(await client.send("e APPEND INBOX\(many) {1+}\r\nx\r\n").hasPrefix("e NO [TOOBIG] "))
        #expect(
            await client.send("f APPEND INBOX CATENATE (TEXT {6+}\r\n012345 TEXT {5+}\r\n01234)\r\n").hasPrefix(
                "f NO [TOOBIG] "))
    }

    @Test("A message that another session removed is not replaced") func replaceGone() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([Fixture.simple(1), Fixture.simple(2)])
        let client = await fixture.session("INBOX")
        let other = await fixture.session("INBOX")
        #expect(await client.send("a REPLACE 1 INBOX {5}\r\n") == "+ Send the message\r\n")
        _ = await other.send("a UID STORE 1 +FLAGS.SILENT (\\Deleted)\r\nb EXPUNGE\r\n")
        #expect(await client.send("hello\r\n").contains("a NO [EXPUNGEISSUED] "))
        #expect(await client.send("b STATUS Trash (MESSAGES)\r\n").contains("b OK"))
        #expect(await other.send("c NOOP\r\n") == "c OK Completed\r\n")
        let reader = await fixture.session()
        _ = await reader.send("a EXAMINE INBOX\r\n")
        #expect(await reader.send("b REPLACE 1 INBOX {5}\r\n").hasPrefix("b NO [READ-ONLY] "))
    }

    @Test("A large part of a message is catenated by pieces") func largePart() async throws {
        let fixture = try await Fixture()
        let text = String(repeating: "0123456789abcde\n", count: 40_000)
        try await fixture.deliver(["Subject: x\n\n" + text])
        let client = await fixture.session("INBOX")
        #expect(
            await client.send("a APPEND Trash CATENATE (URL \"/INBOX/;UID=1/;SECTION=TEXT\")\r\n").contains("a OK "))
        #expect(await client.send("b STATUS Trash (SIZE)\r\n").contains("(SIZE 680000)"))
    }
}

@Suite("URLAUTH [4467-7]")
struct URLAuthorizationTests {
    /// Not secure, but different for another key and another text.
    static func code(_ key: Secret, _ text: [UInt8]) -> [UInt8] {
        var sum: UInt64 = 0xCBF2_9CE4_8422_2325
        var code: [UInt8] = []
        for round in UInt8(0)..<32 {
            key.withBytes { for index in $0.indices { sum = (sum ^ UInt64($0[index])) &* 0x100_0000_01B3 } }
            for octet in text { sum = (sum ^ UInt64(octet ^ round)) &* 0x100_0000_01B3 }
            code.append(UInt8(truncatingIfNeeded: sum >> 32))
        }
        return code
    }

    private static let base = "imap://fred%40example.org@mail.example.org/INBOX"

    private func session(_ fixture: Fixture) async -> Client {
        var settings = IMAPSettings()
        settings.urlAuthentication = Self.code
        return await fixture.session(settings: settings)
    }

    private func authorise(_ url: String, _ client: Client) async throws -> String {
        let answer = await client.send("g GENURLAUTH \"\(url)\" INTERNAL\r\n")
        #expect(answer.hasPrefix("* GENURLAUTH \"\(url):internal:"))
        return try #require(answer.split(separator: "\"").dropFirst().first.map(String.init))
    }

    @Test("An authorised URL can be fetched, until the key is reset") func fetch() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([Fixture.simple(1)])
        let client = await session(fixture)
        #expect(await client.send("c CAPABILITY\r\n").contains(" URLAUTH URL-PARTIAL"))
        let text = try await authorise(Self.base + "/;uid=1/;section=TEXT;urlauth=anonymous", client)
        await client.expect(
            "a URLFETCH \"\(text)\"\r\n",
            "* URLFETCH \"\(text)\" {16}\r\nHello number 1\r\n\r\na OK URLFETCH completed\r\n")
        let part = try await authorise(
            Self.base + "/;uid=1/;section=TEXT/;partial=6.6;urlauth=user+fred%40example.org", client)
        let field = try await authorise(Self.base + "/;uid=1/;section=HEADER.FIELDS%20(To);urlauth=authuser", client)
        let both = await client.send("b URLFETCH \"\(part)\" \"\(field)\"\r\n")
        #expect(
            both.contains("\" {6}\r\nnumber\r\n* URLFETCH ") && both.contains("To: fred@example.org\r\n\r\n\r\nb OK "))
        let selected = await client.send("s SELECT INBOX\r\n")
        #expect(selected.contains("* OK [URLMECH INTERNAL] "))
        #expect(await client.send("d RESETKEY INBOX\r\n").hasPrefix("d OK [URLMECH INTERNAL] "))
        #expect(await client.send("e URLFETCH \"\(text)\"\r\n").hasPrefix("* URLFETCH \"\(text)\" NIL\r\n"))
        let again = try await authorise(Self.base + "/;uid=1/;section=TEXT;urlauth=anonymous", client)
        #expect(again != text)
        #expect(await client.send("f RESETKEY\r\n").hasPrefix("f OK "))
        #expect(await client.send("h URLFETCH \"\(again)\"\r\n").contains("\" NIL\r\n"))
    }

    @Test("What is not authorised is NIL, whatever the reason") func refused() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([Fixture.simple(1)])
        let client = await session(fixture)
        let good = try await authorise(Self.base + "/;uid=1;urlauth=anonymous", client)
        var urls = [
            good.replacing("uid=1", with: "uid=2"), good.replacing("INBOX", with: "Trash"),
            String(good.dropLast()) + "x",
            good.replacing("mail.example.org/", with: "other.example/"), Self.base + "/;uid=1;urlauth=anonymous",
            "nonsense", good.replacing(":internal:", with: ":other:"),
        ]
        for tail in [
            "/;uid=9;urlauth=anonymous", "/;uid=1/;section=7;urlauth=anonymous",
            "/;uid=1;urlauth=user+joe%40example.org",
            "/;uid=1;urlauth=submit+fred%40example.org", "/;uid=1;expire=1990-01-01T00:00:00Z;urlauth=anonymous",
            ";UIDVALIDITY=7/;uid=1;urlauth=anonymous",
        ] { urls.append(try await authorise(Self.base + tail, client)) }
        let answer = await client.send("a URLFETCH \(urls.map { "\"\($0)\"" }.joined(separator: " "))\r\n")
        #expect(answer.split(separator: "\r\n").dropLast().allSatisfy { $0.hasSuffix(" NIL") })
        #expect(answer.split(separator: "\r\n").count == urls.count + 1)
        // In time it can be.
        let timely = try await authorise(Self.base + "/;uid=1;expire=2090-01-01T00:00:00Z;urlauth=anonymous", client)
        #expect(!(await client.send("b URLFETCH \"\(timely)\"\r\n").contains("NIL")))
    }

    @Test("Only URLs of one's own messages are authorised") func requests() async throws {
        let fixture = try await Fixture()
        let client = await session(fixture)
        for url in [
            "imap://joe@mail.example.org/INBOX/;uid=1;urlauth=anonymous", "/INBOX/;uid=1;urlauth=anonymous",
            "imap://fred%40example.org@elsewhere.org/INBOX/;uid=1;urlauth=anonymous", Self.base + "/;uid=1",
            Self.base + ";urlauth=anonymous", Self.base + "x/;uid=1;urlauth=anonymous", "imap://x",
        ] { #expect(await client.send("a GENURLAUTH \"\(url)\" INTERNAL\r\n").hasPrefix("a BAD "), "\(url)") }
        #expect(
            await client.send("b GENURLAUTH \"\(Self.base)/;uid=1;urlauth=anonymous\" OTHER\r\n").hasPrefix("b BAD "))
        #expect(await client.send("c RESETKEY nowhere\r\n").hasPrefix("c NO [NONEXISTENT] "))
        let plain = await fixture.session()
        #expect(!(await plain.send("d CAPABILITY\r\n").contains("URLAUTH")))
        #expect(await plain.send("e URLFETCH \"x\"\r\n").hasPrefix("e BAD "))
    }

    @Test("A large message is fetched by pieces, and catenated") func large() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver(["Subject: x\n\n" + String(repeating: "0123456789abcde\n", count: 40_000)])
        let client = await session(fixture)
        let url = try await authorise(Self.base + "/;uid=1/;section=TEXT;urlauth=anonymous", client)
        let answer = await client.send("a URLFETCH \"\(url)\"\r\n")
        #expect(answer.contains("{680000}\r\n0123") && answer.hasSuffix("abcde\r\n\r\na OK URLFETCH completed\r\n"))
        #expect(await client.send("b APPEND Trash CATENATE (URL \"\(url)\")\r\n").contains("b OK "))
        let forged = String(url.dropLast()) + (url.last == "0" ? "1" : "0")
        #expect(await client.send("c APPEND Trash CATENATE (URL \"\(forged)\")\r\n").hasPrefix("c NO [BADURL "))
    }
}
