import MessageFormat
import Testing

@Suite("MIME structure (RFC 2045, 2046)")
struct StructureTests {
    static let nested = """
        From: a@x
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary="outer"

        preamble
        --outer

        first
        --outer
        Content-Type: application/octet-stream
        Content-Transfer-Encoding: base64

        AAAA
        --outer
        Content-Type: message/rfc822

        Subject: inner
        From: b@y
        Content-Type: multipart/mixed; boundary=inner

        --inner
        Content-Type: text/plain; charset=utf-8

        one
        two
        --inner
        Content-Type: application/pdf

        pdf
        --inner--
        --outer
        Content-Type: multipart/mixed; boundary=deep

        --deep
        Content-Type: image/gif

        gif
        --deep
        Content-Type: message/rfc822

        Subject: deep

        plain

        --deep--
        --outer--
        epilogue
        """

    @Test("Parts have the numbers of RFC 9051 §6.4.5.1")
    func numbering() throws {
        let bytes = message(Self.nested)
        let root = parse(bytes).structure
        func body(_ path: Int...) -> String? {
            root.part(at: path).map { String(decoding: bytes[$0.bodyRange], as: UTF8.self) }
        }
        #expect(body(1) == "first")
        #expect(body(2) == "AAAA")
        #expect(body(3, 1) == "one\r\ntwo")
        #expect(body(3, 2) == "pdf")
        #expect(body(4, 1) == "gif")
        #expect(body(4, 2) == "Subject: deep\r\n\r\nplain\r\n")
        #expect(body(4, 2, 1) == "plain\r\n")
        for path in [[0], [5], [-1], [1, 1], [2, 1], [3, 3], [3, 1, 1], [4, 2, 2], [4, 2, 1, 1]] {
            #expect(root.part(at: path) == nil, "\(path)")
        }
        #expect(root.part(at: []) == root)
        let inner = try #require(root.part(at: [3]))
        #expect(inner.encapsulatedEnvelope?.subject == octets("inner"))
        #expect(inner.encapsulatedEnvelope?.sender.first?.host == octets("y"))
        let header = try #require(inner.encapsulatedMessage?.headerRange)
        #expect(String(decoding: bytes[header], as: UTF8.self).hasPrefix("Subject: inner\r\n"))
        #expect(inner.bodyRange.lowerBound == header.lowerBound)
    }

    @Test("A message that is no multipart is its own part 1")
    func singlePart() {
        let root = summary("Subject: x\n\nbody\n").structure
        #expect(root.part(at: [1]) == root)
        #expect(root.part(at: [2]) == nil)
        #expect(root.part(at: [1, 1]) == nil)
        let forwarded = summary("Content-Type: message/rfc822\n\nSubject: x\n\nbody\n").structure
        #expect(forwarded.part(at: [1]) == forwarded)
        #expect(forwarded.part(at: [1, 1]) == forwarded.encapsulatedMessage)
    }

    @Test("Line ends in the body are counted; the one before a delimiter is not in it")
    func lineCounts() throws {
        let root = summary(Self.nested).structure
        #expect(root.part(at: [1])?.lineCount == 0)
        #expect(root.part(at: [3, 1])?.lineCount == 1)
        #expect(root.part(at: [4, 2])?.lineCount == 3)
        #expect(root.part(at: [4, 2, 1])?.lineCount == 1)
        #expect(summary("A: b\n\none\ntwo\n").structure.lineCount == 2)
        let bare = parse(octets("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\ntwo\n\n--b--\n")).structure
        #expect(bare.part(at: [1])?.lineCount == 2)
    }

    @Test("Without Content-Type a part is text/plain; charset=us-ascii, 7bit (RFC 2045 §5.2)")
    func defaults() {
        for header in ["", "Content-Type:\n", "Content-Type: ;x=y\n", "Content-Type: image\n", "Content-Type: /\n"] {
            let part = summary(header + "\nbody").structure
            #expect(part.type == octets("TEXT") && part.subtype == octets("PLAIN"), "\(header)")
            #expect(part.parameters == [BodyParameter(name: octets("CHARSET"), value: octets("us-ascii"))])
            #expect(part.encoding == octets("7BIT"))
            #expect(part.kind == .text)
        }
        let bare = summary("Content-Type: text; charset=utf-8\n\n").structure
        #expect(bare.subtype == octets("PLAIN"))
        #expect(bare.parameters == [BodyParameter(name: octets("CHARSET"), value: octets("utf-8"))])
    }

    @Test("The fields of a part")
    func fields() {
        let part = summary(
            """
            Content-Type: image/Png (a picture); NAME="a \\"b\\".png" (c); x = y ; file=with space (no)
            Content-Transfer-Encoding: Base64 (of course)
            Content-ID: <id@x>
            Content-Description: a
             picture
            Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==
            Content-Disposition: attachment; filename=a.png
            Content-Language: en, de-AT (Wien)
            Content-Location: http://x/y
            CONTENT-TYPE: text/plain


            """
        ).structure
        #expect(text(part.type) == "IMAGE" && text(part.subtype) == "PNG")
        #expect(part.parameters.map { text($0.name) } == ["NAME", "X", "FILE"])
        #expect(part.parameters.map { text($0.value) } == ["a \"b\".png", "y", "with space"])
        #expect(text(part.encoding) == "BASE64")
        #expect(text(part.id) == "<id@x>")
        #expect(text(part.description) == "a picture")
        #expect(text(part.md5) == "Q2hlY2sgSW50ZWdyaXR5IQ==")
        #expect(
            part.disposition
                == BodyPart.Disposition(
                    type: octets("ATTACHMENT"),
                    parameters: [BodyParameter(name: octets("FILENAME"), value: octets("a.png"))]))
        #expect(part.languages == [octets("en"), octets("de-AT")])
        #expect(text(part.location) == "http://x/y")
    }

    @Test(
        "Multiparts as they are found",
        arguments: [
            // RFC 2046 §5.1.1
            (
                "preamble\n--b\n\nimplicitly typed\n--b\nContent-type: text/plain\n\nexplicitly typed\n\n--b--\nepilogue",
                #"(TEXT/PLAIN"implicitly typed" TEXT/PLAIN"explicitly typed\#r\#n")"#
            ),
            ("--b  \t\n\na\n--b--  \nepilogue\n--b\n", #"(TEXT/PLAIN"a")"#),
            (
                "--b\n\na\n--bc\nb\n-- b\n--b-\n--b--x\n--b--",
                #"(TEXT/PLAIN"a\#r\#n--bc\#r\#nb\#r\#n-- b\#r\#n--b-\#r\#n--b--x")"#
            ),
            // No close-delimiter, cut off anywhere
            ("--b\n\na\n", #"(TEXT/PLAIN"a\#r\#n")"#),
            ("--b\n\na\n--b", #"(TEXT/PLAIN"a")"#),
            ("--b\n\na\n--b\nContent-Type: image/gif", #"(TEXT/PLAIN"a" IMAGE/GIF"")"#),
            // No header, no blank line, nothing at all
            ("--b\nno header here\n--b--", #"(TEXT/PLAIN"no header here")"#),
            ("--b\nContent-Type: image/gif\n--b\n\n--b\n--b--", #"(IMAGE/GIF"" TEXT/PLAIN"" TEXT/PLAIN"")"#),
            ("--b\nContent-Type: image/gif\nno blank line\n--b--", #"(IMAGE/GIF"no blank line")"#),
        ])
    func multiparts(body: String, expected: String) {
        #expect(shape("Content-Type: multipart/mixed; boundary=b\n\n" + body) == "MULTIPART/MIXED" + expected)
    }

    @Test(
        "A multipart that has no boundary, or no part, is read as text/plain",
        arguments: [
            "Content-Type: multipart/mixed\n\n--b\n\na", "Content-Type: multipart/mixed; boundary=\"\"\n\n--b\n\na",
            "Content-Type: multipart/mixed; boundary=c\n\n--b\n\na",
        ])
    func multipartWithoutParts(whole: String) {
        #expect(shape(whole) == "TEXT/PLAIN\"--b\r\n\r\na\"")
    }

    @Test("A missing close-delimiter ends at the next outer one")
    func missingClose() {
        let whole = """
            Content-Type: multipart/mixed; boundary=outer

            --outer
            Content-Type: multipart/alternative; boundary="outer-in"

            --outer-in

            a
            --outer
            Content-Type: message/rfc822

            Content-Type: multipart/mixed; boundary=x

            --x

            b
            --outer

            c
            --outer--
            """
        #expect(
            shape(whole) == "MULTIPART/MIXED(MULTIPART/ALTERNATIVE(TEXT/PLAIN\"a\") "
                + "MESSAGE/RFC822(MULTIPART/MIXED(TEXT/PLAIN\"b\")) TEXT/PLAIN\"c\")")
    }

    @Test("Parts of a digest are messages unless they say otherwise (RFC 2046 §5.1.5)")
    func digest() {
        let whole = """
            Content-Type: multipart/digest; boundary=b

            --b

            Subject: one

            1
            --b
            Content-Type: text/plain

            2
            --b--
            """
        #expect(shape(whole) == "MULTIPART/DIGEST(MESSAGE/RFC822(TEXT/PLAIN\"1\") TEXT/PLAIN\"2\")")
    }

    @Test("message/global is a message; other message types are not looked into")
    func messageTypes() {
        #expect(shape("Content-Type: message/global\n\nA: b\n\nx") == "MESSAGE/GLOBAL(TEXT/PLAIN\"x\")")
        #expect(shape("Content-Type: message/partial\n\nA: b\n\nx") == "MESSAGE/PARTIAL\"A: b\r\n\r\nx\"")
    }

    @Test(
        "Where the header ends",
        arguments: [
            ("", "", ""), ("\n", "\r\n", ""), ("\nbody", "\r\n", "body"), ("A: b", "A: b", ""),
            ("A: b\n", "A: b\r\n", ""), ("A: b\n\nx", "A: b\r\n\r\n", "x"), ("A: b\nbody\n", "A: b\r\n", "body\r\n"),
            ("no header\n\nx", "", "no header\r\n\r\nx"), ("A : b\n c\n\t\n\nx", "A : b\r\n c\r\n\t\r\n\r\n", "x"),
            ("From ann Thu Jan  1 00:00:00 1970\nA: b\n\nx", "From ann Thu Jan  1 00:00:00 1970\r\nA: b\r\n\r\n", "x"),
        ])
    func headerEnd(whole: String, header: String, body: String) {
        let bytes = message(whole)
        let root = parse(bytes).structure
        #expect(String(decoding: bytes[root.headerRange], as: UTF8.self) == header)
        #expect(String(decoding: bytes[root.bodyRange], as: UTF8.self) == body)
    }

    @Test("A message with bare LF has the same parts")
    func bareLineFeeds() {
        let feeds = shape(octets(Self.nested)).replacing("\n", with: "\r\n")
        #expect(feeds == shape(Self.nested))
    }
}
