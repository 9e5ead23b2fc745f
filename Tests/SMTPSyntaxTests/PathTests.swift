import MailTestSupport
import MailVocabulary
import SMTPSyntax
import Testing
import WireFraming

@Suite("Paths and parameters")
struct PathTests {
    private static let long = String(repeating: "a", count: 64)
    private static let domain63 = String(repeating: "d", count: 63)

    @Test(
        "A path is read and written back",
        arguments: [
            ("<a@example.org>", "a@example.org"),
            ("<A.b+c=d@EXAMPLE.org>", "A.b+c=d@example.org"),
            ("<\"a b\"@example.org>", "\"a b\"@example.org"),
            ("<\"a\\\"b\\\\c\"@example.org>", "\"a\\\"b\\\\c\"@example.org"),
            ("<\"plain\"@example.org>", "plain@example.org"),
            ("<\"pl\\ain\"@example.org>", "plain@example.org"),
            ("<\"\"@example.org>", "\"\"@example.org"),
            ("<\"a@b>c\"@example.org>", "\"a@b>c\"@example.org"),
            ("<@hosta.int,@jkl.org:userc@d.bar.org>", "userc@d.bar.org"),
            ("<a@[192.0.2.1]>", "a@[192.0.2.1]"),
            ("<\"a b\"@[IPv6:2001:db8::1]>", "\"a b\"@[IPv6:2001:db8::1]"),
            ("<\(long)@example.org>", "\(long)@example.org"),
            ("<postmaster@example.org>", "postmaster@example.org"),
            ("<a@localhost>", "a@localhost"),
        ])
    func accepted(_ path: String, _ canonical: String) throws {
        guard case .mailbox(let mailbox) = try rcpt("TO:" + path).get().forwardPath else {
            Issue.record("not a mailbox")
            return
        }
        #expect(mailbox.description == canonical)
        let sender = try mail("FROM:" + path).get().reversePath
        #expect(sender.text == "<\(canonical)>")
    }

    @Test(
        "What is no path is refused",
        arguments: [
            "", "a@example.org", "<a@example.org", "<a@>", "<@example.org>", "<a>", "<.a@example.org>",
            "<a..b@example.org>", "<a.@example.org>", "<a b@example.org>", "<\"a@example.org>", "<\"a\"b@example.org>",
            "<\"a\u{7}\"@example.org>", "<a@b@example.org>", "<a@-example.org>", "<a@example..org>", "<a@example.org.>",
            "<a@[192.0.2.256]>", "<a@[192.0.2]>", "<a@[IPv6:2001:db8::1::2]>", "<a@192.0.2.1]>", "<a@[]>",
            "<@a.example a@example.org>", "<@a.example,:a@example.org>", "<@:a@example.org>", "<(c)a@example.org>",
            "<\(String(repeating: "a", count: 65))@example.org>",
            "<\"\(String(repeating: "a", count: 65))\"@example.org>",
            "<a@\(domain63).\(domain63).\(domain63).\(domain63)>",
            "<@\(domain63).\(domain63).\(domain63).example:a@\(domain63).example>",
        ])
    func refused(_ path: String) {
        #expect(rcpt("TO:" + path) == .failure(.badPath))
        #expect(mail("FROM:" + path) == .failure(.badPath))
    }

    @Test("The null path is a sender only, Postmaster alone a recipient only")
    func specialPaths() throws {
        #expect(try mail("FROM:<>").get().reversePath == .null)
        #expect(rcpt("TO:<>") == .failure(.badPath))
        #expect(try rcpt("TO:<postMASTER>").get().forwardPath == .postmaster)
        #expect(mail("FROM:<Postmaster>") == .failure(.badPath))
    }

    @Test("Invalid UTF-8 is no address")
    func invalidUTF8() {
        for bytes in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xC3]] as [[UInt8]] {
            for (head, tail) in [("TO:<", "@example.org>"), ("TO:<\"", "\"@example.org>"), ("TO:<a@", ".org>")] {
                let line = Array(head.utf8) + bytes + Array(tail.utf8)
                #expect(throws: SMTPSyntaxError.badPath) { try RcptCommand(parsing: line.span) }
            }
        }
    }

    @Test("Characters beyond ASCII need SMTPUTF8")
    func internationalised() throws {
        #expect(mail("FROM:<грета@example.org>") == .failure(.needsSMTPUTF8))
        #expect(mail("FROM:<a@bücher.example>") == .failure(.needsSMTPUTF8))
        #expect(try mail("FROM:<грета@example.org> smtputf8").get().isInternationalized)
        #expect(try mail("FROM:<\"я и\"@bücher.example> SMTPUTF8").get().reversePath.text == "<\"я и\"@bücher.example>")
    }

    @Test("Parameters of MAIL are read in any order and case")
    func parameters() throws {
        let command = try mail("FROM:<a@b.example>  body=8bitmime SIZE=123 SMTPUTF8 AUTH=<> ").get()
        #expect(command.declaredSize == 123)
        #expect(command.body == .eightBitMIME)
        #expect(command.isInternationalized)
        #expect(try mail("from:<a@b.example> AUTH=a+2Bb@c.example").get().body == nil)
        #expect(try mail("FROM:<a@b.example> SIZE=99999999999999999999").get().declaredSize == UInt64(Int64.max))
    }

    @Test(
        "Parameters that are wrong are refused",
        arguments: [
            ("SIZE", SMTPSyntaxError.badParameter), ("SIZE=", .badParameter), ("SIZE=-1", .badParameter),
            ("SIZE=123456789012345678901", .badParameter), ("BODY", .badParameter), ("BODY=9BIT", .badParameter),
            ("SMTPUTF8=1", .badParameter), ("AUTH", .badParameter), ("AUTH=a", .badParameter),
            ("AUTH=a+4@b.example", .badParameter), ("AUTH=a+2bb@c.example", .badParameter),
            ("SIZE=1 SIZE=1", .badParameter), ("SIZE=1=2", .badArgument), ("X=1", .unknownParameter),
            ("RET=FULL", .unknownParameter), ("-X", .badArgument), ("=1", .badArgument), ("X\u{1}", .badArgument),
        ])
    func badParameters(_ text: String, _ error: SMTPSyntaxError) {
        #expect(mail("FROM:<a@b.example> " + text) == .failure(error))
    }

    @Test("More parameters than extensions define are refused")
    func tooManyParameters() {
        let many = (0..<17).map { "X\($0)=1" }.joined(separator: " ")
        #expect(mail("FROM:<a@b.example> " + many) == .failure(.badParameter))
        #expect(rcpt("TO:<a@b.example> NOTIFY=NEVER") == .failure(.unknownParameter))
        #expect(mail("FROM:<a@b.example>SIZE=1") == .failure(.badArgument))
        #expect(mail("<a@b.example>") == .failure(.badArgument))
    }

    @Test("xtext decodes what RFC 3461 §4 encodes")
    func xtext() {
        #expect(XText.decode(Array("e+3Dmc2@example.com".utf8)) == Array("e=mc2@example.com".utf8))
        #expect(XText.decode([]) == [])
        for bad in ["a=b", "a+", "a+3", "a+3d", "a b", "ä"] { #expect(XText.decode(Array(bad.utf8)) == nil) }
    }

    @Test(
        "A client's name is a domain, an address, or harmless",
        arguments: [
            ("bar.com", ClientName.domain("bar.com")), (" BAR.com ", .domain("bar.com")), ("my_pc", .domain("my_pc")),
            ("bar.com.", .malformed), ("it's", .malformed), ("[fe80::1]", .malformed), ("[192.0.2.1]x", .malformed),
        ])
    func clientNames(_ text: String, _ name: ClientName) throws {
        let bytes = Array(text.utf8)
        #expect(try ClientName(parsing: bytes.span) == name)
    }

    @Test(
        "A client's name is one word of ASCII",
        arguments: ["", " ", "a b", "ä.example", "a\tb", String(repeating: "a", count: 258)])
    func badClientNames(_ text: String) {
        let bytes = Array(text.utf8)
        #expect(throws: SMTPSyntaxError.badArgument) { try ClientName(parsing: bytes.span) }
    }

    @Test(
        "Address literals of every kind",
        arguments: [
            "192.0.2.1", "0.0.0.0", "255.255.255.255", "IPv6:::", "IPv6:::1", "IPv6:2001:db8::1", "ipv6:fe80::",
            "IPv6:1:2:3:4:5:6:7:8", "IPv6:::ffff:192.0.2.1", "IPv6:1:2:3:4:5:6:192.0.2.1",
        ])
    func literals(_ content: String) { #expect(AddressLiteral(content: content)?.description == "[\(content)]") }

    @Test(
        "What is no address literal",
        arguments: [
            "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.0004", "a.b.c.d", "IPv6:", "IPv6:1", "IPv6::1", "IPv6:1:",
            "IPv6:1:2:3:4:5:6:7", "IPv6:1:2:3:4:5:6:7:8:9", "IPv6:1::2::3", "IPv6:12345::", "IPv6:g::",
            "IPv6:1:2:3:4:5:6:7:192.0.2.1", "IPv6:192.0.2.1", "IPv6:1:2:3:4:5:6:7:8::", "X-net:abc", "X:", "fe80::1",
        ])
    func badLiterals(_ content: String) { #expect(AddressLiteral(content: content) == nil) }

    @Test("AUTH takes a mechanism and at most one response")
    func auth() throws {
        func parse(_ text: String) throws -> AuthCommand { try AuthCommand(parsing: Array(text.utf8).span) }
        #expect(try parse("PLAIN").initialResponse == .none)
        #expect(try parse("plain =").initialResponse == .empty)
        #expect(try parse("PLAIN dGlt").initialResponse == .encoded(6..<10))
        for bad in ["", "=", "PLAIN ", "PLAIN a b", "PLAIN  a", "A.B", String(repeating: "A", count: 21)] {
            #expect(throws: SMTPSyntaxError.badArgument) { try parse(bad) }
        }
    }

    @Test("Damaged commands are refused or read, never worse")
    func mutations() {
        let seeds = [
            "FROM:<@a.example,@b.example:\"q\\\"x\"@c.example> SIZE=10 BODY=8BITMIME AUTH=a+3Db@c.example",
            "FROM:<ä@[IPv6:2001:db8::ffff:192.0.2.1]> SMTPUTF8", "TO:<Postmaster>", "TO:<a.b@c.example>",
        ]
        var generator = SeededGenerator(seed: 5321)
        var accepted = 0
        for round in 0..<8000 {
            let bytes = generator.mutation(of: Array(seeds[round % seeds.count].utf8))
            if let command = try? MailCommand(parsing: bytes.span) {
                accepted += 1
                // What is accepted can be written and is read the same again.
                let again = mail("FROM:\(command.reversePath.text)" + (command.isInternationalized ? " SMTPUTF8" : ""))
                #expect((try? again.get().reversePath) == command.reversePath)
                #expect(!command.reversePath.text.utf8.contains { $0 < 0x20 || $0 == 0x7F })
            }
            if (try? RcptCommand(parsing: bytes.span)) != nil { accepted += 1 }
            _ = try? ClientName(parsing: bytes.span)
            _ = try? AuthCommand(parsing: bytes.span)
        }
        #expect(accepted > 100)
    }
}
