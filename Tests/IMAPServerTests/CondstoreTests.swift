import MailStore
import MailTestSupport
import MailVocabulary
import Testing
import WireFraming

@testable import IMAPServer

/// CONDSTORE and QRESYNC (RFC 7162) between sessions; the RFC's own examples are transcripts.
@Suite struct CondstoreTests {
    private func pair(_ count: Int, isForgetful: Bool = false) async throws -> (Fixture, Client, Client) {
        let fixture = try await Fixture(isForgetful: isForgetful)
        try await fixture.deliver((1...count).map(Fixture.simple))
        let (a, b) = (await fixture.session(), await fixture.session("INBOX"))
        _ = await a.send("e ENABLE QRESYNC\r\ns SELECT INBOX\r\n")
        return (fixture, a, b)
    }

    @Test("HIGHESTMODSEQ stays below an expunge that is held back (RFC 7162 §6)", arguments: [false, true])
    func heldExpunge(isForgetful: Bool) async throws {
        let (_, a, b) = try await pair(8, isForgetful: isForgetful)
        _ = await b.send("b STORE 8 +FLAGS.SILENT (\\Deleted)\r\n")
        await a.expect(
            "a NOOP\r\n", "* 8 FETCH (UID 8 FLAGS (\\Deleted) MODSEQ (3))\r\na OK Completed\r\n")
        _ = await b.send("b EXPUNGE\r\n")
        await a.expect(
            "a STORE 1:2 (UNCHANGEDSINCE 3) +FLAGS.SILENT (\\Seen)\r\n",
            """
            * 1 FETCH (UID 1 MODSEQ (5))\r
            * 2 FETCH (UID 2 MODSEQ (5))\r
            a OK [HIGHESTMODSEQ 3] STORE completed\r\n
            """)
        await a.expect(
            "a STORE 3 +FLAGS.SILENT \\Seen\r\n",
            "* 3 FETCH (UID 3 MODSEQ (6))\r\na OK [HIGHESTMODSEQ 3] STORE completed\r\n")
        await a.expect(
            "a STORE 1 (UNCHANGEDSINCE 1) +FLAGS.SILENT \\Seen\r\n",
            "* OK [HIGHESTMODSEQ 3] Told so far\r\na OK [MODIFIED 1] Some of the messages were changed by others\r\n")
        await a.expect("a NOOP\r\n", "* VANISHED 8\r\na OK [HIGHESTMODSEQ 6] Completed\r\n")
        await a.expect("a NOOP\r\n", "a OK Completed\r\n")
    }

    @Test("A flag that others set on a message is told with UID and MODSEQ, in IDLE too")
    func unsolicited() async throws {
        let (_, a, b) = try await pair(2)
        _ = await a.send("i IDLE\r\n")
        _ = await b.send("b STORE 2 +FLAGS (\\Flagged)\r\n")
        #expect(await a.changes() == "* 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (3))\r\n")
        _ = await b.send("b STORE 2 +FLAGS.SILENT (\\Deleted)\r\nb EXPUNGE\r\n")
        #expect(await a.changes() == "* VANISHED 2\r\n")
        await a.expect("DONE\r\n", "i OK [HIGHESTMODSEQ 5] IDLE completed\r\n")
    }

    @Test("A conditional STORE fails where others changed what it is about, and only there (RFC 7162 §3.1.12)")
    func spurious() async throws {
        let (_, a, b) = try await pair(4)
        _ = await b.send("b STORE 1 +FLAGS.SILENT (\\Deleted)\r\nb STORE 2 +FLAGS.SILENT ($Processed)\r\n")
        // 1 has another flag now, and is changed all the same; 2 has the very flag; 3 nobody has touched.
        let answer = await a.send("a STORE 1:3 (UNCHANGEDSINCE 2) +FLAGS.SILENT ($Processed)\r\n")
        #expect(answer.contains("* 1 FETCH (UID 1 FLAGS (\\Deleted $Processed) MODSEQ (6))\r\n"))
        #expect(answer.contains("* 2 FETCH (UID 2 FLAGS ($Processed) MODSEQ (4))\r\n"))
        #expect(answer.contains("* 3 FETCH (UID 3 MODSEQ (5))\r\n"))
        #expect(answer.hasSuffix("\r\na OK [MODIFIED 2] Some of the messages were changed by others\r\n"))
        // Replacing all flags is about all of them.
        _ = await b.send("b STORE 4 +FLAGS.SILENT (\\Deleted)\r\n")
        let replaced = await a.send("a UID STORE 4 (UNCHANGEDSINCE 6) FLAGS.SILENT (\\Seen)\r\n")
        #expect(replaced.contains("* 4 FETCH (UID 4 FLAGS (\\Deleted) MODSEQ (7))\r\n"))
        #expect(replaced.hasSuffix("\r\na OK [MODIFIED 4] Some of the messages were changed by others\r\n"))
    }

    @Test("Messages that are gone and messages that failed together (RFC 7162 §3.1.3, example 11)")
    func goneAndModified() async throws {
        let (_, a, b) = try await pair(7)
        _ = await b.send("b STORE 2 +FLAGS (\\Seen)\r\nb UID STORE 4:7 +FLAGS.SILENT (\\Deleted)\r\nb EXPUNGE\r\n")
        let answer = await a.send("B001 STORE 1:7 (UNCHANGEDSINCE 2) +FLAGS (\\Seen)\r\n")
        #expect(answer.contains("* 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (6))\r\n"))
        #expect(answer.contains("* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (3))\r\n"))
        #expect(!answer.contains("* 4 FETCH"))
        #expect(answer.contains("* OK [HIGHESTMODSEQ 2] "))
        #expect(answer.hasSuffix("\r\nB001 NO [MODIFIED 2] Some of the messages are gone\r\n"))
        await a.expect("B002 NOOP\r\n", "* VANISHED 4:7\r\nB002 OK [HIGHESTMODSEQ 6] Completed\r\n")
    }

    @Test("VANISHED names no message that the client was not told of")
    func unknownVanished() async throws {
        let (fixture, a, b) = try await pair(2)
        try await fixture.deliver([Fixture.simple(3)])
        _ = await b.send("b NOOP\r\nb STORE 1,3 +FLAGS.SILENT (\\Deleted)\r\nb EXPUNGE\r\n")
        await a.expect("a NOOP\r\n", "* VANISHED 1\r\na OK [HIGHESTMODSEQ 5] Completed\r\n")
        await a.expect("a UID FETCH 2:4 (UID)\r\n", "* 1 FETCH (UID 2)\r\na OK FETCH completed\r\n")
    }

    @Test("A search by message numbers tells no expunge, one by UIDs alone does (RFC 7162 §3.2.10.2)")
    func searchHoldsExpunge() async throws {
        let (_, a, b) = try await pair(3)
        _ = await b.send("b STORE 1 +FLAGS.SILENT (\\Deleted)\r\nb EXPUNGE\r\n")
        let byNumber = await a.send("a UID SEARCH OR 2 NOT 1:2\r\n")
        #expect(byNumber == "* SEARCH 2 3\r\na OK [HIGHESTMODSEQ 2] SEARCH completed\r\n")
        let byUID = await a.send("a UID SEARCH ALL\r\n")
        #expect(byUID.contains("* VANISHED 1\r\n"))
    }

    @Test("Sets without measure cost a resynchronisation nothing")
    func hugeSets() async throws {
        let (_, a, _) = try await pair(2)
        let answer = await a.send(
            "a SELECT INBOX (QRESYNC (1 1 1:4294967295 (1:4294967295 1:4294967295)))\r\n")
        #expect(answer.contains("* 1 FETCH (UID 1 FLAGS () MODSEQ (2))\r\n"))
        #expect(answer.hasSuffix("\r\na OK [READ-WRITE] SELECT completed\r\n"))
        let gone = await a.send("a UID FETCH 4294967295:1 (FLAGS) (CHANGEDSINCE 1 VANISHED)\r\n")
        #expect(gone.hasSuffix("\r\na OK FETCH completed\r\n"))
    }

    @Test("Many UIDs vanish in lines of some length (RFC 7162 §4)")
    func manyVanished() async throws {
        let fixture = try await Fixture()
        let count = 2400
        try await fixture.deliver((1...count).map { _ in "Subject: x\n\n" })
        let inbox = try await fixture.mailbox("INBOX").id
        let odd = NumberSet(ascending: Array(stride(from: UInt32(1), through: UInt32(count), by: 2)))
        let a = await fixture.session()
        _ = await a.send("e ENABLE QRESYNC\r\ns SELECT INBOX\r\n")
        _ = try await fixture.store.remove(odd, from: inbox, onlyDeleted: false)
        for (command, opening) in [("NOOP", "* VANISHED "), ("SELECT INBOX (QRESYNC (1 2))", "* VANISHED (EARLIER) ")] {
            let answer = await a.send("a \(command)\r\n")
            let lines = answer.split(separator: "\r\n").filter { $0.hasPrefix(opening) }
            #expect(lines.allSatisfy { $0.utf8.count < 8192 })
            let uids = lines.flatMap { $0.dropFirst(opening.count).split(separator: ",").compactMap { UInt32($0) } }
            #expect(uids == Array(odd))
        }
    }

    @Test("The store's whole answer to a STORE is found out in the service when it is long")
    func longStore() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...6000).map { _ in "Subject: x\n\n" })
        let a = await fixture.session()
        _ = await a.send("s SELECT INBOX (CONDSTORE)\r\n")
        let answer = await a.send("a STORE 1:* +FLAGS.SILENT (\\Seen)\r\n")
        let told = answer.split(separator: "\r\n").filter { $0.hasSuffix(" MODSEQ (3))") }
        #expect(told.count == 6000)
        #expect(answer.hasSuffix("\r\na OK STORE completed\r\n"))
        #expect(await a.send("a STORE 1:* +FLAGS.SILENT (\\Seen)\r\n") == "a OK STORE completed\r\n")
    }

    @Test("COPY by numbers is all or nothing, whatever others do meanwhile (RFC 3501 §6.4.7)")
    func copyRace() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...3).map(Fixture.simple))
        let client = SteppedClient(fixture.served, fixture.service)
        _ = await client.run("l LOGIN fred secret\r\ns SELECT INBOX\r\n")
        client.send("a COPY 1:3 Trash\r\n")
        // The command is understood; the store is not asked yet.
        await client.advance()
        let inbox = try await fixture.mailbox("INBOX").id
        _ = try await fixture.store.remove(NumberSet(2...2), from: inbox, onlyDeleted: false)
        while !client.isWaiting { await client.advance() }
        #expect(client.takeOutput().hasSuffix("a NO [EXPUNGEISSUED] Some of the messages are gone\r\n"))
        #expect(try await fixture.mailbox("Trash").messageCount == 0)
        // By UID, what is gone is passed over.
        let answer = await client.run("b UID COPY 1:3 Trash\r\n")
        #expect(answer.contains(" 1,3 1:2] COPY completed\r\n"))
    }
}
