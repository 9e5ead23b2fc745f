import IMAPSyntax
import MailVocabulary
import Testing

@Suite struct SearchTests {
    func search(_ text: String) throws -> SearchRequest {
        guard case .search(let request, _) = try parse("a SEARCH " + text).request else {
            throw SyntaxError("no SEARCH")
        }
        return request
    }

    static let date = CivilDate(year: 1994, month: 2, day: 1) ?? CivilDate(secondsSinceEpoch: 0)
    static let one = SearchKey.sequenceNumbers(.ranges([SequenceRange(1, 1)]))

    @Test(arguments: [
        ("ALL", SearchKey.all), ("answered", .has(.answered)), ("DELETED", .has(.deleted)), ("DRAFT", .has(.draft)),
        ("FLAGGED", .has(.flagged)), ("SEEN", .has(.seen)), ("UNANSWERED", .lacks(.answered)),
        ("UNDELETED", .lacks(.deleted)), ("UNDRAFT", .lacks(.draft)), ("UNFLAGGED", .lacks(.flagged)),
        ("UNSEEN", .lacks(.seen)), ("NEW", .new), ("OLD", .old), ("RECENT", .recent),
        ("BCC x", .envelope(.bcc, contains: [120])), ("CC \"\"", .envelope(.cc, contains: [])),
        ("FROM {1}\r\n(", .envelope(.from, contains: [40])), ("TO x]", .envelope(.to, contains: [120, 93])),
        ("SUBJECT NIL", .envelope(.subject, contains: Array("NIL".utf8))),
        ("BODY x", .body(contains: [120])), ("TEXT \"ü\"", .text(contains: [0xC3, 0xBC])),
        ("HEADER Message-ID <x>", .header(name: "Message-ID", contains: Array("<x>".utf8))),
        ("BEFORE 1-Feb-1994", .internalDate(.before, date)), ("ON \"01-feb-1994\"", .internalDate(.on, date)),
        ("SINCE 1-FEB-1994", .internalDate(.since, date)), ("SENTBEFORE 1-Feb-1994", .sentDate(.before, date)),
        ("SENTON 1-Feb-1994", .sentDate(.on, date)), ("SENTSINCE 1-Feb-1994", .sentDate(.since, date)),
        ("SAVEDBEFORE 1-Feb-1994", .savedDate(.before, date)), ("savedon \"1-Feb-1994\"", .savedDate(.on, date)),
        ("SAVEDSINCE 1-Feb-1994", .savedDate(.since, date)), ("SAVEDATESUPPORTED", .all),
        ("EMAILID M1-2", .emailID("M1-2")), ("threadid t_9Z", .threadID("t_9Z")),
        ("LARGER 0", .larger(0)), ("SMALLER 9223372036854775807", .smaller(UInt64(Int64.max))),
        ("1", one), ("*", .sequenceNumbers(.ranges([SequenceRange(nil, nil)]))), ("$", .sequenceNumbers(.saved)),
        ("UID 1:*,7", .uid(.ranges([SequenceRange(1, nil), SequenceRange(7, 7)]))),
        ("UIDAFTER 25000", .uidAfter(25_000)), ("uidbefore 4294967295", .uidBefore(.max)),
        ("NOT SEEN", .not(.has(.seen))), ("OR SEEN 1", .or(.has(.seen), one)), ("(SEEN)", .has(.seen)),
        ("(SEEN 1)", .and([.has(.seen), one])), ("NOT (OR 1 1)", .not(.or(one, one))),
        ("MODSEQ 620162338", .modSeq(atLeast: 620_162_338)),
        ("MODSEQ \"/flags/\\\\draft\" all 620162338", .modSeq(atLeast: 620_162_338)),
        (
            "FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"",
            .and([.has(.flagged), .internalDate(.since, date), .not(.envelope(.from, contains: Array("Smith".utf8)))])
        ),
    ])
    func key(_ fixture: (text: String, key: SearchKey)) throws {
        #expect(try search(fixture.text) == SearchRequest(key: fixture.key))
    }

    @Test func keywords() throws {
        let junk = try #require(Keyword("$Junk"))
        #expect(try search("KEYWORD $junk").key == .has(.keyword(junk)))
        #expect(try search("UNKEYWORD $Junk").key == .lacks(.keyword(junk)))
        #expect(error("SEARCH KEYWORD \\Seen") != nil)
    }

    @Test func options() throws {
        #expect(try search("RETURN (MIN COUNT) ALL").returns == [.min, .count])
        #expect(try search("RETURN () ALL").returns == .all)
        #expect(try search("RETURN (SAVE MAX ALL) ALL").returns == [.save, .max, .all])
        let charset = try search("RETURN (ALL) CHARSET utf-8 TEXT {2}\r\nü")
        #expect(charset == SearchRequest(returns: .all, charset: "UTF-8", key: .text(contains: [0xC3, 0xBC])))
        #expect(try search("CHARSET \"us-ascii\" ALL").charset == "US-ASCII")
    }

    @Test(arguments: [
        "", " ", "FOO", "ALL ", "ALL  SEEN", "(", "()", "(ALL", "ALL)", "NOT", "NOT ", "OR", "OR ALL", "OR ALL ",
        "FROM", "FROM ", "HEADER", "HEADER x", "EMAILID", "EMAILID ", "EMAILID \"M1\"", "EMAILID M.1", "THREADID (T1)",
        "THREADID " + String(repeating: "T", count: 256), "SAVEDON", "SAVEDON x", "BEFORE", "BEFORE x",
        "BEFORE 30-Feb-2020", "BEFORE 1-Feb-94",
        "BEFORE \"1-Feb-1994", "BEFORE 1-Foo-1994", "BEFORE 001-Feb-1994", "BEFORE 1-F", "LARGER", "LARGER x",
        "LARGER -1", "LARGER 9223372036854775808", "KEYWORD", "KEYWORD (", "UID", "UID x", "UID ALL", "UIDAFTER",
        "UIDAFTER 0",
        "UIDAFTER 1:2", "UIDBEFORE *", "UIDBEFORE 4294967296", "UIDBEFORE $", "0", "1:",
        ":1", "1,", ",1", "RETURN", "RETURN (MIN)", "RETURN (FOO) ALL", "RETURN (MIN ALL", "CHARSET",
        "CHARSET UTF-8", "TEXT {3}\r\nab", "TEXT {2}\r\n\0\0", "TEXT \"a\rb\"", "TEXT a\u{7f}", "1 $", "$,1",
    ])
    func rejected(_ text: String) {
        // "1 $" alone is in order: two sets that must both hold.
        guard text != "1 $" else { return #expect(error("SEARCH " + text) == nil) }
        #expect(error("SEARCH " + text)?.answer == .bad)
    }

    @Test func depth() {
        func nots(_ count: Int) -> String { String(repeating: "NOT ", count: count) + "ALL" }
        func parentheses(_ count: Int) -> String {
            String(repeating: "(", count: count) + "ALL" + String(repeating: ")", count: count)
        }
        #expect(error("SEARCH " + nots(IMAPLimits.nesting - 1)) == nil)
        #expect(error("SEARCH " + nots(IMAPLimits.nesting))?.code == .limit)
        #expect(error("SEARCH " + parentheses(IMAPLimits.nesting - 1)) == nil)
        #expect(error("SEARCH " + parentheses(IMAPLimits.nesting))?.code == .limit)
        #expect(error("SEARCH " + String(repeating: "(", count: 60_000))?.code == .limit)
        #expect(error("SEARCH " + String(repeating: "OR ", count: 20_000))?.code == .limit)
        let keys = Array(repeating: "SEEN", count: IMAPLimits.searchKeys)
        #expect(error("SEARCH " + keys.joined(separator: " ")) == nil)
        #expect(error("SEARCH ALL " + keys.joined(separator: " "))?.code == .limit)
    }
}
