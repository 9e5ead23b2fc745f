import IMAPSyntax
import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import IMAPServer

@Suite("THREAD") struct ThreadTests {
    /// `id`, the references, the subject, the sent day, the day of arrival.
    struct Mail: Sendable {
        var id: String?
        var references: [String] = []
        var subject = "s"
        var sent = 1
        var arrived = 1
        var repliesTo: String?

        var text: String {
            var text = "Subject: \(subject)\nDate: \(sent) Jan 2001 00:00:00 +0000\n"
            if let id { text += "Message-ID: <\(id)@x>\n" }
            if let repliesTo { text += "In-Reply-To: \(repliesTo)\n" }
            if !references.isEmpty {
                text += "References: " + references.map { "<\($0)@x>" }.joined(separator: "\n ") + "\n"
            }
            return text + "\nbody\n"
        }
    }

    static func client(_ mails: [Mail]) async throws -> Client {
        let fixture = try await Fixture()
        for mail in mails {
            try await fixture.deliver([mail.text], date: Timestamp(seconds: Int64(mail.arrived) * 86_400))
        }
        return await fixture.session("INBOX")
    }

    static func threads(_ algorithm: String, _ mails: [Mail], _ keys: String = "ALL") async throws -> String {
        let answer = try await client(mails).send("a THREAD \(algorithm) UTF-8 \(keys)\r\n")
        let lines = answer.split(separator: "\r\n")
        guard lines.count == 2, lines[1] == "a OK THREAD completed" else { return answer }
        return String(lines[0].dropFirst("* THREAD ".count))
    }

    @Test("ORDEREDSUBJECT: by base subject, then date; threads by their first message") func orderedSubject()
        async throws
    {
        let mails = [
            Mail(subject: "b", sent: 3), Mail(subject: "Re: a", sent: 2), Mail(subject: "a", sent: 1),
            Mail(subject: "RE: B", sent: 1), Mail(subject: "A (fwd)", sent: 5), Mail(subject: "c", sent: 4),
        ]
        #expect(try await Self.threads("ORDEREDSUBJECT", mails) == "(3 (2)(5))(4 1)(6)")
        #expect(try await Self.threads("ORDEREDSUBJECT", mails, "SUBJECT nothing") == "")
    }

    @Test("RFC 5256 §4: a chain that splits") func chain() async throws {
        // The RFC's own: (3 6 (4 23)(44 7 96))
        let mails = [
            Mail(id: "2", sent: 1), Mail(id: "3", sent: 2), Mail(id: "6", references: ["3"], sent: 3),
            Mail(id: "4", references: ["3", "6"], sent: 4), Mail(id: "23", references: ["6", "4"], sent: 5),
            Mail(id: "44", references: ["6"], sent: 6), Mail(id: "7", references: ["44"], sent: 7),
            Mail(id: "96", references: ["3", "6", "44", "7"], sent: 8),
        ].map { mail in
            var mail = mail
            mail.subject = mail.id == "2" ? "other" : "s"
            return mail
        }
        #expect(try await Self.threads("REFERENCES", mails) == "(1)(2 3 (4 5)(6 7 8))")
        #expect(try await Self.threads("REFS", mails) == "(1)(2 3 (4 5)(6 7 8))")
    }

    @Test("A parent that is not there holds its children together") func dummy() async throws {
        let mails = [
            Mail(id: "a", references: ["gone"], subject: "x", sent: 2),
            Mail(id: "b", references: ["gone"], subject: "y", sent: 1),
            Mail(id: "c", references: ["lost"], subject: "z", sent: 3),
        ]
        #expect(try await Self.threads("REFERENCES", mails) == "((2)(1))(3)")
        #expect(try await Self.threads("REFERENCES", mails, "2") == "(2)")
    }

    @Test("In-Reply-To when there are no references; quoting makes no difference; loops are none") func links()
        async throws
    {
        let mails = [
            Mail(id: "a", subject: "1"),
            Mail(id: "b", subject: "2", sent: 2, repliesTo: "Your <mail> <\"a\"@x> of Monday <c@x>"),
            Mail(id: "c", references: ["d"], subject: "3", sent: 3),
            Mail(id: "d", references: ["c"], subject: "4", sent: 4),
            Mail(id: "e", references: ["e"], subject: "5", sent: 5),
            Mail(id: nil, references: ["a", "b"], subject: "6", sent: 6),
            Mail(id: "a", references: [], subject: "7", sent: 7),
        ]
        #expect(try await Self.threads("REFERENCES", mails) == "(1 2 6)(4 3)(5)(7)")
    }

    @Test("Step 5: threads of one subject are one") func subjects() async throws {
        // A message and its reply without references.
        #expect(
            try await Self.threads(
                "REFERENCES", [Mail(id: "a", subject: "x"), Mail(id: "b", subject: "Re: x", sent: 2)]) == "(1 2)")
        // Two that are no replies: under a dummy.
        #expect(
            try await Self.threads(
                "REFERENCES", [Mail(id: "a", subject: "x", sent: 2), Mail(id: "b", subject: "X")]) == "((2)(1))")
        // A reply comes first; the original becomes the parent.
        #expect(
            try await Self.threads(
                "REFERENCES", [Mail(id: "a", subject: "Re: x"), Mail(id: "b", subject: "x", sent: 2)]) == "(2 1)")
        // A dummy takes the others in.
        let mails = [
            Mail(id: "a", references: ["gone"], subject: "Re: x", sent: 1),
            Mail(id: "b", references: ["gone"], subject: "Re: x", sent: 2), Mail(id: "c", subject: "x", sent: 3),
            Mail(id: "d", references: ["lost"], subject: "Re: x", sent: 4),
            Mail(id: "e", references: ["lost"], subject: "Re: x", sent: 5), Mail(id: "f", subject: "", sent: 6),
            Mail(id: "g", subject: "", sent: 7),
        ]
        #expect(try await Self.threads("REFERENCES", mails) == "((1)(2)(3)(4)(5))(6)(7)")
        #expect(try await Self.threads("REFS", mails) == "((1)(2))(3)((4)(5))(6)(7)")
    }

    @Test("REFS: threads by their newest arrival") func refs() async throws {
        let mails = [
            Mail(id: "a", subject: "x", sent: 9, arrived: 1), Mail(id: "b", subject: "x", sent: 1, arrived: 2),
            Mail(id: "c", references: ["a"], subject: "y", sent: 3, arrived: 5), Mail(id: "d", sent: 2, arrived: 3),
        ]
        #expect(try await Self.threads("REFS", mails) == "(2)(4)(1 3)")
    }

    @Test("UID THREAD answers UIDs") func uids() async throws {
        let client = try await Self.client([Mail(id: "x"), Mail(id: "a"), Mail(id: "b", references: ["a"], sent: 2)])
        _ = await client.send("s STORE 1 +FLAGS.SILENT (\\Deleted)\r\nt EXPUNGE\r\n")
        await client.expect("a UID THREAD REFERENCES UTF-8 1:2\r\n", "* THREAD (2 3)\r\na OK THREAD completed\r\n")
        await client.expect("b THREAD REFERENCES UTF-8 1:2\r\n", "* THREAD (1 2)\r\nb OK THREAD completed\r\n")
        #expect(await client.send("c THREAD FOO UTF-8 ALL\r\n").hasPrefix("c BAD "))
    }

    @Test("Threads as deep as there are messages cost neither stack nor much time", .timeLimit(.minutes(1)))
    func deep() throws {
        let count = 20_000
        let dates = (0..<count).map(Int64.init)
        for forks in [false, true] {
            // Each replies to the one before; with forks, there is a sibling at every level.
            let lists = (0..<count).map { index -> [UInt64] in
                let parent = forks ? UInt64(max(0, index / 2 * 2 - 1)) : UInt64(index)
                return index == 0 ? [1] : [UInt64(index + 1), parent == 0 ? 1 : parent]
            }
            let ends = (0..<count).map { UInt32(2 * $0 + 1) }
            let column = try #require(ThreadingColumn(hash: KeyedHash(), ids: lists.flatMap { $0 }, ends: ends))
            var references = MessageReferences(count: count)
            references.take(ColumnRun(index: 0, row: 0, count: count), of: column)
            var threading = ReferenceThreading(references: references, sent: dates)
            let (forest, roots) = threading.runRefs(arrived: dates)
            let written = ThreadWriter.written(forest, roots, numbers: Array(1...UInt32(count)))
            let text = String(decoding: written, as: UTF8.self)
            #expect(text.filter { $0 == "(" }.count == text.filter { $0 == ")" }.count)
            let numbers = text.split { "() ".contains($0) }.compactMap { Int($0) }
            #expect(numbers.sorted() == Array(1...count))
        }
    }
}
