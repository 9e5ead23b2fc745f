import IMAPSyntax
import MailVocabulary
import Testing

@Suite struct MailboxCommandTests {
    @Test func names() throws {
        for (text, expected) in [
            ("inbox", "INBOX"), ("\"InBoX\"", "INBOX"), ("{5}\r\nInbox", "INBOX"), ("foo/bar", "foo/bar"),
            ("\"a b\"", "a b"), ("Entw&APw-rfe", "Entwürfe"), ("a]b", "a]b"), ("\"a\\\"b\"", "a\"b"),
        ] {
            guard case .select(let mailbox, let parameters) = try parse("a SELECT " + text).request else {
                Issue.record("\(text)")
                continue
            }
            #expect(mailbox.text == expected)
            #expect(parameters == SelectParameters())
        }
        guard case .examine(let utf8, _) = try parse("a EXAMINE \"Entwürfe & mehr\"", .utf8).request else {
            Issue.record()
            return
        }
        #expect(utf8.text == "Entwürfe & mehr")
    }

    @Test func namesThatCannotBe() {
        #expect(error("SELECT a//b")?.answer == .no)
        #expect(error("SELECT a//b")?.code == .cannot)
        #expect(error("SELECT \"\"")?.code == .cannot)
        #expect(error("SELECT \"a\u{7}b\"")?.answer == .bad)
        #expect(error("SELECT a/")?.code == .cannot)
        #expect(error("SELECT \"Entwürfe\"")?.message == "The mailbox name is not in modified UTF-7")
        #expect(error("SELECT Entw&APw")?.answer == .bad)
        #expect(error("SELECT {2}\r\n\u{fc}")?.answer == .bad)
        for bad in ["SELECT", "SELECT ", "SELECT a b", "SELECT (a)", "SELECT a%", "SELECT *", "SELECT \"a"] {
            #expect(error(bad)?.answer == .bad, "\(bad)")
        }
    }

    @Test func selectParameters() throws {
        guard case .select(_, let parameters) = try parse("A03 SELECT INBOX (CONDSTORE)").request else {
            Issue.record("not read as SELECT")
            return
        }
        #expect(parameters == SelectParameters(condstore: true))
        let text = "A02 SELECT INBOX (QRESYNC (67890007 90060115194045000 41:211,214:541 (1,3 41,43)))"
        guard case .select(_, let resync) = try parse(text).request else {
            Issue.record("not read as SELECT")
            return
        }
        #expect(
            resync.qresync
                == QuickResync(
                    uidValidity: 67_890_007, modSeq: 90_060_115_194_045_000,
                    knownUIDs: NumberSet([41...211, 214...541]),
                    matches: QuickResync.SequenceMatches(
                        sequenceNumbers: NumberSet(numbers: [1, 3]), uids: NumberSet(numbers: [41, 43]))))
        for bad in [
            "SELECT a ()", "SELECT a (FOO)", "SELECT a (CONDSTORE", "SELECT a CONDSTORE", "SELECT a (QRESYNC)",
            "SELECT a (QRESYNC (0 1))", "SELECT a (QRESYNC (1 0))", "SELECT a (QRESYNC (1 1 1:*))",
            "SELECT a (QRESYNC (1 1 1 (1:2 3)))", "SELECT a (QRESYNC (1 1 ))",
        ] {
            #expect(error(bad)?.answer == .bad, "\(bad)")
        }
    }

    @Test func create() {
        #expect(request("CREATE owatagusiam/") == "create(owatagusiam, uses: [])")
        #expect(request("CREATE owatagusiam/blurdybloop") == "create(owatagusiam/blurdybloop, uses: [])")
        let uses = request("CREATE MySpecial (USE (\\Drafts \\sent))")
        #expect(uses.contains("SpecialUse.drafts") && uses.contains("SpecialUse.sent"))
        #expect(request("CREATE x (USE ())") == "create(x, uses: [])")
        #expect(error("CREATE x (USE (\\Shoes))")?.code == .useAttribute)
        #expect(error("CREATE x (USE (\\Shoes))")?.answer == .no)
        #expect(error("CREATE /")?.code == .cannot)
        #expect(error("CREATE a//")?.code == .cannot)
        for bad in ["CREATE", "CREATE x (USE", "CREATE x (FOO)", "CREATE x USE", "CREATE x (USE (Drafts))"] {
            #expect(error(bad)?.answer == .bad, "\(bad)")
        }
    }

    @Test func otherChanges() {
        #expect(request("DELETE foo") == "delete(foo)")
        #expect(request("RENAME blurdybloop sarasoop/") == "rename(from: blurdybloop, to: sarasoop)")
        #expect(request("SUBSCRIBE #news.comp.mail.mime") == "subscribe(#news.comp.mail.mime)")
        #expect(request("UNSUBSCRIBE foo") == "unsubscribe(foo)")
        for bad in ["DELETE", "DELETE a b", "RENAME a", "RENAME a ", "RENAME a b c", "SUBSCRIBE"] {
            #expect(error(bad)?.answer == .bad, "\(bad)")
        }
    }

    func list(_ text: String, _ encoding: MailboxEncoding = .modifiedUTF7) throws -> ListRequest {
        guard case .list(let list) = try parse("a LIST " + text, encoding).request else { throw SyntaxError("no LIST") }
        return list
    }

    @Test func plainList() throws {
        #expect(try list("\"\" \"\"") == ListRequest(reference: "", patterns: [""]))
        #expect(try list("\"/usr/staff/jones\" \"\"") == ListRequest(reference: "/usr/staff/jones", patterns: [""]))
        #expect(try list("~/Mail/ %") == ListRequest(reference: "~/Mail/", patterns: ["%"]))
        #expect(try list("\"\" Entw&APw-*") == ListRequest(reference: "", patterns: ["Entwü*"]))
        #expect(try list("\"\" \"ü%\"", .utf8).patterns == ["ü%"])
        #expect(request("LSUB \"#news.\" \"comp.mail.*\"") == "lsub(reference: \"#news.\", pattern: \"comp.mail.*\")")
        for bad in ["", " ", "\"\"", "\"\" ", "\"\" * x", "* *", "\"\" (", "\"\" ()", "\"\" \"*", "\"\" &"] {
            #expect(error("LIST " + bad)?.answer == .bad, "\(bad)")
        }
    }

    @Test func extendedList() throws {
        let all = try list("(SUBSCRIBED) \"\" \"*\" RETURN (SPECIAL-USE SUBSCRIBED CHILDREN STATUS (MESSAGES UNSEEN))")
        #expect(all.isExtended && all.selection.subscribed && !all.selection.recursiveMatch)
        #expect(all.returns.specialUse && all.returns.subscribed && all.returns.children)
        #expect(all.returns.status == [.messages, .unseen])
        let several = try list("(SUBSCRIBED REMOTE RECURSIVEMATCH) \"\" (\"foo\" %/bar)")
        #expect(several.patterns == ["foo", "%/bar"])
        #expect(several.selection.remote && several.selection.recursiveMatch)
        #expect(try list("() \"\" % RETURN ()").isExtended)
        #expect(try list("(SPECIAL-USE) \"\" \"*\"").selection.specialUse)
        for bad in [
            "(RECURSIVEMATCH) \"\" %", "(REMOTE RECURSIVEMATCH) \"\" %", "(FOO) \"\" %", "(SUBSCRIBED \"\" %",
            "\"\" % RETURN", "\"\" % RETURN (FOO)", "\"\" % RETURN (STATUS)", "\"\" % RETURN (STATUS ())",
            "\"\" % (CHILDREN)", "\"\" % RETURN (CHILDREN) x", "\"\" (a  b)",
        ] {
            #expect(error("LIST " + bad)?.answer == .bad, "\(bad)")
        }
        #expect(error("LIST \"\" (" + String(repeating: "a ", count: 40) + "a)")?.code == .limit)
    }

    @Test func status() {
        #expect(
            request("STATUS blurdybloop (UIDNEXT MESSAGES)")
                == "status(blurdybloop, [IMAPSyntax.StatusItem.uidNext, IMAPSyntax.StatusItem.messages])")
        for item in StatusItem.allCases { #expect(error("STATUS a (\(item.rawValue))") == nil) }
        for bad in ["STATUS a", "STATUS a ()", "STATUS a MESSAGES", "STATUS a (FOO)", "STATUS a (MESSAGES )"] {
            #expect(error(bad)?.answer == .bad, "\(bad)")
        }
    }

    @Test func append() throws {
        let text = "A003 APPEND saved-messages (\\Seen $Forwarded) \" 7-Feb-1994 21:52:25 -0800\" {3}\r\nabc"
        guard case .append(let events) = try parse(text).request else {
            Issue.record()
            return
        }
        let forwarded = try #require(Keyword("$Forwarded"))
        let date = Timestamp(seconds: 760_686_745, zoneMinutes: -480)
        #expect(
            events == [
                .target(AppendTarget(mailbox: try #require(MailboxName("saved-messages")))),
                .message(flags: [.seen, .keyword(forwarded)], internalDate: date),
                .text(Array("abc".utf8), isBinary: false), .endOfMessage, .end,
            ])
        #expect(error("APPEND a ~{2+}\r\n\0\0") == nil)
        #expect(error("APPEND a {2+}\r\n\0\0")?.answer == .bad)
        for bad in [
            "APPEND", "APPEND a", "APPEND a ", "APPEND a \"x\"", "APPEND a (\\Seen) x", "APPEND a () () {0}\r\n",
            "APPEND a {3}\r\nab", "APPEND a {3}\r\nabcd", "APPEND a (\\Recent) {0}\r\n", "APPEND a {3}abc",
            "APPEND a (\\Seen)  {0}\r\n", "APPEND a \"31-Feb-2020 00:00:00 +0000\" {0}\r\n",
        ] {
            #expect(error(bad)?.answer == .bad, "\(bad)")
        }
    }
}
