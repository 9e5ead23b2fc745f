import IMAPSyntax
import MailVocabulary
import Testing
import WireFraming

@Suite struct ModifiedUTF7Tests {
    /// RFC 3501 §5.1.3, and what clients write.
    @Test(arguments: [
        ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"), ("&-", "&"), ("a&-b", "a&b"), ("&-&-", "&&"),
        ("Entw&APw-rfe", "Entwürfe"), ("&Jjo-!", "☺!"), ("&2D3eAA-", "😀"), ("INBOX", "INBOX"), ("", ""),
        ("&AOQ-&-&APY-", "ä&ö"), ("&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-", "Отправленные"), ("&AAE-", "\u{1}"),
        ("&AH8-", "\u{7f}"), ("a-b", "a-b"),
    ])
    func vectors(_ vector: (wire: String, text: String)) {
        #expect(ModifiedUTF7.decode(Array(vector.wire.utf8)) == vector.text)
        #expect(String(decoding: ModifiedUTF7.encode(vector.text), as: UTF8.self) == vector.wire)
    }

    @Test(arguments: [
        "&", "a&", "&AOQ", "&A-", "&AO-", "&AOR-", "&AOQA-", "&AGE-", "&ACY-", "&AC8-", "&U,BTFw-&ZeVnLIqe-", "&2D0-",
        "&3gA-", "&3gDYPQ-", "&2D3YPQ-", "&AO/-", "&AOQ=-", "&A O-", "ü", "\t", "a\u{7f}", "&Jjo", "&&-", "&AAAAAA",
    ])
    func rejected(_ wire: String) {
        #expect(ModifiedUTF7.decode(Array(wire.utf8)) == nil)
    }

    @Test func everyNameSurvives() {
        var random = SeededGenerator(state: 51)
        let alphabet = Array("ab&-/,+%*ü台😀\u{7f}\u{1} ".unicodeScalars)
        for _ in 0..<3000 {
            var text = ""
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                text.unicodeScalars.append(alphabet[Int.random(in: alphabet.indices, using: &random)])
            }
            #expect(ModifiedUTF7.decode(ModifiedUTF7.encode(text)) == text)
        }
    }

    @Test func whatIsDecodedHasOneForm() {
        var random = SeededGenerator(state: 52)
        let alphabet = Array("&&&-AOQJjo,2D3eA".utf8)
        var accepted = 0
        for _ in 0..<50_000 {
            let count = Int.random(in: 0...8, using: &random)
            let octets = (0..<count).map { _ in alphabet[Int.random(in: alphabet.indices, using: &random)] }
            guard let text = ModifiedUTF7.decode(octets) else { continue }
            accepted += 1
            #expect(ModifiedUTF7.encode(text) == octets)
        }
        #expect(accepted > 100)
    }
}

@Suite struct DateTests {
    func parse(_ text: String) -> Timestamp? {
        let bytes = Array("\"\(text)\"".utf8)
        var parser = CommandParser(bytes.span, .modifiedUTF7)
        guard let time = try? parser.dateTime(), parser.cursor.isAtEnd else { return nil }
        return time
    }

    @Test(arguments: [
        ("17-Jul-1996 02:44:25 -0700", Int64(837_596_665), -420), (" 1-Jan-1970 00:00:00 +0000", 0, 0),
        ("01-JAN-1970 05:30:00 +0530", 0, 330), ("31-Dec-9999 23:59:59 +0000", 253_402_300_799, 0),
        ("01-Jan-0001 00:00:00 +0000", -62_135_596_800, 0), ("29-Feb-2024 12:00:00 -2359", 1_709_294_340, -1439),
    ])
    func internalDates(_ fixture: (text: String, seconds: Int64, zone: Int)) {
        let time = Timestamp(seconds: fixture.seconds, zoneMinutes: Int16(fixture.zone))
        #expect(parse(fixture.text) == time)
        #expect(parse(String(written { $0.append(internalDate: time) }.dropFirst().dropLast())) == time)
    }

    @Test(arguments: [
        "", "1-Jan-1970 00:00:00 +0000", "32-Jan-1970 00:00:00 +0000", "29-Feb-2023 00:00:00 +0000",
        "01-Jan-1970 24:00:00 +0000", "01-Jan-1970 00:60:00 +0000", "01-Jan-1970 00:00:61 +0000",
        "01-Jan-1970 00:00:00 +2400", "01-Jan-1970 00:00:00 +0060", "01-Jan-1970 00:00:00 0000",
        "01-Jan-1970 00:00:00", "01-Jan-0000 00:00:00 +0000", "01-Jan-70 00:00:00 +0000",
        "01-Foo-1970 00:00:00 +0000", "01-Jan-1970  00:00:00 +0000", "01-Jan-1970 00:00:00 +00000",
    ])
    func rejected(_ text: String) {
        #expect(parse(text) == nil)
    }

    @Test func writes() {
        #expect(
            written { $0.append(internalDate: Timestamp(seconds: 760_686_745, zoneMinutes: -480)) }
                == "\" 7-Feb-1994 21:52:25 -0800\"")
        for seconds in [Int64.min / 4, -100_000_000_000_000, 400_000_000_000] {
            let text = written { $0.append(internalDate: Timestamp(seconds: seconds)) }
            #expect(text.utf8.count == 28, "\(text)")
        }
    }
}
