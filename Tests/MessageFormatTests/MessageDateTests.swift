import MailVocabulary
import MessageFormat
import Testing

@Suite("Dates (RFC 5322 §3.3, §4.3)")
struct MessageDateTests {
    private func timestamp(_ value: String) -> Timestamp? {
        let bytes = octets(value)
        return Timestamp(messageDate: bytes.span)
    }

    @Test(
        "Read",
        arguments: [
            ("Fri, 21 Nov 1997 09:55:06 -0600", 880_127_706, -360), ("21 Nov 97 09:55:06 GMT", 880_106_106, 0),
            (
                "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)",
                -27_723_480, -210
            ),
            ("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880_127_706, -360),
            ("1 Jan 100 00:00 Z", 946_684_800, 0), ("1 january 00 00:00:00 +0000", 946_684_800, 0),
            ("1 Jan 49 00:00:00 EST", 2_493_090_000, -300), ("1 Jan 50 00:00:00 UT", -631_152_000, 0),
            ("1 Jan 2000 00:00:00 PDT", 946_710_000, -420), ("1-Jan-2000 00:00:00", 946_684_800, 0),
            ("1 Jan 2000", 946_684_800, 0), ("31 Dec 1998 23:59:60 +0000", 915_148_800, 0),
            ("1 Jan 2000 00:00:00 +9999", 946_684_800, 0), ("1 Jan 2000 00:00:00 XYZ", 946_684_800, 0),
            ("Sat 1 Jan 2000 00:00:00 +0530", 946_665_000, 330), ("1 Jan 2000 00:00:00 A", 946_684_800, 0),
        ])
    func reading(value: String, seconds: Int64, zone: Int16) {
        #expect(timestamp(value) == Timestamp(seconds: seconds, zoneMinutes: zone))
    }

    @Test(
        "Refused",
        arguments: [
            "", "yesterday", "Fri,", "32 Jan 2000 00:00:00 Z", "30 Feb 2000 00:00:00 Z", "1 Foo 2000 00:00:00 Z",
            "1 Jan 2000 24:00:00 Z", "1 Jan 2000 00:60:00 Z", "1 Jan 2000 00 Z", "1 Jan 20000 00:00:00 Z",
            "1 Jan 2 00:00:00 Z", "99999999999999999999 Jan 2000", "1 Jan 0000 00:00:00 Z", "(unclosed 1 Jan 2000",
        ])
    func refusing(value: String) {
        #expect(timestamp(value) == nil)
    }

    @Test("Written, and read back")
    func writing() {
        #expect(Timestamp(seconds: 880_127_706, zoneMinutes: -360).messageDate == "Fri, 21 Nov 1997 09:55:06 -0600")
        #expect(Timestamp(seconds: 0).messageDate == "Thu, 1 Jan 1970 00:00:00 +0000")
        var random = SeededGenerator(state: 5)
        for _ in 0..<500 {
            let some = Timestamp(
                seconds: .random(in: -30_000_000_000...100_000_000_000, using: &random),
                zoneMinutes: .random(in: -1439...1439, using: &random))
            #expect(timestamp(some.messageDate) == some, "\(some.messageDate)")
        }
    }
}
