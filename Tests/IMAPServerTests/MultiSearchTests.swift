import IMAPSyntax
import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import IMAPServer

@Suite("ESEARCH in several mailboxes, FUZZY, progress") struct MultiSearchTests {
    private func fixture() async throws -> Fixture {
        let fixture = try await Fixture()
        try await fixture.deliver((1...3).map(Fixture.simple))
        try await fixture.deliver((4...5).map(Fixture.simple), to: "folder2/banana")
        try await fixture.deliver((6...7).map(Fixture.simple), to: "folder2/peach/stone", flags: [.seen])
        try await fixture.deliver([Fixture.simple(8)], to: "folder2")
        return fixture
    }

    private func validity(_ name: String, _ fixture: Fixture) async throws -> UInt32 {
        try await fixture.mailbox(name).uidValidity.value
    }

    @Test("RFC 7377 §2.2: which mailboxes are searched") func sources() async throws {
        let fixture = try await fixture()
        let client = await fixture.session()
        let (two, banana, stone, inbox) = (
            try await validity("folder2", fixture), try await validity("folder2/banana", fixture),
            try await validity("folder2/peach/stone", fixture), try await validity("INBOX", fixture)
        )
        func line(_ tag: String, _ name: String, _ validity: UInt32, _ found: String) -> String {
            "* ESEARCH (TAG \"\(tag)\" MAILBOX \(name) UIDVALIDITY \(validity)) UID \(found)\r\n"
        }
        await client.expect(
            "a ESEARCH IN (mailboxes (folder2 nowhere folder2) subtree-one folder2) ALL\r\n",
            line("a", "folder2", two, "ALL 1") + line("a", "folder2/banana", banana, "ALL 1:2")
                + "a OK ESEARCH completed\r\n")
        await client.expect(
            "b ESEARCH IN (subtree folder2) RETURN (COUNT MAX) SEEN\r\n",
            line("b", "folder2/peach/stone", stone, "MAX 2 COUNT 2") + "b OK ESEARCH completed\r\n")
        await client.expect(
            "c ESEARCH IN (inboxes) RETURN (PARTIAL -1:-2) 2:100\r\n",
            line("c", "INBOX", inbox, "PARTIAL (-1:-2 2:3)") + "c OK ESEARCH completed\r\n")
        await client.expect("d ESEARCH IN (personal) SUBJECT nothing\r\n", "d OK ESEARCH completed\r\n")
        let personal = await client.send("e ESEARCH IN (personal) SUBJECT message\r\n")
        #expect(personal.split(separator: "\r\n").count == 5)
        _ = await client.send("u UNSUBSCRIBE INBOX\r\n")
        let subscribed = await client.send("f ESEARCH IN (subscribed) ALL\r\n")
        #expect(!subscribed.contains("INBOX"))
    }

    @Test("RFC 7377 §2.2: what needs a selected mailbox") func selected() async throws {
        let fixture = try await fixture()
        let outside = await fixture.session()
        for command in ["ESEARCH ALL", "ESEARCH IN (selected) ALL", "ESEARCH IN (personal) RETURN (UPDATE) ALL"] {
            #expect(await outside.send("a \(command)\r\n").hasPrefix("a BAD "))
        }
        let client = await fixture.session("INBOX")
        #expect(await client.send("a ESEARCH IN (personal) RETURN (SAVE) ALL\r\n").hasPrefix("a BAD "))
        let validity = try await validity("INBOX", fixture)
        await client.expect(
            "b ESEARCH RETURN (SAVE MAX) UID 2:9\r\n",
            "* ESEARCH (TAG \"b\" MAILBOX INBOX UIDVALIDITY \(validity)) UID MAX 3\r\nb OK ESEARCH completed\r\n")
        await client.expect("c SEARCH $\r\n", "* SEARCH 3\r\nc OK SEARCH completed\r\n")
        _ = await client.send("d ESEARCH RETURN (SAVE) UID 9\r\n")
        await client.expect("e SEARCH $\r\n", "* SEARCH\r\ne OK SEARCH completed\r\n")
        #expect(await client.send("f ESEARCH IN (personal) CHARSET X ALL\r\n").hasPrefix("f NO [BADCHARSET "))
    }

    @Test("RFC 6203: words in any order and form, and how well they match") func fuzzy() async throws {
        let fixture = try await Fixture()
        let subjects = ["IMAP break", "broken imap", "hello help", "break of the IMAP server", "nothing"]
        for subject in subjects { try await fixture.deliver(["Subject: \(subject)\n\nnot an imap break\n"]) }
        let client = await fixture.session("INBOX")
        await client.expect("a SEARCH FUZZY SUBJECT \"IMAP break\"\r\n", "* SEARCH 1 4\r\na OK SEARCH completed\r\n")
        await client.expect("b SEARCH FUZZY SUBJECT Helo\r\n", "* SEARCH 3\r\nb OK SEARCH completed\r\n")
        await client.expect("c SEARCH SUBJECT Helo\r\n", "* SEARCH\r\nc OK SEARCH completed\r\n")
        await client.expect(
            "d SEARCH RETURN (RELEVANCY ALL) FUZZY SUBJECT \"imap break\"\r\n",
            "* ESEARCH (TAG \"d\") ALL 1,4 RELEVANCY (100 70)\r\nd OK SEARCH completed\r\n")
        await client.expect(
            "e SORT RETURN (RELEVANCY ALL) (RELEVANCY) UTF-8 FUZZY TEXT \"imap brak\"\r\n",
            "* ESEARCH (TAG \"e\") RELEVANCY ()\r\ne OK SORT completed\r\n")
        await client.expect(
            "f SORT RETURN (RELEVANCY PARTIAL 1:2) (RELEVANCY) UTF-8 FUZZY TEXT \"break imap\"\r\n",
            "* ESEARCH (TAG \"f\") PARTIAL (1:2 1:2) RELEVANCY (60 60)\r\nf OK SORT completed\r\n")
        await client.expect(
            "g SORT (REVERSE RELEVANCY) UTF-8 FUZZY TEXT \"imap break\"\r\n",
            "* SORT 2 3 4 5 1\r\ng OK SORT completed\r\n")
        await client.expect("h SEARCH FUZZY (SEEN)\r\n", "* SEARCH\r\nh OK SEARCH completed\r\n")
        for command in ["SEARCH RETURN (RELEVANCY) SUBJECT x", "SORT (RELEVANCY) UTF-8 SUBJECT x"] {
            #expect(await client.send("i \(command)\r\n").hasPrefix("i BAD "))
        }
    }

    @Test("RFC 9585: a long search tells how far it is, and ends the same") func progress() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...2500).map(Fixture.simple))
        var intervals = ProgressIntervals()
        (intervals.first, intervals.next) = (.zero, .zero)
        let client = await fixture.session("INBOX", intervals: intervals)
        for (command, answer) in [
            ("SEARCH BODY \"number 2500\"", "* SEARCH 2500"), ("UID SORT (SUBJECT) UTF-8 SUBJECT 2499", "* SORT 2499"),
            ("ESEARCH IN (selected) BODY \"number 2500\"", "* ESEARCH"),
        ] {
            let lines = await client.send("a \(command)\r\n").split(separator: "\r\n").map(String.init)
            let progress = lines.dropLast(2)
            #expect(!progress.isEmpty)
            var last = -1
            for line in progress {
                let parts = line.split { " ()".contains($0) }
                #expect(parts.prefix(4).map(String.init) == ["*", "OK", "[INPROGRESS", "\"a\""], "\(line)")
                let (done, all) = (Int(parts[4]) ?? -1, Int(parts[5]) ?? -1)
                #expect(done >= last && done < all)
                last = done
            }
            #expect(lines.dropLast().last?.hasPrefix(answer) == true)
            #expect(lines.last?.hasPrefix("a OK ") == true)
        }
    }

    @Test("Columns give the same answers as summaries, and are kept") func columns() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...2500).map { Fixture.simple($0 % 1500) })
        // However slow the machine, of this search nothing is told before its end.
        var never = ProgressIntervals()
        never.first = .seconds(3600)
        let client = await fixture.session("INBOX", intervals: never)
        let cache = fixture.service.columns
        #expect(cache.octets == 0)
        await client.expect(
            "a SEARCH SUBJECT \"message 577\"\r\n", await client.send("a SEARCH HEADER Subject \"message 577\"\r\n"))
        let kept = cache.octets
        #expect(kept > 0)
        await client.expect("a SEARCH NOT FROM a1\r\n", await client.send("a SEARCH NOT HEADER From a1\r\n"))
        #expect(cache.octets > kept)
        try await fixture.deliver([Fixture.simple(577)])
        await client.expect(
            "b SEARCH SUBJECT \"message 577\" UID 2000:*\r\n",
            "* SEARCH 2077\r\n* 2501 EXISTS\r\n* 2501 RECENT\r\nb OK SEARCH completed\r\n")
        await client.expect(
            "c SEARCH SUBJECT \"message 577\" UID 2000:*\r\n", "* SEARCH 2077 2501\r\nc OK SEARCH completed\r\n")
        _ = await client.send("d STORE 2077 +FLAGS.SILENT (\\Deleted)\r\ne EXPUNGE\r\n")
        await client.expect(
            "f SEARCH SUBJECT \"message 577\" UID 2000:*\r\n", "* SEARCH 2500\r\nf OK SEARCH completed\r\n")
        let sent = await client.send("g SEARCH SENTON 17-Jul-1996\r\n")
        #expect(sent.split(separator: " ").count == 2500 + 2 + 3)
    }
}
