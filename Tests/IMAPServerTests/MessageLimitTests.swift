import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import IMAPServer

/// RFC 9738, beside its transcripts.
@Suite struct MessageLimitTests {
    private func settings(_ limit: MessageLimit) -> IMAPSettings {
        var settings = IMAPSettings()
        settings.messageLimit = limit
        return settings
    }

    @Test("EXPUNGEISSUED stands in the tagged answer, the limit before it (RFC 9738 §3.1)")
    func expungeIssued() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...5).map(Fixture.simple))
        let client = await fixture.session("INBOX", settings: settings(.processed(2)))
        let other = await fixture.session("INBOX")
        _ = await other.send("a STORE 4 +FLAGS.SILENT (\\Deleted)\r\n")
        _ = await other.send("b EXPUNGE\r\n")
        let fetched = await client.send("c FETCH 1:5 BODY.PEEK[TEXT]\r\n")
        #expect(fetched.contains("* 4 FETCH (BODY[TEXT] NIL)\r\n* 5 FETCH (BODY[TEXT] {16}\r\n"))
        #expect(
            fetched.contains(
                "\r\n* NO [MESSAGELIMIT 2 4] Not all of the messages were processed\r\n"
                    + "c OK [EXPUNGEISSUED] Some of the messages are gone\r\n"))
        let stored = await client.send("d STORE 1:5 +FLAGS.SILENT (\\Flagged)\r\n")
        #expect(stored.hasPrefix("* NO [MESSAGELIMIT 2 4] "))
        #expect(stored.hasSuffix("d OK [EXPUNGEISSUED] Some of the messages are gone\r\n"))
    }

    @Test("MODIFIED stands in the tagged answer, the limit before it") func modified() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...4).map(Fixture.simple))
        let client = await fixture.session("INBOX", settings: settings(.processed(2)))
        let other = await fixture.session("INBOX")
        _ = await other.send("a STORE 4 +FLAGS.SILENT (\\Flagged)\r\n")
        let answer = await client.send("b UID STORE 1:* (UNCHANGEDSINCE 2) +FLAGS.SILENT (\\Flagged)\r\n")
        #expect(answer.contains("* NO [MESSAGELIMIT 2 3] "))
        #expect(answer.hasSuffix("b OK [MODIFIED 4] Some of the messages were changed by others\r\n"))
        let snapshot = try await fixture.store.open(try await fixture.mailbox("INBOX").id)
        #expect((0..<4).map { snapshot[$0].flags.contains(.flagged) } == [false, false, true, true])
    }

    @Test("What is left out is left as it is: nothing is marked as read") func untouched() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...4).map(Fixture.simple))
        let client = await fixture.session("INBOX", settings: settings(.processed(3)))
        #expect(
            await client.send("a FETCH 1:4 BODY[]\r\n").hasSuffix(
                "a OK [MESSAGELIMIT 3 2] FETCH completed for the last 3 messages\r\n"))
        let snapshot = try await fixture.store.open(try await fixture.mailbox("INBOX").id)
        #expect((0..<4).map { snapshot[$0].flags.contains(.seen) } == [false, true, true, true])
    }

    @Test("Of FETCH with CHANGEDSINCE those that changed count") func changedSince() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...5).map(Fixture.simple))
        let client = await fixture.session("INBOX", settings: settings(.processed(2)))
        _ = await client.send("a STORE 1,2 +FLAGS.SILENT (\\Flagged)\r\n")
        let few = await client.send("b UID FETCH 1:* (UID) (CHANGEDSINCE 2)\r\n")
        #expect(few.contains("* 1 FETCH (UID 1 ") && few.contains("* 2 FETCH (UID 2 "))
        #expect(few.hasSuffix("b OK FETCH completed\r\n"))
        let many = await client.send("c UID FETCH 1:* (UID) (CHANGEDSINCE 1)\r\n")
        #expect(many.contains("* 4 FETCH ") && many.contains("* 5 FETCH ") && !many.contains("* 2 FETCH "))
        #expect(many.hasSuffix("c OK [MESSAGELIMIT 2 4] FETCH completed for the last 2 messages\r\n"))
    }

    @Test("With QRESYNC, HIGHESTMODSEQ is told beside the limit of a UID EXPUNGE") func highestModSeq() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...3).map(Fixture.simple), flags: [.deleted])
        let client = await fixture.session(settings: settings(.processed(2)))
        _ = await client.send("a ENABLE QRESYNC\r\n")
        _ = await client.send("b SELECT INBOX\r\n")
        let answer = await client.send("c UID EXPUNGE 1:3\r\n")
        let text = "EXPUNGE completed for the last 2 messages\r\n"
        #expect(
            answer == "* VANISHED 2:3\r\n* 1 RECENT\r\n* NO [MESSAGELIMIT 2 2] \(text)c OK [HIGHESTMODSEQ 3] \(text)")
    }

    @Test("A client comes through a mailbox by going on below the UID it is told") func wholeMailbox() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...10).map(Fixture.simple))
        let client = await fixture.session("INBOX", settings: settings(.processed(3)))
        var (found, below): ([Int], Int?) = ([], 11)
        while let end = below {
            let answer = await client.send("a UID SEARCH UIDBEFORE \(end) BODY number\r\n")
            let line = answer.split(separator: "\r\n").first ?? ""
            found = line.split(separator: " ").dropFirst(2).compactMap { Int($0) } + found
            below = answer.firstMatch(of: /\[MESSAGELIMIT 3 (\d+)\]/).flatMap { Int($0.1) }
        }
        #expect(found == Array(1...10))
    }

    @Test("UIDAFTER and UIDBEFORE hold within NOT and OR, where they narrow nothing") func nested() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...6).map(Fixture.simple))
        let client = await fixture.session("INBOX")
        await client.expect(
            "a UID SEARCH OR UIDBEFORE 2 UIDAFTER 5\r\n", "* SEARCH 1 6\r\na OK SEARCH completed\r\n")
        await client.expect(
            "b SEARCH NOT UIDAFTER 3 NOT UIDBEFORE 3\r\n", "* SEARCH 3\r\nb OK SEARCH completed\r\n")
        let limited = await fixture.session("INBOX", settings: settings(.processed(2)))
        await limited.expect(
            "c UID SEARCH OR UIDBEFORE 2 UIDAFTER 5\r\n",
            "* SEARCH 6\r\nc OK [MESSAGELIMIT 2 5] SEARCH completed for the last 2 messages\r\n")
    }

    @Test("APPEND takes a thousand messages, and says when it takes no more", arguments: [false, true])
    func append(isLimited: Bool) async throws {
        let fixture = try await Fixture()
        let client = await fixture.session(settings: isLimited ? settings(.processed(5000)) : IMAPSettings())
        let messages = String(repeating: " {1+}\r\nx", count: 1000)
        #expect(await client.send("a APPEND INBOX" + messages + "\r\n").hasPrefix("a OK [APPENDUID "))
        let code = isLimited ? "MESSAGELIMIT 1000" : "LIMIT"
        await client.expect(
            "b APPEND INBOX" + messages + " {1+}\r\nx {1+}\r\ny\r\n", "b NO [\(code)] Too many messages to append\r\n")
        #expect(await client.send("c NOOP\r\n").contains("c OK "))
        #expect(try await fixture.mailbox("INBOX").messageCount == 1000)
    }

    @Test("The messages of an APPEND count however they come") func catenated() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([Fixture.simple(1)])
        let client = await fixture.session("INBOX", settings: settings(.saved(2)))
        let part =
            " CATENATE (URL \"/INBOX;UIDVALIDITY=\(try await fixture.mailbox("INBOX").uidValidity.value)/;UID=1\")"
        #expect(await client.send("a APPEND INBOX\(part)\(part)\r\n").contains("a OK [APPENDUID "))
        await client.expect(
            "b APPEND INBOX\(part)\(part)\(part)\r\n", "b NO [MESSAGELIMIT 2] Too many messages to append\r\n")
    }

    @Test("The last positions of ranges") func lastPositions() {
        let ranges = [0..<2, 4..<5, 7..<10]
        #expect(ranges.lastPositions(0) == [])
        #expect(ranges.lastPositions(2) == [8..<10])
        #expect(ranges.lastPositions(3) == [7..<10])
        #expect(ranges.lastPositions(5) == [1..<2, 4..<5, 7..<10])
        #expect(ranges.lastPositions(99) == ranges)
        #expect([Range<Int>]().lastPositions(3) == [])
        #expect(ranges.positionCount == 6)
    }
}
