import IMAPSyntax
import MailStore
import MailTestSupport
import MailVocabulary
import Testing
import WireFraming

@testable import IMAPServer

@Suite struct SearchTests {
    struct Case: Sendable {
        var keys: String
        var found: [Int]
        init(_ keys: String, _ found: [Int]) { (self.keys, self.found) = (keys, found) }
    }

    static let cases: [Case] = [
        Case("ALL", [1, 2, 3, 4, 5, 6]),
        Case("SEEN", [1]),
        Case("UNSEEN", [2, 3, 4, 5, 6]),
        Case("ANSWERED", [2]),
        Case("UNANSWERED FLAGGED", [3]),
        Case("OR SEEN ANSWERED", [1, 2]),
        Case("NOT DELETED", [1, 2, 4, 5, 6]),
        Case("DELETED", [3]),
        Case("DRAFT", []),
        Case("UNDRAFT UNFLAGGED UNDELETED", [1, 2, 4, 5, 6]),
        Case("KEYWORD $Forwarded", [4]),
        Case("KEYWORD nosuch", []),
        Case("UNKEYWORD nosuch", [1, 2, 3, 4, 5, 6]),
        Case("UNKEYWORD $forwarded", [1, 2, 3, 5, 6]),
        Case("RECENT", [1, 2, 3, 4, 5, 6]),
        Case("NEW", [2, 3, 4, 5, 6]),
        Case("OLD", []),
        Case("2:3", [2, 3]),
        Case("*", [6]),
        Case("5:*", [5, 6]),
        Case("UID 2:4", [2, 3, 4]),
        Case("UID 900:*", [6]),
        Case("NOT 2:3", [1, 4, 5, 6]),
        Case("(2:4 NOT DELETED)", [2, 4]),
        Case("OR (2 UNSEEN) (5)", [2, 5]),
        Case("BEFORE 2-Feb-2020", [1]),
        Case("ON 2-Feb-2020", [2]),
        Case("SINCE 2-Feb-2020", [2, 3, 4, 5, 6]),
        Case("SENTBEFORE 1-Jan-2010", [1]),
        Case("SENTON 1-Jan-2010", [2]),
        Case("SENTSINCE 1-Jan-2010", [2, 3]),
        Case("LARGER 150", [2, 3, 6]),
        Case("SMALLER 60", [5]),
        Case("FROM alice", [1]),
        Case("FROM ALICE@EXAMPLE.ORG", [1]),
        Case("FROM \"Alice A\"", [1]),
        Case("TO bob", [2]),
        Case("CC carol", [2]),
        Case("BCC dave", [2]),
        Case("SUBJECT hello", [1]),
        Case("SUBJECT \"hello world\"", [1]),
        Case("CHARSET UTF-8 SUBJECT {7+}\r\nGRÜSSE", [2]),
        Case("SUBJECT \"\"", [1, 2, 3, 4, 5, 6]),
        Case("HEADER X-Mark yes", [3]),
        Case("HEADER x-mark \"\"", [3]),
        Case("HEADER X-Mark no", []),
        Case("HEADER Subject HELLO", [1]),
        Case("HEADER Message-ID <one@", [1]),
        Case("BODY needle", [1, 3]),
        Case("BODY hello", []),
        Case("TEXT hello", [1]),
        Case("TEXT \"soft break\"", [2]),
        Case("CHARSET UTF-8 BODY {5+}\r\nCAFÉ", [2]),
        Case("BODY \"from base64\"", [3]),
        Case("BODY inner", [4]),
        Case("TEXT \"inside subject\"", [4]),
        Case("BODY \"inside subject\"", [4]),
        Case("BODY \"image/png\"", [3]),
        Case("BODY mailbox.invalid", [6]),
        Case("UNSEEN BODY needle", [3]),
        Case("NOT BODY needle", [2, 4, 5, 6]),
        Case("OR SEEN BODY needle", [1, 3]),
    ]

    @Test("SEARCH finds what its keys say", arguments: cases) func search(_ search: Case) async throws {
        let client = try await Self.client()
        let numbers = search.found.map { " \($0)" }.joined()
        await client.expect("a SEARCH \(search.keys)\r\n", "* SEARCH\(numbers)\r\na OK SEARCH completed\r\n")
        await client.expect("b UID SEARCH \(search.keys)\r\n", "* SEARCH\(numbers)\r\nb OK SEARCH completed\r\n")
    }

    @Test("ESEARCH and saved results") func extended() async throws {
        let client = try await Self.client()
        await client.expect(
            "a SEARCH RETURN (MIN MAX COUNT ALL) UNSEEN\r\n",
            "* ESEARCH (TAG \"a\") MIN 2 MAX 6 ALL 2:6 COUNT 5\r\na OK SEARCH completed\r\n")
        await client.expect(
            "b UID SEARCH RETURN () DRAFT\r\n", "* ESEARCH (TAG \"b\") UID\r\nb OK SEARCH completed\r\n")
        await client.expect("c SEARCH RETURN (SAVE) 2:3\r\n", "c OK SEARCH completed\r\n")
        await client.expect(
            "d FETCH $ UID\r\n", "* 2 FETCH (UID 2)\r\n* 3 FETCH (UID 3)\r\nd OK FETCH completed\r\n")
        await client.expect("e UID SEARCH UID $ DELETED\r\n", "* SEARCH 3\r\ne OK SEARCH completed\r\n")
        await client.expect(
            "f SEARCH RETURN (SAVE MIN) 2:3\r\n", "* ESEARCH (TAG \"f\") MIN 2\r\nf OK SEARCH completed\r\n")
        await client.expect("g SEARCH $\r\n", "* SEARCH 2\r\ng OK SEARCH completed\r\n")
    }

    @Test("A set is read by the numbers of the view, however many there are") func sets() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...4).map(Fixture.simple))
        let client = await fixture.session("INBOX")
        _ = await client.send("a STORE 1 +FLAGS.SILENT (\\Deleted)\r\nb EXPUNGE\r\n")
        let sets = String(repeating: "1:* ", count: 500)
        await client.expect("c UID SEARCH \(sets)2:9\r\n", "c BAD No message has such a number\r\n")
        await client.expect("d UID SEARCH \(sets)NOT 1\r\n", "* SEARCH 3 4\r\nd OK SEARCH completed\r\n")
        await client.expect("e SEARCH 3,1 UID 2:3\r\n", "* SEARCH 1\r\ne OK SEARCH completed\r\n")
        // The connection's thread makes nothing of the keys.
        var stepper = try await fixture.stepper(selecting: "INBOX")
        let command = Array("f SEARCH \(sets)ALL\r\n".utf8)
        var (consumed, output) = (0, SessionOutput())
        let step = stepper.session.received(command.span, consumed: &consumed, &output)
        guard case .perform(.search(let task)) = step, case .and(let keys) = task.request.key else {
            Issue.record("not asked of the service")
            return
        }
        #expect(keys.count == 501)
    }

    @Test("What cannot be searched for is refused") func refused() async throws {
        let client = try await Self.client()
        await client.expect(
            "a SEARCH CHARSET KOI8-R SUBJECT x\r\n",
            "a NO [BADCHARSET (US-ASCII UTF-8)] The charset is not known\r\n")
        #expect(await client.send("b SEARCH 9\r\n").hasPrefix("b BAD "))
        let invalid = await client.sendBytes(Array("d SEARCH SUBJECT {2+}\r\n".utf8) + [0xC3, 0x28, 0x0D, 0x0A])
        #expect(String(decoding: invalid, as: UTF8.self).hasPrefix("d BAD "))
    }

    /// A session with six messages that differ in everything.
    private static func client() async throws -> Client {
        let fixture = try await Fixture()
        let messages: [(text: String, flags: [Flag], day: Int)] = [
            (
                "From: \"Alice A.\" <alice@example.org>\nSubject: Hello\n World\nDate: 31 Dec 2009 23:59:59 -0500\n"
                    + "Message-ID: <one@example.org>\n\nThe needle is here.\n", [.seen], 1
            ),
            (
                "From: x@example.org\nTo: bob@example.org\nCc: carol@example.org\nBcc: dave@example.org\n"
                    + "Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?= =?UTF-8?Q?_Gr=C3=BCsse?=\nDate: 1 Jan 2010 01:00:00 +0000\n"
                    + "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
                    + "caf=C3=A9 and a soft br=\neak\n", [.answered], 2
            ),
            (
                "X-Mark: Yes\nDate: 2 Jan 2010 01:00:00 +0000\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
                    + "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
                    + "VGhlIE5FRURMRSBmcm9tIGJhc2U2NA==\n--b\nContent-Type: image/png\n\npicture\n--b--\n",
                [.deleted, .flagged], 3
            ),
            (
                "Content-Type: message/rfc822\n\nSubject: inside subject\n\ninner text\n",
                [.keyword(try #require(Keyword("$Forwarded")))], 4
            ),
            ("Subject: five\n\nend\n", [], 5),
            (
                "Content-Type: multipart/report; boundary=r\n\n--r\n\nNot delivered, sorry for that.\n--r\n"
                    + "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"
                    + "Final-Recipient: rfc822; x@mailbox.invalid\n--r--\n", [], 6
            ),
        ]
        for message in messages {
            let date = try #require(CivilDate(year: 2020, month: 2, day: message.day, hour: 1))
            // Written one hour east of UTC: the day is the writer's.
            let stamp = Timestamp(seconds: date.secondsSinceEpoch - 7200, zoneMinutes: 120)
            try await fixture.deliver([message.text], flags: message.flags, date: stamp)
        }
        return await fixture.session("INBOX")
    }
}
