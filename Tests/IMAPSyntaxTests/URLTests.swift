import IMAPSyntax
import MailVocabulary
import Testing

@Suite("IMAP URLs [5092-11] [4467-9]")
struct URLTests {
    private func url(_ text: String) throws -> IMAPURL { try #require(IMAPURL(text), "\(text)") }

    @Test func relative() throws {
        let whole = try url("/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER")
        #expect(whole.server == nil && whole.mailbox?.text == "Drafts")
        #expect(whole.uidValidity == 385_759_045 && whole.uid == 20 && whole.section == BodySection(.header))
        #expect(try url("/Drafts/;UID=3002").mailbox?.text == "Drafts")
        #expect(try url(";UID=4/;SECTION=1.MIME").section == BodySection(part: [1], .mime))
        #expect(try url(";UID=4").mailbox == nil)
        #expect(try url("/a/;uid=4/;section=HEADER.FIELDS%20(To)").section == BodySection(.headerFields(["To"])))
        let part = try url("/Entw%C3%BCrfe/x/;UID=4/;SECTION=2/;PARTIAL=0.1024")
        #expect(part.mailbox?.text == "Entwürfe/x" && part.partial?.range(of: 2000) == 0..<1024)
        #expect(try url("/a/;UID=4/;PARTIAL=10").partial?.range(of: 15) == 10..<15)
        #expect(try url("/a/;UID=4/;PARTIAL=10.99").partial?.range(of: 5) == 5..<5)
    }

    @Test func authorised() throws {
        let text =
            "imap://joe@Example.com:993/INBOX/;uid=20/;section=1.2;expire=2026-01-02T03:04:05Z;urlauth=submit+fred"
        let rump = try url(text)
        #expect(rump.server?.user == "joe" && rump.server?.host == "example.com" && rump.uid == 20)
        #expect(rump.section == BodySection(part: [1, 2]))
        #expect(rump.authorization?.access == .submission(onBehalfOf: "fred"))
        #expect(rump.authorization?.expiry == Timestamp(seconds: 1_767_323_045, zoneMinutes: 0))
        #expect(rump.authorization?.token == nil && rump.authorization?.rump == text)
        let full = try url(text + ":internal:91354a473744909de610943775f92055")
        #expect(full.authorization?.rump == text && full.authorization?.token?.mechanism == "INTERNAL")
        #expect(full.authorization?.token?.octets.first == 0x91)
        let user = try url("imap://fred%40example.org@h/a/;uid=1;urlauth=user+a%40b")
        #expect(user.server?.user == "fred@example.org" && user.authorization?.access == .user("a@b"))
        #expect(try url("imap://a@h/a/;uid=1;URLAUTH=anonymous").authorization?.access == .anonymous)
        #expect(
            try url("imap://a@h/a/;uid=1;URLAUTH=stream+x").authorization?.access == .application("stream", user: "x"))
    }

    @Test(
        "What is no such URL is none",
        arguments: [
            "", "/", "http://x/", "imap://", "imap:///a/;uid=1", "/a/;UID=0", "/a/;UID=x", "/a/;UID=1/;SECTION=FOO",
            "/a/;UID=1/;PARTIAL=x", "/a/;UID=1/;PARTIAL=1.0", "/a/;SECTION=1", "/%ZZ/;UID=1", "/%FF/;UID=1",
            "/a b/;UID=1",
            "/a;UIDVALIDITY=0/;UID=1", ";UIDVALIDITY=1/;UID=1", "/a/;UID=1;URLAUTH=user",
            "/a/;UID=1;URLAUTH=anonymous:x",
            "/a/;UID=1;URLAUTH=anonymous:internal:12",
            "/a/;UID=1;URLAUTH=anonymous:internal:zz354a473744909de610943775f92055",
            "/a/;UID=1;EXPIRE=2026-02-30T00:00:00Z;URLAUTH=anonymous", "/a/;UID=99999999999", "/a//b/;UID=1",
        ])
    func rejected(_ text: String) {
        let url = IMAPURL(text)
        #expect(url == nil || url?.uid == nil, "\(text)")
    }

    @Test("Mutated URLs are read or are none") func mutated() {
        var random = SystemRandomNumberGenerator()
        let seed = Array(
            "imap://joe@x.org/INBOX;UIDVALIDITY=1/;uid=20/;section=1.2;expire=2026-01-02T03:04:05Z;urlauth=user+a:b:\(String(repeating: "0f", count: 16))"
                .utf8)
        for _ in 0..<5000 {
            var bytes = seed
            for _ in 0..<3 { bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0x20...0x7F) }
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            let url = IMAPURL(String(decoding: bytes, as: UTF8.self))
            #expect(url?.uid != 0)
        }
    }

    @Test func commands() throws {
        guard case .generateURLs(let urls) = try parse("a GENURLAUTH \"x\" INTERNAL y internal").request else {
            Issue.record()
            return
        }
        #expect(
            urls == [URLToAuthorise(url: "x", mechanism: "INTERNAL"), URLToAuthorise(url: "y", mechanism: "INTERNAL")])
        guard case .fetchURLs(["x", "y"]) = try parse("a URLFETCH x \"y\"").request else {
            Issue.record()
            return
        }
        guard case .resetKey(nil, mechanisms: []) = try parse("a RESETKEY").request,
            case .resetKey(.some(.inbox), mechanisms: ["INTERNAL"]) = try parse("a RESETKEY inbox internal").request
        else {
            Issue.record()
            return
        }
        for bad in ["GENURLAUTH", "GENURLAUTH x", "URLFETCH", "RESETKEY ", "URLFETCH "] {
            #expect(throws: SyntaxError.self, "\(bad)") { try parse("a " + bad) }
        }
    }
}
