import MailTestSupport
import MessageFormat
import Testing

@Suite("Previews [8970-3.3]")
struct PreviewTests {
    private func preview(_ message: String) -> String {
        let bytes = Array(message.replacing("\n", with: "\r\n").utf8)
        let summary = MessageSummary(parsing: bytes.span)
        #expect(MessageSummary.preview(encodedSummary: summary.encoded().span) == summary.preview)
        return String(decoding: summary.preview, as: UTF8.self)
    }

    @Test("White space becomes one space, and 200 characters are told") func plain() {
        #expect(preview("Subject: x\n\n  Hello,\n\n\tworld  \n") == "Hello, world")
        let long = preview("\n" + String(repeating: "ab ", count: 300))
        #expect(long.unicodeScalars.count == 200 && long.hasPrefix("ab ab "))
        #expect(preview("\n" + String(repeating: "x", count: 200)) == String(repeating: "x", count: 200))
    }

    @Test("A character is not cut") func cut() {
        // Each is two scalars: a letter and its accent.
        let text = preview("Content-Type: text/plain; charset=utf-8\n\nx" + String(repeating: "e\u{301}", count: 150))
        #expect(text == "x" + String(repeating: "e\u{301}", count: 99))
    }

    @Test("Encodings and character sets are undone") func decoded() {
        #expect(
            preview(
                """
                Content-Type: text/plain; charset=iso-8859-1
                Content-Transfer-Encoding: quoted-printable

                Gr=FC=DFe =
                aus K=F6ln
                """) == "Grüße aus Köln")
        #expect(
            preview("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nR3LDvMOfZQ==\n")
                == "Grüße")
    }

    @Test("HTML gives its text") func html() {
        #expect(
            preview(
                """
                Content-Type: text/html; charset=utf-8

                <html><head><title>No</title><style>p { color: red }</style></head><!-- hidden > -->
                <body><p>Dear <b>Fr</b>ed,</p><p>5 &lt; 6 &amp; 7&#x2026;&nbsp;&euro; &unknown; AT&T</p>
                <script>if (a < b) { alert("</p>") }</script>end</body></html>
                """) == "Dear Fred, 5 < 6 & 7… € &unknown; AT&T end")
    }

    @Test("Plain text is preferred, attachments and messages inside are not looked at") func choice() {
        let multipart = """
            Content-Type: multipart/mixed; boundary=a

            --a
            Content-Type: text/plain
            Content-Disposition: attachment; filename=x.txt

            attached
            --a
            Content-Type: message/rfc822

            Subject: inner

            forwarded
            --a
            Content-Type: multipart/alternative; boundary=b

            --b
            Content-Type: text/html

            <p>rich</p>
            --b
            Content-Type: text/plain

            poor
            --b--
            --a--
            """
        #expect(preview(multipart) == "poor")
        #expect(preview(multipart.replacing("poor", with: "  ")) == "rich")
        #expect(preview("Content-Type: image/png\n\nx") == "")
        #expect(preview("Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 x") == "")
    }

    @Test("Whatever the octets, a preview is short and on one line") func anything() {
        var random = SeededGenerator(state: 3)
        let pieces = [
            "<", ">", "&", ";", "#x", "</script", "<script>", "<!--", "-->", "a", " ", "é", "\u{202E}", "\u{0}",
        ]
        for _ in 0..<500 {
            var body = ""
            for _ in 0..<200 { body += pieces[Int.random(in: 0..<pieces.count, using: &random)] }
            let text = preview("Content-Type: text/html; charset=utf-8\n\n" + body)
            #expect(text.unicodeScalars.count <= 200)
            #expect(!text.contains("\r") && !text.contains("\n") && !text.contains("\u{0}"))
        }
    }
}
