import IMAPSyntax
import MailVocabulary
import Testing
import WireFraming

@Suite("SORT, THREAD, ESEARCH") struct SortTests {
    @Test("SORT's criteria, charset and keys") func sort() throws {
        guard
            case .sort(let criteria, let request, uid: true) = try parse(
                "a UID SORT (subject REVERSE DATE) utf-8 SINCE 1-Feb-1994 UNSEEN"
            ).request
        else { throw SyntaxError("no SORT") }
        #expect(criteria == [SortCriterion(.subject), SortCriterion(.date, isReverse: true)])
        #expect(request.charset == "UTF-8")
        #expect(request.returns == nil)
        let date = try #require(CivilDate(year: 1994, month: 2, day: 1))
        #expect(request.key == .and([.internalDate(.since, date), .lacks(.seen)]))
        for key in SortKey.allCases { #expect(error("SORT (\(key.rawValue)) US-ASCII ALL") == nil) }
    }

    @Test("RETURN of SEARCH and SORT") func returns() throws {
        func search(_ text: String) throws -> SearchRequest {
            switch try parse("a " + text).request {
            case .search(let request, _), .sort(_, let request, _), .multiSearch(_, let request): request
            case let other: throw SyntaxError("\(other)")
            }
        }
        #expect(try search("SORT RETURN () (DATE) UTF-8 ALL").returns == .all)
        let sorted = try search("SORT RETURN (MIN PARTIAL 1:10 UPDATE CONTEXT) (DATE) UTF-8 ALL")
        #expect(sorted.returns == [.min, .update, .context])
        #expect(sorted.partial == ResultRange(1, 10))
        let backwards = try search("SEARCH RETURN (PARTIAL -100:-1) ALL")
        #expect(backwards.returns == [])
        #expect(backwards.partial == ResultRange(100, 1, isFromEnd: true))
        #expect(try search("SEARCH RETURN (RELEVANCY ALL) FUZZY TEXT x").returns == [.relevancy, .all])
    }

    @Test("FUZZY, OLDER, YOUNGER") func keys() throws {
        guard case .search(let request, _) = try parse("a SEARCH FUZZY (SUBJECT x) OLDER 1 YOUNGER 259200").request
        else { throw SyntaxError("no SEARCH") }
        #expect(
            request.key
                == .and([
                    .fuzzy(.envelope(.subject, contains: [120])), .older(seconds: 1), .younger(seconds: 259_200),
                ]))
    }

    @Test(
        "THREAD",
        arguments: [
            ("THREAD ORDEREDSUBJECT UTF-8 ALL", ThreadAlgorithm.orderedSubject),
            ("UID THREAD refs us-ascii 1:3", .refs),
            ("THREAD REFERENCES \"UTF-8\" TEXT x", .references),
        ])
    func thread(_ fixture: (text: String, algorithm: ThreadAlgorithm)) throws {
        guard case .thread(let algorithm, let request, let uid) = try parse("a " + fixture.text).request else {
            throw SyntaxError("no THREAD")
        }
        #expect(algorithm == fixture.algorithm)
        #expect(uid == fixture.text.hasPrefix("UID"))
        #expect(request.charset == "UTF-8" || request.charset == "US-ASCII")
    }

    @Test("ESEARCH's sources") func sources() throws {
        func sources(_ text: String) throws -> [MailboxFilter]? {
            guard case .multiSearch(let sources, _) = try parse("a ESEARCH " + text).request else {
                throw SyntaxError("no ESEARCH")
            }
            return sources
        }
        let (one, two) = (try #require(MailboxName("folder1")), try #require(MailboxName("folder2")))
        #expect(try sources("ALL") == nil)
        #expect(
            try sources("IN (mailboxes \"folder1\" subtree \"folder2\") unseen")
                == [.mailboxes([one]), .subtree([two])])
        #expect(
            try sources("IN (SELECTED inboxes personal subscribed subtree-one (folder1 folder2)) RETURN (COUNT) ALL")
                == [.selected, .inboxes, .personal, .subscribed, .subtreeOne([one, two])])
    }

    @Test(
        "What is not so is refused",
        arguments: [
            "SORT", "SORT (DATE)", "SORT (DATE) UTF-8", "SORT () UTF-8 ALL", "SORT (REVERSE) UTF-8 ALL",
            "SORT (FOO) UTF-8 ALL", "SORT (DATE", "SORT DATE UTF-8 ALL", "SORT (REVERSE REVERSE DATE) UTF-8 ALL",
            "SORT RETURN (DATE) UTF-8 ALL", "SORT RETURN (ALL)(DATE) UTF-8 ALL", "THREAD", "THREAD REFERENCES",
            "THREAD REFERENCES UTF-8", "THREAD FOO UTF-8 ALL", "THREAD RETURN () REFS UTF-8 ALL",
            "SEARCH RETURN (PARTIAL) ALL", "SEARCH RETURN (PARTIAL 0:1) ALL", "SEARCH RETURN (PARTIAL 1:*) ALL",
            "SEARCH RETURN (PARTIAL -1:1) ALL", "SEARCH RETURN (PARTIAL 1:-1) ALL", "SEARCH RETURN (PARTIAL 1) ALL",
            "SEARCH RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL", "SEARCH RETURN (ALL PARTIAL 1:2) ALL", "SEARCH FUZZY",
            "SEARCH OLDER", "SEARCH OLDER 0", "SEARCH YOUNGER 4294967296", "SEARCH YOUNGER x", "ESEARCH",
            "ESEARCH IN", "ESEARCH IN () ALL", "ESEARCH IN (foo) ALL", "ESEARCH IN (mailboxes) ALL",
            "ESEARCH IN (selected)", "ESEARCH IN (selected-delayed) ALL", "ESEARCH IN (mailboxes ()) ALL",
            "UID ESEARCH ALL", "ESEARCH IN (subtree (a b) ALL",
        ])
    func rejected(_ text: String) {
        #expect(error(text)?.answer == .bad)
    }

    @Test("Limits") func limits() {
        let criteria = Array(repeating: "DATE", count: IMAPLimits.sortCriteria).joined(separator: " ")
        #expect(error("SORT (\(criteria)) UTF-8 ALL") == nil)
        #expect(error("SORT (\(criteria) DATE) UTF-8 ALL")?.code == .limit)
        let names = Array(repeating: "a", count: IMAPLimits.sourceMailboxes).joined(separator: " ")
        #expect(error("ESEARCH IN (mailboxes (\(names))) ALL") == nil)
        #expect(error("ESEARCH IN (mailboxes (\(names) a)) ALL")?.code == .limit)
        #expect(error("SEARCH \(String(repeating: "FUZZY ", count: IMAPLimits.nesting))ALL")?.code == .limit)
    }

    private func written(_ pieces: [ResponsePiece]) -> String {
        var output = OutputBuffer()
        output.append(pieces)
        return String(decoding: output.take(), as: UTF8.self)
    }

    @Test("Answers") func answers() throws {
        let found = ResultList(inOrder: [5, 3, 4, 1, 2] as [UInt32])
        #expect(written(ResponsePieces.plain("SORT", found)) == "* SORT 5 3 4 1 2\r\n")
        var result = SearchResult(found, [.min, .max, .all, .count], partial: nil)
        result.relevancy = [4, 99, 42, 1, 100]
        #expect(
            written(ResponsePieces.esearch(result, tag: "B1", uid: false))
                == "* ESEARCH (TAG \"B1\") MIN 5 MAX 2 ALL 5,3:4,1:2 COUNT 5 RELEVANCY (4 99 42 1 100)\r\n")
        let window = SearchResult(found, [], partial: ResultRange(2, 3, isFromEnd: true))
        let mailbox = SearchedMailbox(
            name: try #require(MailboxName("Entwürfe/a b")), uidValidity: try #require(UIDValidity(503)))
        #expect(
            written(ResponsePieces.esearch(window, tag: "t", uid: true, in: mailbox))
                == "* ESEARCH (TAG \"t\" MAILBOX \"Entw&APw-rfe/a b\" UIDVALIDITY 503) UID PARTIAL (-2:-3 4,1)\r\n")
        let nothing = SearchResult(ResultList(NumberSet()), .all, partial: nil)
        #expect(written(ResponsePieces.esearch(nothing, tag: "t", uid: true)) == "* ESEARCH (TAG \"t\") UID\r\n")
        let none = SearchResult(found, [], partial: ResultRange(6, 7))
        #expect(
            written(ResponsePieces.esearch(none, tag: "t", uid: false)) == "* ESEARCH (TAG \"t\") PARTIAL (6:7 NIL)\r\n"
        )
        var code = OutputBuffer()
        code.append(status: .ok, tag: nil, code: .inProgress(tag: "A001", done: 454, of: 1000), "Searching")
        code.append(status: .ok, tag: nil, code: .inProgress(tag: "A]1", done: 0, of: 1), "Searching")
        code.append(status: .no, tag: nil, code: .noUpdate(tag: "B02"), "Too many contexts")
        #expect(
            String(decoding: code.take(), as: UTF8.self)
                == "* OK [INPROGRESS (\"A001\" 454 1000)] Searching\r\n* OK [INPROGRESS (NIL 0 1)] Searching\r\n"
                + "* NO [NOUPDATE \"B02\"] Too many contexts\r\n")
    }

    @Test("Long lists are written bit by bit, the same", arguments: [1, 7, 64])
    func pieces(_ limit: Int) {
        let found = ResultList(inOrder: [9, 8, 1, 2, 3, 100, 101, 5] as [UInt32])
        for (style, text) in [
            (NumberListWriter.Style.spaced, " 9 8 1 2 3 100 101 5"), (.list, "9 8 1 2 3 100 101 5"),
            (.set, "9,8,1:3,100:101,5"),
        ] {
            var writer = NumberListWriter(found, style)
            var whole: [UInt8] = []
            var output = OutputBuffer()
            while !writer.write(&output, upTo: limit) { whole += output.take() }
            whole += output.take()
            #expect(String(decoding: whole, as: UTF8.self) == text)
        }
    }

    @Test("Windows of results") func windows() {
        let found = ResultList(inOrder: [10, 11, 12, 7, 3, 4] as [UInt32])
        #expect(found[1..<4] == ResultList(inOrder: [11, 12, 7] as [UInt32]))
        #expect(found[0..<6] == found)
        #expect(found[6..<6].isEmpty)
        #expect(ResultRange(.max, .max).indices(ofCount: 6).isEmpty)
        #expect(ResultRange(1, .max, isFromEnd: true).indices(ofCount: 6) == 0..<6)
        #expect(ResultRange(2, 3, isFromEnd: true).indices(ofCount: 6) == 3..<5)
    }
}
