import MessageFormat
import Testing

@Suite("Base subjects and i;unicode-casemap")
struct CollationTests {
    private static func base(_ text: String) -> (String, Bool) {
        let octets = Array(text.utf8)
        let base = BaseSubject(octets.span)
        return (String(decoding: base.text, as: UTF8.self), base.isReplyOrForward)
    }

    @Test(
        "RFC 5256 §2.1: the base subject",
        arguments: [
            ("Hello", "Hello", false), ("Re: Hello", "Hello", true), ("RE : Hello", "Hello", true),
            ("Fwd: Re: FW: Hello", "Hello", true), ("re[2]: Hello", "Hello", true),
            ("Re [x] : Hello", "Hello", true),
            ("Re [x]: Hello", "Hello", true),
            ("[list] Hello", "Hello", false), ("[list] Re: Hello", "Hello", true), ("Re: [list] Hello", "Hello", true),
            ("[a] [b] Re: [c] Hello", "Hello", true), ("[list]", "[list]", false), ("Re: [list]", "[list]", true),
            ("[a] [b]", "[b]", false), ("Hello (fwd)", "Hello", true), ("Hello (fwd) (FWD) ", "Hello", true),
            ("[Fwd: Hello]", "Hello", true), ("[fwd: Re: Hello (fwd)]", "Hello", true), ("[fwd: [fwd: a]]", "a", true),
            ("[fwd: a] b", "b", false), ("a\t b   c", "a b c", false), ("Reply: Hello", "Reply: Hello", false),
            ("  Re:  ", "", true), ("", "", false), ("Re:", "", true), ("Re", "Re", false),
            ("[a[b] c", "[a[b] c", false),
            ("=?UTF-8?Q?Re:_Gr=C3=BC=C3=9Fe?=", "Grüße", true), ("=?utf-8?q?=5Bx=5D?= Hello", "Hello", false),
            ("(fwd)", "", true), ("[fwd:]", "", true), ("Re: Re[4]: [x][y]z", "z", true),
        ])
    func baseSubject(_ fixture: (text: String, base: String, isReply: Bool)) {
        let (text, isReply) = Self.base(fixture.text)
        #expect(text == fixture.base)
        #expect(isReply == fixture.isReply)
    }

    @Test("Extraction takes time in proportion to the length", .timeLimit(.minutes(1)))
    func hostileSubjects() {
        for piece in ["[a]", "re:", "[", "(fwd)", "[fwd:", "re [", " "] {
            let text = String(repeating: piece, count: 60_000 / piece.utf8.count)
            #expect(Self.base(text).0.utf8.count <= text.utf8.count)
        }
        let forwards = String(repeating: "[fwd:", count: 6000) + "x" + String(repeating: "]", count: 6000)
        #expect(Self.base(forwards) == ("x", true))
    }

    @Test(
        "RFC 5051 §2: titlecase, then decomposition of any type",
        arguments: [
            ("abcXYZ 09", "ABCXYZ 09"), ("é", "E\u{301}"), ("É", "E\u{301}"), ("ß", "ß"), ("ÿ", "Y\u{308}"),
            ("\u{1C4}", "D" + "z\u{30C}"), ("\u{1C6}", "D" + "z\u{30C}"), ("ﬁ", "fi"), ("Ａ", "A"), ("ａ", "A"),
            ("ς", "Σ"), ("σ", "Σ"), ("я", "Я"), ("й", "И\u{306}"), ("각", "\u{1100}\u{1161}\u{11A8}"),
            ("가", "\u{1100}\u{1161}"), ("½", "1\u{2044}2"), ("\u{212A}", "K"), ("𝐚", "a"), ("日本", "日本"),
            ("\u{FDFA}", "صلى الله عليه وسلم"), ("𐐨", "𐐀"),
        ])
    func casemap(_ fixture: (text: String, mapped: String)) {
        #expect(casemapped(fixture.text) == Array(fixture.mapped.utf8))
    }

    @Test("What is no UTF-8 stays as it is")
    func malformed() {
        for octets: [UInt8] in [
            [0xC3], [0xC3, 0x28], [0xFF], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF4, 0x90, 0x80, 0x80],
        ] {
            var result: [UInt8] = []
            appendCasemapped(octets.span, to: &result)
            #expect(result == octets)
        }
    }
}
