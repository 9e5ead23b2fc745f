import MessageFormat
import Testing

@Suite("Decoding text")
struct TextDecodingTests {
    @Test(
        "Encoded-words (RFC 2047 §8 and as found)",
        arguments: [
            ("=?US-ASCII?Q?Keith_Moore?= <moore@x>", "Keith Moore <moore@x>"),
            ("=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?=", "Patrik Fältström"),
            (
                "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-1?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
                "If you can read this you understand the example."
            ),
            ("(=?ISO-8859-1?Q?a?=)", "(a)"), ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
            ("(=?ISO-8859-1?Q?a?=  \r\n\t=?ISO-8859-1?Q?b?=)", "(ab)"), ("(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
            ("=?utf-8*en?q?=C3=A9?=", "é"), ("=?iso-8859-15?q?=A4?= =?windows-1252?q?=80=93?=", "€€“"),
            // A character split between two words
            ("=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "€"),
            ("=?iso-2022-jp?Q?=C1?= x", "=?iso-2022-jp?Q?=C1?= x"), ("=?utf-8?X?a?=", "=?utf-8?X?a?="),
            ("=?utf-8?Q?a", "=?utf-8?Q?a"), ("=?utf-8?Q?a?", "=?utf-8?Q?a?"), ("=?=?utf-8?q?a?=?=", "=?a?="),
            ("plain é", "plain é"), ("", ""), ("=", "="), ("=?", "=?"), ("=?utf-8?q??=", ""),
        ])
    func encodedWords(value: String, expected: String) {
        let bytes = octets(value)
        #expect(decodeEncodedWords(bytes.span) == expected)
    }

    private func decode(_ name: String, _ body: String) throws -> String? {
        let encoding = try #require(TransferEncoding(octets(name)))
        let bytes = octets(body)
        return text(encoding.decode(bytes.span))
    }

    @Test(
        "Base64, leniently",
        arguments: [
            ("SGVsbG8=", "Hello"), ("SGVs\r\nbG8", "Hello"), ("SGVsbG8=SGVsbG8=", "HelloHello"), ("S", ""), ("", ""),
            ("SGVsbA==", "Hell"), (" S*G?Vs ", "Hel"), ("====", ""),
        ])
    func base64(body: String, expected: String) throws {
        #expect(try decode("Base64", body) == expected)
    }

    @Test(
        "Quoted-printable, leniently",
        arguments: [
            ("caf=C3=A9", "café"), ("a=\r\nb", "ab"), ("a= \t\r\nb", "ab"), ("a=\nb", "ab"), ("a \t\r\nb", "a\r\nb"),
            ("a b_c", "a b_c"), ("=c3=a9", "é"), ("100=", "100"), ("=ZZ=4", "=ZZ=4"), ("a  ", "a  "), ("", ""),
        ])
    func quotedPrintable(body: String, expected: String) throws {
        #expect(try decode("quoted-printable", body) == expected)
    }

    @Test("7bit, 8bit and binary are as they are; others are not known")
    func otherEncodings() throws {
        for name in ["7bit", "8BIT", "Binary"] { #expect(try decode(name, "a=3D\0b") == "a=3D\0b") }
        #expect(TransferEncoding(octets("x-uuencode")) == nil)
        #expect(TransferEncoding([]) == nil)
    }

    @Test("Character sets of one octet are whole, and say what they should") func tables() throws {
        let all = (UInt8.min...UInt8.max).map { $0 }
        for (name, word, expected) in [
            ("KOI8-R", "=E1=CC=C5=CB=D3=C5=CA", "Алексей"), ("koi8-u", "=EB=C9=A7=D7", "Київ"),
            ("windows-1251", "=CC=EE=F1=EA=E2=E0", "Москва"), ("ISO-8859-5", "=BC=DE=E1=DA=D2=D0", "Москва"),
            ("ISO-8859-2", "=A3=F3d=BC", "Łódź"), ("windows-1250", "=A3=F3d=9F", "Łódź"),
            ("ISO-8859-7", "=C1=E8=DE=ED=E1", "Αθήνα"), ("windows-1253", "=C1=E8=DE=ED=E1", "Αθήνα"),
            ("ISO-8859-9", "=DDzmir", "İzmir"), ("windows-1254", "=DDzmir", "İzmir"),
        ] {
            let charset = try #require(Charset(octets(name)))
            #expect(charset.decode(all.span).unicodeScalars.count == 256, "\(name)")
            #expect(decodeEncodedWords(octets("=?\(name)?Q?\(word)?=").span) == expected, "\(name)")
        }
    }

    @Test("Octets of every kind decode to something")
    func randomOctets() {
        var random = SeededGenerator(state: 3)
        let marks = octets("=??=_ \r\n\tQqBb*'utf-8")
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? marks[Int.random(in: 0..<marks.count, using: &random)] : UInt8.random(in: 0...255, using: &random)
            }
            #expect(decodeEncodedWords(bytes.span).utf8.count <= bytes.count * 3)
            #expect(TransferEncoding.base64.decode(bytes.span).count <= bytes.count)
            #expect(TransferEncoding.quotedPrintable.decode(bytes.span).count <= bytes.count)
        }
    }
}
