import MailStore
import MailTestSupport
import MailVocabulary
import Synchronization
import Testing
import WireFraming

@testable import IMAPServer

@Suite struct AppendTests {
    @Test("Twenty megabytes are streamed: no step writes or holds them") func large() async throws {
        let fixture = try await Fixture()
        let client = await fixture.session()
        let line = Array((String(repeating: "0123456789", count: 7) + "abcdef\r\n").utf8)
        let count = 20 * 1024 * 1024 / line.count
        await client.expect("a APPEND INBOX {\(count * line.count)}\r\n", "+ Send the message\r\n")
        let piece = Array(repeatElement(line, count: 200).joined())
        var sent = 0
        while sent < count * line.count {
            let part = piece.prefix(count * line.count - sent)
            #expect(await client.sendBytes(Array(part)).isEmpty)
            // All that was sent is with the store: none of it waits in the session.
            #expect(client.pendingCount == 0)
            sent += part.count
        }
        #expect(await client.send("\r\n").hasPrefix("a OK [APPENDUID "))
        let snapshot = try await fixture.store.open(try await fixture.mailbox("INBOX").id)
        #expect(Int(snapshot[0].size) == sent)
    }

    @Test("Line ends become CRLF, in any pieces") func lineEnds() async throws {
        let fixture = try await Fixture()
        for size in [1, 2, 3, 100] {
            let client = await fixture.session("INBOX")
            let bytes = Array("a APPEND INBOX {17+}\r\none\ntwo\r\nthree\rx\n\r\n".utf8)
            var answer = ""
            for start in stride(from: 0, to: bytes.count, by: size) {
                answer += String(
                    decoding: await client.sendBytes(Array(bytes[start..<min(start + size, bytes.count)])),
                    as: UTF8.self)
            }
            #expect(answer.contains("a OK [APPENDUID "))
            #expect(
                await client.send("b FETCH * BODY.PEEK[]\r\n").contains(" {20}\r\none\r\ntwo\r\nthree\r\nx\r\n)"))
        }
    }

    @Test("NUL is refused in a literal, and taken in a literal8") func nul() async throws {
        let fixture = try await Fixture()
        let client = await fixture.session("INBOX")
        #expect(await client.send("a APPEND INBOX {3+}\r\na\0b\r\n").hasPrefix("a NO [UNKNOWN-CTE] "))
        #expect(await client.send("b APPEND INBOX ~{3+}\r\na\0b\r\n").contains("b OK "))
        // Kept in a transfer encoding, for those who do not know of literal8.
        #expect(await client.send("c FETCH 1 RFC822\r\n").contains("Content-Transfer-Encoding: base64\r\n\r\nYQBi\r\n"))
        #expect(await client.send("d FETCH 1 BINARY[1]\r\n").contains("~{3}\r\na\0b)"))
    }

    @Test("What is too large is refused before it is invited; what is under way is passed over or ends the session")
    func tooLarge() async throws {
        let fixture = try await Fixture()
        var settings = IMAPSettings()
        settings.maximumMessageSize = 10
        let client = await fixture.session(settings: settings)
        await client.expect("a APPEND INBOX {11}\r\n", "a NO [TOOBIG] The message is too large\r\n")
        #expect(await client.send("b APPEND INBOX {11+}\r\n0123456789x\r\nc NOOP\r\n").hasSuffix("c OK Completed\r\n"))
        let end = await client.send("d APPEND INBOX {9999999999+}\r\n")
        #expect(end.hasPrefix("d NO [TOOBIG] ") && end.contains("* BYE "))
        #expect(client.isClosed)
    }

    @Test("Before authentication only small literals are asked for") func unauthenticated() async throws {
        let fixture = try await Fixture()
        let client = fixture.client()
        _ = await client.connect()
        #expect(await client.send("a LOGIN {5000}\r\n").hasPrefix("a BAD [LIMIT] "))
        #expect(await client.send("b APPEND INBOX {5}\r\n").hasPrefix("b BAD "))
        #expect(await client.send("c NOOP\r\n").hasPrefix("c OK"))
    }

    @Test("An APPEND is added to the mailbox whose name was asked for, with its flags") func flags() async throws {
        let fixture = try await Fixture()
        let client = await fixture.session("INBOX")
        _ = await client.send("a APPEND Trash (\\Seen $Label) \"01-Feb-2020 10:00:00 +0100\" {3+}\r\nabc\r\n")
        _ = await client.send("b SELECT Trash\r\n")
        await client.expect(
            "c FETCH 1 (FLAGS INTERNALDATE)\r\n",
            "* 1 FETCH (FLAGS (\\Seen $Label \\Recent) INTERNALDATE \" 1-Feb-2020 10:00:00 +0100\")\r\n"
                + "c OK FETCH completed\r\n")
    }
}
