import IMAPSyntax
import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import IMAPServer

/// NOTIFY (RFC 5465), beside its transcripts: the selected mailbox.
@Suite("NOTIFY: the selected mailbox") struct NotifySelectedTests {
    private static let all = "(MessageNew MessageExpunge FlagChange)"

    private func fixture() async throws -> Fixture {
        let fixture = try await Fixture()
        try await fixture.deliver((1...4).map(Fixture.simple))
        return fixture
    }

    @Test("SELECTED: all is told at once, between commands, and EXPUNGE with a FETCH too") func immediate() async throws
    {
        let fixture = try await fixture()
        let (client, other) = (await fixture.session("INBOX"), await fixture.session("INBOX"))
        await client.expect("a NOTIFY SET (SELECTED \(Self.all))\r\n", "a OK NOTIFY completed\r\n")
        _ = await other.send("a STORE 2:3 +FLAGS (\\Deleted)\r\n")
        await client.expectChanges(
            "* 2 FETCH (UID 2 FLAGS (\\Deleted \\Recent))\r\n* 3 FETCH (UID 3 FLAGS (\\Deleted \\Recent))\r\n")
        _ = await other.send("b EXPUNGE\r\n")
        await client.expectChanges("* 3 EXPUNGE\r\n* 2 EXPUNGE\r\n* 2 RECENT\r\n")
        try await fixture.deliver([Fixture.simple(5)])
        await client.expectChanges("* 3 EXISTS\r\n* 3 RECENT\r\n")
        _ = await other.send("c NOOP\r\nd UID STORE 1 +FLAGS (\\Deleted)\r\ne UID EXPUNGE 1\r\n")
        await client.expect(
            "b FETCH 2 (UID)\r\n", "* 2 FETCH (UID 4)\r\n* 1 EXPUNGE\r\n* 2 RECENT\r\nb OK FETCH completed\r\n")
        await client.expectChanges("")
    }

    @Test("SELECTED-DELAYED: EXPUNGE waits for a command that may tell it, or IDLE") func delayed() async throws {
        let fixture = try await fixture()
        let (client, other) = (await fixture.session("INBOX"), await fixture.session("INBOX"))
        await client.expect("a NOTIFY SET (SELECTED-DELAYED \(Self.all))\r\n", "a OK NOTIFY completed\r\n")
        _ = await other.send("a STORE 2 +FLAGS.SILENT (\\Deleted)\r\nb EXPUNGE\r\nc STORE 3 +FLAGS.SILENT (\\Seen)\r\n")
        await client.expectChanges("* 4 FETCH (UID 4 FLAGS (\\Seen \\Recent))\r\n")
        // The numbers are those that the client knows.
        await client.expect(
            "b FETCH 3:4 (UID)\r\n", "* 3 FETCH (UID 3)\r\n* 4 FETCH (UID 4)\r\nb OK FETCH completed\r\n")
        try await fixture.deliver([Fixture.simple(5)])
        await client.expectChanges("* 5 EXISTS\r\n* 5 RECENT\r\n")
        await client.expect("c NOOP\r\n", "* 2 EXPUNGE\r\n* 4 RECENT\r\nc OK Completed\r\n")
        _ = await other.send("d NOOP\r\ne STORE 1 +FLAGS.SILENT (\\Deleted)\r\nf EXPUNGE\r\n")
        await client.expectChanges("")
        #expect(await client.send("d IDLE\r\n") == "+ idling\r\n* 1 EXPUNGE\r\n* 3 RECENT\r\n")
        _ = await other.send("g STORE 1 +FLAGS.SILENT (\\Deleted)\r\nh EXPUNGE\r\n")
        await client.expectChanges("* 1 EXPUNGE\r\n* 2 RECENT\r\n")
        await client.expect("DONE\r\n", "d OK IDLE completed\r\n")
    }

    @Test("Without FlagChange flags are not told, and are when they are asked for again") func flags() async throws {
        let fixture = try await fixture()
        let (client, other) = (await fixture.session("INBOX"), await fixture.session("INBOX"))
        _ = await client.send("a NOTIFY SET (SELECTED (MessageNew MessageExpunge))\r\n")
        _ = await other.send("a STORE 1:2 +FLAGS (\\Flagged $Work)\r\n")
        #expect(await client.changes().contains("FETCH") == false)
        await client.expect("b NOOP\r\n", "b OK Completed\r\n")
        // Who asks is told what is, of a new keyword before what has it.
        await client.expect(
            "c FETCH 1 (FLAGS)\r\n",
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)\r\n"
                + "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work \\*)] Flags are kept\r\n"
                + "* 1 FETCH (FLAGS (\\Flagged $Work \\Recent))\r\nc OK FETCH completed\r\n")
        await client.expect(
            "d STORE 1 +FLAGS (\\Seen)\r\n",
            "* 1 FETCH (FLAGS (\\Flagged \\Seen $Work \\Recent))\r\nd OK STORE completed\r\n")
        await client.expect(
            "e NOTIFY SET (SELECTED \(Self.all))\r\n",
            "* 2 FETCH (UID 2 FLAGS (\\Flagged $Work \\Recent))\r\ne OK NOTIFY completed\r\n")
        await client.expect("f NOOP\r\n", "f OK Completed\r\n")
    }

    @Test("NOTIFY NONE: silence but for the answers to commands; SET tells what gathered") func none() async throws {
        let fixture = try await fixture()
        let (client, other) = (await fixture.session("INBOX"), await fixture.session("INBOX"))
        await client.expect("a NOTIFY NONE\r\n", "a OK NOTIFY completed\r\n")
        _ = await other.send("a STORE 1 +FLAGS (\\Deleted $New)\r\nb EXPUNGE\r\nc STORE 1 +FLAGS (\\Deleted)\r\n")
        try await fixture.deliver([Fixture.simple(5)])
        await client.expectChanges("")
        await client.expect("b NOOP\r\n", "b OK Completed\r\n")
        await client.expect("c IDLE\r\n", "+ idling\r\n")
        await client.expect("DONE\r\n", "c OK IDLE completed\r\n")
        await client.expect("d SEARCH ALL\r\n", "* SEARCH 1 2 3 4\r\nd OK SEARCH completed\r\n")
        // Its own EXPUNGE tells what it has removed: number 2, which was marked, and not number 1, which others removed.
        await client.expect("e EXPUNGE\r\n", "* 2 EXPUNGE\r\n* 3 RECENT\r\ne OK EXPUNGE completed\r\n")
        await client.expect(
            "f UID FETCH 1:* (UID)\r\n",
            "* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 3)\r\n* 3 FETCH (UID 4)\r\nf OK FETCH completed\r\n")
        _ = await other.send("d UID STORE 4 +FLAGS (\\Answered)\r\n")
        await client.expect(
            "g NOTIFY SET (SELECTED-DELAYED \(Self.all))\r\n",
            "* 1 EXPUNGE\r\n* 3 EXISTS\r\n* 2 RECENT\r\n* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $New)\r\n"
                + "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $New \\*)] Flags are kept\r\n"
                + "* 2 FETCH (UID 4 FLAGS (\\Answered \\Recent))\r\ng OK NOTIFY completed\r\n")
    }

    @Test("What is fetched of new messages: not of those that the session adds itself") func newMessages() async throws
    {
        let fixture = try await fixture()
        let client = await fixture.session("INBOX")
        let items = "(UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
        _ = await client.send("a NOTIFY SET (SELECTED (MessageNew \(items) MessageExpunge))\r\n")
        try await fixture.deliver([Fixture.simple(5), Fixture.simple(6)])
        await client.expectChanges(
            """
            * 6 EXISTS\r
            * 6 RECENT\r
            * 5 FETCH (UID 5 FLAGS (\\Recent) BODY[HEADER.FIELDS (SUBJECT)] {22}\r
            Subject: message 5\r
            \r
            )\r
            * 6 FETCH (UID 6 FLAGS (\\Recent) BODY[HEADER.FIELDS (SUBJECT)] {22}\r
            Subject: message 6\r
            \r
            )\r

            """)
        let own = await client.send("b APPEND INBOX {5+}\r\na: b\n\r\nc COPY 1 INBOX\r\n")
        #expect(own.contains("* 7 EXISTS\r\n") && own.contains("* 8 EXISTS\r\n") && !own.contains("FETCH"))
        // Nobody has read it: the flag stays as it is.
        _ = await client.send("d NOTIFY SET (SELECTED (MessageNew (BODY[TEXT]) MessageExpunge))\r\n")
        try await fixture.deliver([Fixture.simple(9)])
        #expect(await client.changes().hasSuffix("* 9 FETCH (BODY[TEXT] {16}\r\nHello number 9\r\n)\r\n"))
        await client.expect("e FETCH 9 (FLAGS)\r\n", "* 9 FETCH (FLAGS (\\Recent))\r\ne OK FETCH completed\r\n")
    }

    @Test("NOTIFY outlives SELECT, and ends with UNAUTHENTICATE") func outlives() async throws {
        let fixture = try await fixture()
        try await fixture.deliver([Fixture.simple(1)], to: "Archive")
        let client = await fixture.session()
        await client.expect("a NOTIFY SET (SELECTED \(Self.all))\r\n", "a OK NOTIFY completed\r\n")
        try await fixture.deliver([Fixture.simple(2)], to: "Archive")
        await client.expectChanges("")
        _ = await client.send("b SELECT INBOX\r\n")
        try await fixture.deliver([Fixture.simple(5)])
        #expect(await client.changes().hasPrefix("* 5 EXISTS\r\n"))
        _ = await client.send("c EXAMINE Archive\r\n")
        try await fixture.deliver([Fixture.simple(6)])
        await client.expectChanges("")
        try await fixture.deliver([Fixture.simple(3)], to: "Archive")
        await client.expectChanges("* 3 EXISTS\r\n* 3 RECENT\r\n")
        _ = await client.send("d UNSELECT\r\n")
        try await fixture.deliver([Fixture.simple(4)], to: "Archive")
        await client.expectChanges("")
        _ = await client.send("e SELECT Archive\r\nf UNAUTHENTICATE\r\ng LOGIN fred secret\r\nh SELECT Archive\r\n")
        try await fixture.deliver([Fixture.simple(5)], to: "Archive")
        await client.expectChanges("")
        #expect(await client.send("i NOOP\r\n").hasPrefix("* 5 EXISTS\r\n"))
    }

    @Test("Clients with QRESYNC and UIDONLY hear VANISHED and UIDFETCH") func uidOnly() async throws {
        let fixture = try await fixture()
        let (client, other) = (await fixture.session(), await fixture.session("INBOX"))
        _ = await client.send("a ENABLE UIDONLY QRESYNC\r\nb SELECT INBOX\r\n")
        await client.expect(
            "c NOTIFY SET (SELECTED (MessageNew (FLAGS) MessageExpunge FlagChange))\r\n", "c OK NOTIFY completed\r\n")
        _ = await other.send("a STORE 2 +FLAGS (\\Deleted)\r\n")
        await client.expectChanges("* 2 UIDFETCH (FLAGS (\\Deleted) MODSEQ (3))\r\n")
        _ = await other.send("b EXPUNGE\r\n")
        await client.expectChanges("* VANISHED 2\r\n")
        try await fixture.deliver([Fixture.simple(5)])
        await client.expectChanges("* 4 EXISTS\r\n* 1 RECENT\r\n* 5 UIDFETCH (FLAGS (\\Recent) MODSEQ (5))\r\n")
        #expect(await client.send("d NOOP\r\n").contains("d OK [HIGHESTMODSEQ 5]"))
    }

    @Test("HIGHESTMODSEQ does not run ahead of what is told") func modSeq() async throws {
        let fixture = try await fixture()
        let (client, other) = (await fixture.session(), await fixture.session("INBOX"))
        _ = await client.send("a ENABLE QRESYNC\r\nb SELECT INBOX\r\n")
        _ = await client.send("c NOTIFY SET (SELECTED (MessageNew MessageExpunge))\r\n")
        _ = await other.send("a STORE 1 +FLAGS (\\Seen)\r\n")
        await client.expectChanges("")
        try await fixture.deliver([Fixture.simple(5)])
        _ = await client.changes()
        await client.expect("d NOOP\r\n", "d OK [HIGHESTMODSEQ 2] Completed\r\n")
        await client.expect(
            "e NOTIFY SET (SELECTED \(Self.all))\r\n",
            "* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (3))\r\ne OK NOTIFY completed\r\n")
    }

    @Test("What nobody asked for in a FETCH tells MODSEQ to those who know of it (RFC 7162 §3.1)") func modSeqOfNew()
        async throws
    {
        let fixture = try await fixture()
        let client = await fixture.session()
        _ = await client.send("a ENABLE CONDSTORE\r\nb SELECT INBOX\r\n")
        _ = await client.send("c NOTIFY SET (SELECTED (MessageNew (FLAGS) MessageExpunge))\r\n")
        try await fixture.deliver([Fixture.simple(5)])
        await client.expectChanges(
            "* 5 EXISTS\r\n* 5 RECENT\r\n* 5 FETCH (UID 5 FLAGS (\\Recent) MODSEQ (3))\r\n")
    }

    @Test("Who loses the right to read the selected mailbox, or the mailbox, is sent away at once") func gone()
        async throws
    {
        let fixture = try await fixture()
        try await fixture.share("Box", of: "ann", "lr")
        let client = await fixture.session("Other Users/ann@example.org/Box")
        _ = await client.send("a NOTIFY SET (SELECTED \(Self.all))\r\n")
        try await fixture.share("Box", of: "ann", "l")
        #expect(await client.changes().hasPrefix("* BYE "))
        let second = await fixture.session("Archive")
        _ = await second.send("a NOTIFY SET (SELECTED \(Self.all))\r\n")
        _ = await fixture.session().send("a DELETE Archive\r\n")
        #expect(await second.changes().hasPrefix("* BYE "))
    }

    @Test("Searches ask for more of new messages; each is told once (§5.2, §7)") func contexts() async throws {
        let fixture = try await fixture()
        let client = await fixture.session("INBOX")
        await client.expect(
            "a SEARCH RETURN (COUNT UPDATE (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])) SUBJECT \"message 7\"\r\n",
            "* ESEARCH (TAG \"a\") COUNT 0\r\na OK SEARCH completed\r\n")
        try await fixture.deliver([Fixture.simple(6), Fixture.simple(7)])
        let fetched = "UID 6 BODY[HEADER.FIELDS (SUBJECT)] {22}\r\nSubject: message 7\r\n\r\n)\r\n"
        await client.expect(
            "b NOOP\r\n",
            "* 6 EXISTS\r\n* 6 RECENT\r\n* 6 FETCH (\(fetched)* ESEARCH (TAG \"a\") ADDTO (0 6)\r\nb OK Completed\r\n")
        _ = await client.send("c NOTIFY SET (SELECTED (MessageNew (UID FLAGS) MessageExpunge))\r\n")
        try await fixture.deliver([Fixture.simple(8), Fixture.simple(7)])
        let both = "UID 8 FLAGS (\\Recent) BODY[HEADER.FIELDS (SUBJECT)] {22}\r\nSubject: message 7\r\n\r\n)\r\n"
        await client.expectChanges(
            "* 8 EXISTS\r\n* 8 RECENT\r\n* ESEARCH (TAG \"a\") ADDTO (0 8)\r\n* 7 FETCH (UID 7 FLAGS (\\Recent))\r\n"
                + "* 8 FETCH (\(both)")
        // Not by flags, and not what the session adds.
        await client.expect(
            "d SEARCH RETURN (UPDATE (UID)) FLAGGED\r\n", "d OK SEARCH completed\r\n")
        await client.expect(
            "e STORE 1 +FLAGS.SILENT (\\Flagged)\r\n", "* ESEARCH (TAG \"d\") ADDTO (0 1)\r\ne OK STORE completed\r\n")
        let own = await client.send("f APPEND INBOX (\\Flagged) {5+}\r\na: b\n\r\n")
        #expect(own.contains("ADDTO (0 9)") && !own.contains("FETCH"))
    }
}
