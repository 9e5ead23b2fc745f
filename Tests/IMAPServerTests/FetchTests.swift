import Foundation
import MailStore
import MailTestSupport
import MailVocabulary
import Testing
import WireFraming

@testable import IMAPServer

@Suite struct FetchTests {
    /// A multipart with a text, a forwarded message that is itself a multipart, and an attachment.
    static let nested = """
        From: =?UTF-8?Q?J=C3=BCrgen?= <j@example.org>
        To: fred@example.org
        Subject: nested
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary=outer

        preamble
        --outer
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        caf=C3=A9
        second line
        --outer
        Content-Type: message/rfc822
        Content-Description: a forward

        From: inner@example.org
        Subject: inside
        Content-Type: multipart/alternative; boundary=inner

        --inner

        plain
        --inner
        Content-Type: text/html

        <p>html</p>
        --inner--
        --outer
        Content-Type: application/octet-stream; name="a.bin"
        Content-Transfer-Encoding: base64
        Content-Disposition: attachment; filename="a.bin"

        AAEC
        --outer--
        epilogue

        """

    struct Section: Sendable {
        var name: String
        /// LF for CRLF; nil for NIL.
        var value: String?
        init(_ name: String, _ value: String?) { (self.name, self.value) = (name, value) }
    }

    static let inner = """
        From: inner@example.org
        Subject: inside
        Content-Type: multipart/alternative; boundary=inner

        --inner

        plain
        --inner
        Content-Type: text/html

        <p>html</p>
        --inner--
        """
    static let innerHeader = inner.components(separatedBy: "\n\n")[0] + "\n\n"

    static let sections: [Section] = [
        Section("BODY[]", nested),
        Section("BODY[HEADER]", nested.components(separatedBy: "\n\n")[0] + "\n\n"),
        Section("BODY[TEXT]", String(nested.dropFirst(nested.components(separatedBy: "\n\n")[0].count + 2))),
        Section("BODY[1]", "caf=C3=A9\nsecond line"),
        Section(
            "BODY[1.MIME]",
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"),
        Section("BODY[2]", inner),
        Section("BODY[2.MIME]", "Content-Type: message/rfc822\nContent-Description: a forward\n\n"),
        Section("BODY[2.HEADER]", innerHeader),
        Section("BODY[2.TEXT]", String(inner.dropFirst(innerHeader.count))),
        Section("BODY[2.HEADER.FIELDS (SUBJECT)]", "Subject: inside\n\n"),
        Section("BODY[2.1]", "plain"),
        Section("BODY[2.1.MIME]", "\n"),
        Section("BODY[2.2]", "<p>html</p>"),
        Section("BODY[2.2.MIME]", "Content-Type: text/html\n\n"),
        Section("BODY[3]", "AAEC"),
        Section("BODY[4]", nil),
        Section("BODY[1.1]", nil),
        Section("BODY[1.HEADER]", nil),
        Section("BODY[2.3]", nil),
        Section("BODY[HEADER.FIELDS (subject TO)]", "To: fred@example.org\nSubject: nested\n\n"),
        Section("BODY[HEADER.FIELDS (x-none)]", "\n"),
        Section(
            "BODY[HEADER.FIELDS.NOT (from Content-Type MIME-Version)]",
            "To: fred@example.org\nSubject: nested\n\n"),
        Section("BODY[3]<1>", "AEC"),
    ]

    @Test("Each section has exactly its octets", arguments: sections) func section(_ section: Section) async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([Self.nested])
        let client = await fixture.session("INBOX")
        // What is asked for with a length is answered with the offset alone.
        let request = section.name.replacing("<1>", with: "<1.100>").replacing("BODY[", with: "BODY.PEEK[")
        let answer = await client.send("a FETCH 1 \(request)\r\n")
        let value = section.value.map { text in
            let bytes = text.replacing("\n", with: "\r\n")
            return "{\(bytes.utf8.count)}\r\n\(bytes)"
        }
        #expect(answer == "* 1 FETCH (\(section.name) \(value ?? "NIL"))\r\na OK FETCH completed\r\n")
    }

    @Test("BODYSTRUCTURE, BODY and ENVELOPE") func structure() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([Self.nested])
        let client = await fixture.session("INBOX")
        let inner =
            "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 5 0)(\"TEXT\" \"HTML\" NIL NIL NIL \"7BIT\" 11 0) \"ALTERNATIVE\")"
        let innerEnvelope = """
            (NIL "inside" ((NIL NIL "inner" "example.org")) ((NIL NIL "inner" "example.org")) \
            ((NIL NIL "inner" "example.org")) NIL NIL NIL NIL NIL)
            """
        let forward = Self.inner.replacing("\n", with: "\r\n")
        let body = """
            (("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "QUOTED-PRINTABLE" 22 1)\
            ("MESSAGE" "RFC822" NIL NIL "a forward" "7BIT" \(forward.utf8.count) \(innerEnvelope) \(inner) 11)\
            ("APPLICATION" "OCTET-STREAM" ("NAME" "a.bin") NIL NIL "BASE64" 4) "MIXED")
            """
        await client.expect("a FETCH 1 BODY\r\n", "* 1 FETCH (BODY \(body))\r\na OK FETCH completed\r\n")
        let extended = await client.send("b FETCH 1 BODYSTRUCTURE\r\n")
        #expect(extended.contains("(\"ATTACHMENT\" (\"FILENAME\" \"a.bin\")) NIL NIL)"))
        #expect(extended.contains("\"MIXED\" (\"BOUNDARY\" \"outer\") NIL NIL NIL))\r\n"))
        let envelope = await client.send("c UID FETCH 1 ENVELOPE\r\n")
        #expect(
            envelope == """
                * 1 FETCH (UID 1 ENVELOPE (NIL "nested" \
                (("=?UTF-8?Q?J=C3=BCrgen?=" NIL "j" "example.org")) (("=?UTF-8?Q?J=C3=BCrgen?=" NIL "j" "example.org")) \
                (("=?UTF-8?Q?J=C3=BCrgen?=" NIL "j" "example.org")) ((NIL NIL "fred" "example.org")) NIL NIL NIL NIL))\r
                c OK FETCH completed\r\n
                """)
    }

    @Test("message/global is a basic part, and its parts can be fetched") func global() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([Self.nested.replacing("message/rfc822", with: "message/global")])
        let client = await fixture.session("INBOX")
        let size = Self.inner.replacing("\n", with: "\r\n").utf8.count
        let part = "(\"MESSAGE\" \"GLOBAL\" NIL NIL \"a forward\" \"7BIT\" \(size)"
        #expect(await client.send("a FETCH 1 BODY\r\n").contains(part + ")("))
        #expect(await client.send("b FETCH 1 BODYSTRUCTURE\r\n").contains(part + " NIL NIL NIL NIL)("))
        await client.expect(
            "c FETCH 1 BODY.PEEK[2.1]\r\n", "* 1 FETCH (BODY[2.1] {5}\r\nplain)\r\nc OK FETCH completed\r\n")
    }

    @Test("RFC822 and its kin; what sets \\Seen and what does not") func seen() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...4).map { "Subject: s\n\nb\($0)\n" })
        let client = await fixture.session("INBOX")
        await client.expect(
            "a FETCH 1 (RFC822.HEADER BODY.PEEK[TEXT] RFC822.SIZE)\r\n",
            "* 1 FETCH (RFC822.HEADER {14}\r\nSubject: s\r\n\r\n BODY[TEXT] {4}\r\nb1\r\n RFC822.SIZE 18)\r\na OK FETCH completed\r\n"
        )
        await client.expect(
            "b FETCH 1:2 RFC822.TEXT\r\n",
            """
            * 1 FETCH (RFC822.TEXT {4}\r\nb1\r\n FLAGS (\\Seen \\Recent))\r
            * 2 FETCH (RFC822.TEXT {4}\r\nb2\r\n FLAGS (\\Seen \\Recent))\r
            b OK FETCH completed\r\n
            """)
        // Asked for FLAGS: told once, as they are now.
        await client.expect(
            "c FETCH 3 (FLAGS RFC822)\r\n",
            "* 3 FETCH (FLAGS (\\Seen \\Recent) RFC822 {18}\r\nSubject: s\r\n\r\nb3\r\n)\r\nc OK FETCH completed\r\n")
        await client.expect("d NOOP\r\n", "d OK Completed\r\n")
        _ = await client.send("e EXAMINE INBOX\r\n")
        await client.expect(
            "f FETCH 4 BODY[TEXT]<1.2>\r\n", "* 4 FETCH (BODY[TEXT]<1> {2}\r\n4\r)\r\nf OK FETCH completed\r\n")
        await client.expect("g FETCH 4 FLAGS\r\n", "* 4 FETCH (FLAGS ())\r\ng OK FETCH completed\r\n")
    }

    @Test("A large body is produced in pieces, byte for byte") func large() async throws {
        let fixture = try await Fixture()
        let line = String(repeating: "0123456789", count: 7) + "\n"
        try await fixture.deliver(["Subject: large\n\n" + String(repeating: line, count: 20_000), Fixture.simple(2)])
        let text = "Subject: large\r\n\r\n" + String(repeating: line.replacing("\n", with: "\r\n"), count: 20_000)
        let client = await fixture.session("INBOX")
        let answer = await client.send(
            "a FETCH 1:2 (UID BODY.PEEK[] BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[TEXT]<70000.10>)\r\n")
        let body = Fixture.simple(2).replacing("\n", with: "\r\n")
        let slice = String(decoding: Array(text.utf8.dropFirst(18 + 70_000).prefix(10)), as: UTF8.self)
        #expect(
            answer
                == "* 1 FETCH (UID 1 BODY[] {\(text.utf8.count)}\r\n\(text) BODY[HEADER.FIELDS (SUBJECT)] {18}\r\n"
                + "Subject: large\r\n\r\n BODY[TEXT]<70000> {10}\r\n\(slice))\r\n"
                + "* 2 FETCH (UID 2 BODY[] {\(body.utf8.count)}\r\n\(body) BODY[HEADER.FIELDS (SUBJECT)] {22}\r\n"
                + "Subject: message 2\r\n\r\n BODY[TEXT]<70000> {0}\r\n)\r\na OK FETCH completed\r\n")
    }

    @Test("No step of a long FETCH writes much more than a chunk") func steps() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([String(repeating: String(repeating: "x", count: 76) + "\n", count: 50_000)])
        for command in ["a FETCH 1 BODY.PEEK[]\r\n", "b FETCH 1:* (FLAGS)\r\n"] {
            var stepper = try await fixture.stepper(selecting: "INBOX")
            let sizes = await stepper.outputs(command)
            #expect((sizes.max() ?? 0) <= 2 * productionChunk)
        }
    }

    @Test("A message that is gone: NIL, and NO [EXPUNGEISSUED]") func gone() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([Fixture.simple(1), Fixture.simple(2)])
        let client = await fixture.session("INBOX")
        let other = await fixture.session("INBOX")
        _ = await other.send("x STORE 1 +FLAGS.SILENT (\\Deleted)\r\ny EXPUNGE\r\n")
        await client.expect(
            "a FETCH 1:2 BODY.PEEK[HEADER.FIELDS (FROM)]\r\n",
            """
            * 1 FETCH (BODY[HEADER.FIELDS (FROM)] NIL)\r
            * 2 FETCH (BODY[HEADER.FIELDS (FROM)] {24}\r\nFrom: a2@example.org\r\n\r\n)\r
            a NO [EXPUNGEISSUED] Some of the messages are gone\r\n
            """)
        #expect(await client.send("b FETCH 1 FLAGS\r\n").hasPrefix("* 1 FETCH (FLAGS (\\Recent))\r\nb OK"))
        await client.expect("c STORE 1 +FLAGS (\\Seen)\r\n", "c NO [EXPUNGEISSUED] Some of the messages are gone\r\n")
        #expect(await client.send("d NOOP\r\n").hasPrefix("* 1 EXPUNGE\r\n"))
    }
}
