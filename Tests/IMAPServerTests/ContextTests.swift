import IMAPSyntax
import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import IMAPServer

@Suite("Searches kept up to date (RFC 5267)") struct ContextTests {
    private func fixture() async throws -> Fixture {
        let fixture = try await Fixture()
        try await fixture.deliver((1...5).map(Fixture.simple))
        return fixture
    }

    @Test("Flags bring messages in and out; expunging is told before it is") func flags() async throws {
        let fixture = try await fixture()
        let client = await fixture.session("INBOX")
        await client.expect(
            "B01 UID SEARCH RETURN (UPDATE COUNT) UNDELETED\r\n",
            "* ESEARCH (TAG \"B01\") UID COUNT 5\r\nB01 OK SEARCH completed\r\n")
        #expect(await client.send("B01 SEARCH RETURN (UPDATE) FLAGGED\r\n") == "B01 BAD Tag reuse\r\n")
        await client.expect("B02 SEARCH RETURN (UPDATE) FLAGGED\r\n", "B02 OK SEARCH completed\r\n")
        // Silent for STORE, not for those who asked.
        await client.expect(
            "a STORE 2:3 +FLAGS.SILENT (\\Deleted \\Flagged)\r\n",
            "* ESEARCH (TAG \"B01\") UID REMOVEFROM (0 2:3)\r\n* ESEARCH (TAG \"B02\") ADDTO (0 2:3)\r\n"
                + "a OK STORE completed\r\n")
        await client.expect(
            "b EXPUNGE\r\n",
            "* ESEARCH (TAG \"B02\") REMOVEFROM (0 2:3)\r\n* 3 EXPUNGE\r\n* 2 EXPUNGE\r\n* 3 RECENT\r\nb OK EXPUNGE completed\r\n"
        )
        await client.expect(
            "c STORE 2 +FLAGS.SILENT (\\Flagged)\r\n",
            "* ESEARCH (TAG \"B02\") ADDTO (0 2)\r\nc OK STORE completed\r\n")
        await client.expect("d CANCELUPDATE \"B02\" \"B99\"\r\n", "d OK CANCELUPDATE completed\r\n")
        await client.expect("e STORE 2 -FLAGS.SILENT (\\Flagged)\r\n", "e OK STORE completed\r\n")
        // The tag is free again.
        await client.expect("B02 SEARCH RETURN (UPDATE) SEEN\r\n", "B02 OK SEARCH completed\r\n")
        await client.expect(
            "f FETCH 1 BODY[HEADER.FIELDS (Subject)]\r\n",
            "* 1 FETCH (BODY[HEADER.FIELDS (Subject)] {22}\r\nSubject: message 1\r\n\r\n FLAGS (\\Seen \\Recent))\r\n"
                + "* ESEARCH (TAG \"B02\") ADDTO (0 1)\r\nf OK FETCH completed\r\n")
    }

    @Test("After ENABLE UIDONLY searches by sequence number are kept up to date no more") func uidOnly() async throws {
        let fixture = try await fixture()
        let client = await fixture.session("INBOX")
        _ = await client.send("B01 SEARCH RETURN (UPDATE) FLAGGED\r\nB02 UID SEARCH RETURN (UPDATE) FLAGGED\r\n")
        await client.expect(
            "a ENABLE UIDONLY\r\n",
            "* ENABLED UIDONLY\r\n* NO [NOUPDATE \"B01\"] Too much to be kept up to date\r\na OK ENABLE completed\r\n")
        await client.expect(
            "b UID STORE 2 +FLAGS.SILENT (\\Flagged)\r\n",
            "* ESEARCH (TAG \"B02\") UID ADDTO (0 2)\r\nb OK STORE completed\r\n")
    }

    @Test("What others do is told, in IDLE too, new messages after EXISTS") func others() async throws {
        let fixture = try await fixture()
        let client = await fixture.session("INBOX")
        let other = await fixture.session("INBOX")
        _ = await client.send("B01 SEARCH RETURN (UPDATE) SUBJECT \"message 7\"\r\n")
        _ = await client.send("i IDLE\r\n")
        try await fixture.deliver([Fixture.simple(6), Fixture.simple(7)])
        #expect(
            await client.changes()
                == "* 7 EXISTS\r\n* 7 RECENT\r\n* ESEARCH (TAG \"B01\") ADDTO (0 7)\r\n")
        _ = await other.send("a NOOP\r\nb STORE 1,7 +FLAGS.SILENT (\\Deleted)\r\nc EXPUNGE\r\n")
        let told = await client.changes()
        #expect(
            told.contains("* ESEARCH (TAG \"B01\") REMOVEFROM (0 7)\r\n* 7 EXPUNGE\r\n* 1 EXPUNGE\r\n"), "\(told)")
    }

    @Test("A sorted search tells places") func sorted() async throws {
        let fixture = try await Fixture()
        for subject in ["d", "b", "f"] { try await fixture.deliver(["Subject: \(subject)\n\nx\n"]) }
        let client = await fixture.session("INBOX")
        await client.expect(
            "S UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 UNFLAGGED\r\n",
            "* ESEARCH (TAG \"S\") UID ALL 2,1,3\r\nS OK SORT completed\r\n")
        for subject in ["e", "a", "c", "g"] { try await fixture.deliver(["Subject: \(subject)\n\nx\n"]) }
        // a b c d e f g
        await client.expect(
            "a NOOP\r\n",
            "* 7 EXISTS\r\n* 7 RECENT\r\n* ESEARCH (TAG \"S\") UID ADDTO (1 5 3 6 5 4 7 7)\r\na OK Completed\r\n")
        await client.expect(
            "b UID STORE 2,4:6 +FLAGS.SILENT (\\Flagged)\r\n",
            "* ESEARCH (TAG \"S\") UID REMOVEFROM (1 5,2,6 2 4)\r\nb OK STORE completed\r\n")
        await client.expect(
            "c UID STORE 2,5 -FLAGS.SILENT (\\Flagged)\r\n",
            "* ESEARCH (TAG \"S\") UID ADDTO (1 5,2)\r\nc OK STORE completed\r\n")
        _ = await client.send("d UID STORE 1 +FLAGS.SILENT (\\Deleted)\r\n")
        await client.expect(
            "e EXPUNGE\r\n",
            "* ESEARCH (TAG \"S\") UID REMOVEFROM (3 1)\r\n* 1 EXPUNGE\r\n* 6 RECENT\r\ne OK EXPUNGE completed\r\n")
    }

    @Test("Messages that are gone, and not told to be, keep their places") func goneInOrder() async throws {
        let fixture = try await Fixture()
        for subject in ["a", "m", "z"] { try await fixture.deliver(["Subject: \(subject)\n\nx\n"]) }
        let client = await fixture.session("INBOX")
        await client.expect(
            "S UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 ALL\r\n",
            "* ESEARCH (TAG \"S\") UID ALL 1:3\r\nS OK SORT completed\r\n")
        let other = await fixture.session("INBOX")
        _ = await other.send("a UID STORE 3 +FLAGS (\\Deleted)\r\nb EXPUNGE\r\n")
        for subject in ["b", "A"] { try await fixture.deliver(["Subject: \(subject)\n\nx\n"]) }
        // No EXPUNGE yet.
        await client.expect(
            "c FETCH 1 UID\r\n",
            "* 1 FETCH (UID 1)\r\n* 5 EXISTS\r\n* 5 RECENT\r\n"
                + "* ESEARCH (TAG \"S\") UID ADDTO (2 5,4)\r\nc OK FETCH completed\r\n")
        await client.expect(
            "d NOOP\r\n",
            "* ESEARCH (TAG \"S\") UID REMOVEFROM (5 3)\r\n* 3 EXPUNGE\r\n* 4 RECENT\r\nd OK Completed\r\n")
        await client.expect(
            "e UID SORT RETURN (ALL) (SUBJECT) UTF-8 ALL\r\n",
            "* ESEARCH (TAG \"e\") UID ALL 1,5,4,2\r\ne OK SORT completed\r\n")
    }

    /// A client that does as it is told has at every time what a new search finds.
    @Test("Whatever happens, the updates lead to the results", arguments: 0..<6) func model(_ seed: UInt64) async throws
    {
        var random = SeededGenerator(seed)
        let fixture = try await fixture()
        let client = await fixture.session("INBOX")
        let other = await fixture.session("INBOX")
        let searches = [
            "UID SEARCH RETURN (UPDATE ALL) FLAGGED", "UID SORT RETURN (UPDATE ALL) (REVERSE SUBJECT) UTF-8 UNDELETED",
            "UID SORT RETURN (UPDATE ALL) (SIZE SUBJECT) UTF-8 NOT SEEN",
        ]
        var models: [[UInt32]] = []
        for (index, search) in searches.enumerated() {
            models.append(Self.all(in: await client.send("c\(index) \(search)\r\n")))
        }
        for step in 0..<25 {
            let number = Int.random(in: 1...4, using: &random)
            let actor = Bool.random(using: &random) ? client : other
            let command =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: "UID STORE \(number):* +FLAGS.SILENT (\\Flagged)"
                case 1: "UID STORE \(number * 2) -FLAGS (\\Flagged \\Deleted)"
                case 2: "UID STORE \(number + step / 2) +FLAGS (\\Deleted \\Seen)"
                case _: "UID EXPUNGE \(step / 3):\(step)"
                }
            if Bool.random(using: &random) { try await fixture.deliver([Fixture.simple(Int(random.next() % 40))]) }
            var told = await actor.send("s \(command)\r\n")
            if actor === other { told = "" }
            told += await client.send("n NOOP\r\n")
            for index in searches.indices {
                Self.apply(told, tag: "c\(index)", sorted: index > 0, to: &models[index])
                let fresh = searches[index].replacing("UPDATE ", with: "")
                let found = Self.all(in: await client.send("f \(fresh)\r\n"))
                #expect(models[index] == found, "\(searches[index]) after \(command): \(told)")
            }
        }
    }

    private static func numbers(_ set: Substring) -> [UInt32] {
        set.split(separator: ",").flatMap { part -> [UInt32] in
            let ends = part.split(separator: ":").compactMap { UInt32($0) }
            return ends.count == 2 ? Array(ends[0]...ends[1]) : ends
        }
    }

    private static func all(in answer: String) -> [UInt32] {
        answer.firstMatch(of: /ALL ([0-9:,]+)/).map { numbers($0.1) } ?? []
    }

    private static func apply(_ told: String, tag: String, sorted: Bool, to model: inout [UInt32]) {
        for line in told.split(separator: "\r\n") where line.hasPrefix("* ESEARCH (TAG \"\(tag)\")") {
            for match in line.matches(of: /(ADDTO|REMOVEFROM) \(([^)]*)\)/) {
                let words = match.2.split(separator: " ")
                for pair in stride(from: 0, to: words.count - 1, by: 2) {
                    let position = Int(words[pair]) ?? 0
                    let uids = numbers(words[pair + 1])
                    if match.1 == "REMOVEFROM" {
                        if position > 0 {
                            #expect(Array(model.dropFirst(position - 1).prefix(uids.count)) == uids, "\(line)")
                        }
                        model.removeAll { uids.contains($0) }
                    } else if position > 0, position - 1 <= model.count {
                        model.insert(contentsOf: uids, at: position - 1)
                    } else {
                        #expect(!sorted, "\(line)")
                        model = (model + uids).sorted()
                    }
                }
            }
        }
    }

    @Test("More than a session may have are not kept up to date, and searched all the same") func limits() async throws
    {
        let client = try await fixture().session("INBOX")
        for number in 0..<SearchContext.maximumCount {
            await client.expect(
                "t\(number) SEARCH RETURN (UPDATE) ALL\r\n", "t\(number) OK SEARCH completed\r\n")
        }
        await client.expect(
            "x SEARCH RETURN (UPDATE COUNT) ALL\r\n",
            "* ESEARCH (TAG \"x\") COUNT 5\r\n* NO [NOUPDATE \"x\"] Too much to be kept up to date\r\n"
                + "x OK SEARCH completed\r\n")
        let answer = await client.send("y ESEARCH IN (personal) RETURN (UPDATE COUNT) ALL\r\n")
        #expect(answer.contains("* NO [NOUPDATE \"y\"] "))
        // Selecting ends all of them.
        _ = await client.send("z SELECT INBOX\r\n")
        await client.expect("x SEARCH RETURN (UPDATE) 2:3\r\n", "x OK SEARCH completed\r\n")
        // Numbers are those of when they were given.
        await client.expect(
            "a STORE 1 +FLAGS.SILENT (\\Deleted)\r\n", "a OK STORE completed\r\n")
        await client.expect("b EXPUNGE\r\n", "* 1 EXPUNGE\r\nb OK EXPUNGE completed\r\n")
        await client.expect("c STORE 3 +FLAGS.SILENT (\\Seen)\r\n", "c OK STORE completed\r\n")
    }
}
