import IMAPSyntax
import MailVocabulary
import Testing
import WireFraming

@Suite struct WriterTests {
    @Test func strings() {
        #expect(written { $0.append(string: "a \"b\" \\c") } == "\"a \\\"b\\\" \\\\c\"")
        #expect(written { $0.append(string: "") } == "\"\"")
        #expect(written { $0.append(string: "a\r\nb") } == "{4}\r\na\r\nb")
        #expect(written { $0.append(string: "ü") } == "{2}\r\nü")
        #expect(written { $0.append(string: "ü", .utf8) } == "\"ü\"")
        #expect(written { $0.append(string: [0xFC], .utf8) }.hasPrefix("{1}\r\n"))
        #expect(written { $0.append(string: [0x61, 0]) } == "{2}\r\na\0")
        #expect(written { $0.append(string: String(repeating: "x", count: 1001)) }.hasPrefix("{1001}\r\nx"))
        #expect(written { $0.append(nstring: nil as String?) } == "NIL")
        #expect(written { $0.append(nstring: [0x61]) } == "\"a\"")
        #expect(written { $0.append(binaryLiteralOf: 7) } == "~{7}\r\n")
    }

    @Test func astrings() {
        for (text, expected) in [
            ("abc", "abc"), ("a]", "a]"), ("", "\"\""), ("a b", "\"a b\""), ("nil", "\"nil\""), ("a*", "\"a*\""),
            ("a{3}", "\"a{3}\""), ("\\Seen", "\"\\\\Seen\""),
        ] { #expect(written { $0.append(astring: Array(text.utf8)) } == expected) }
        #expect(written { $0.append(mailbox: name("Entwürfe"), .modifiedUTF7) } == "Entw&APw-rfe")
        #expect(written { $0.append(mailbox: name("Entwürfe"), .utf8) } == "\"Entwürfe\"")
        #expect(written { $0.append(mailbox: name("a & b"), .modifiedUTF7) } == "\"a &- b\"")
        #expect(written { $0.append(mailbox: name("Nil"), .utf8) } == "\"Nil\"")
    }

    /// What is written is what is read.
    @Test func stringsSurvive() {
        var random = SeededGenerator(state: 53)
        for _ in 0..<2000 {
            let octets = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                UInt8.random(in: 1...255, using: &random)
            }
            for encoding in [StringEncoding.ascii, .utf8] {
                var buffer = OutputBuffer()
                buffer.append("a SEARCH BODY " as StaticString)
                buffer.append(astring: octets, encoding)
                guard let command = try? parse(buffer.take()),
                    case .search(let search, _) = command.request
                else {
                    Issue.record("\(octets)")
                    continue
                }
                #expect(search.key == .body(contains: octets))
            }
        }
    }

    @Test func flagsAndSets() throws {
        let forwarded = try #require(Keyword("$Forwarded"))
        #expect(written { $0.append(flags: []) } == "()")
        #expect(
            written { $0.append(flags: [.answered, .keyword(forwarded)], extra: "\\*") }
                == "(\\Answered $Forwarded \\*)")
        #expect(written { $0.append(flags: [], extra: "\\*") } == "(\\*)")
        #expect(written { $0.append(mailboxFlags: [.seen, .draft]) } == "* FLAGS (\\Seen \\Draft)\r\n")
        #expect(written { $0.append(numberSet: NumberSet([1...3, 7...7, 9...4_294_967_295])) } == "1:3,7,9:4294967295")

        var writer = FlagListWriter(KeywordTable([forwarded]))
        let bits: FlagBits = [.seen, KeywordTable.bit(number: 0)]
        let text = written { output in
            writer.appendFetch(sequenceNumber: 12, uid: UID(30), bits, to: &output)
            writer.appendFetch(sequenceNumber: 13, uid: nil, bits, to: &output)
            writer.appendFetch(sequenceNumber: 14, uid: nil, bits, recent: true, to: &output)
            writer.appendFetch(sequenceNumber: 15, uid: nil, [], to: &output)
        }
        #expect(
            text == """
                * 12 FETCH (UID 30 FLAGS (\\Seen $Forwarded))\r
                * 13 FETCH (FLAGS (\\Seen $Forwarded))\r
                * 14 FETCH (FLAGS (\\Seen $Forwarded \\Recent))\r
                * 15 FETCH (FLAGS ())\r\n
                """)
    }

    @Test func sections() {
        for section in [
            "BODY[]", "BODY[TEXT]", "BODY[HEADER]", "BODY[1.2]", "BODY[1.MIME]", "BODY[1.2.HEADER]",
            "BODY[HEADER.FIELDS (DATE FROM)]", "BODY[3.HEADER.FIELDS.NOT (\"x y\")]",
        ] {
            guard case .fetch(_, let items, _, _) = try? parse("a FETCH 1 \(section)<5.7>").request,
                case .section(_, let parsed, let partial) = items.first
            else {
                Issue.record("\(section)")
                continue
            }
            #expect(written { $0.append(section: parsed, partial: partial) } == section + "<5>")
            #expect(written { $0.append(section: parsed, partial: nil) } == section)
        }
        #expect(written { $0.append(binaryPart: [1, 2], partial: nil) } == "BINARY[1.2]")
        #expect(written { $0.append(binarySizeOf: []) } == "BINARY.SIZE[]")
    }

    @Test func statusResponses() {
        #expect(written { $0.append(status: .ok, tag: "a1", "Done") } == "a1 OK Done\r\n")
        #expect(written { $0.append(status: .bye, tag: nil, "Bye") } == "* BYE Bye\r\n")
        #expect(
            written { $0.append(status: .no, tag: "a", code: .nonExistent, "No\r\nsuch\0") }
                == "a NO [NONEXISTENT] No??such?\r\n")
        #expect(written { $0.append(status: .bad, tag: nil, "") } == "* BAD -\r\n")
        #expect(written { $0.append(continuation: "") } == "+ -\r\n")
        #expect(written { $0.append(SyntaxError("m", answer: .no, code: .cannot, tag: "t")) } == "t NO [CANNOT] m\r\n")
        #expect(written { $0.append(SyntaxError("m", answer: .no)) } == "* BAD m\r\n")
    }

    @Test func responseCodes() throws {
        let validity = try #require(UIDValidity(3))
        for (code, expected) in [
            (ResponseCode.readOnly, "READ-ONLY"), (.tryCreate, "TRYCREATE"), (.unknownCTE, "UNKNOWN-CTE"),
            (.appendUID(validity, NumberSet(4...4)), "APPENDUID 3 4"),
            (
                .copyUID(validity, source: NumberSet([1...2, 5...5]), destination: NumberSet(7...9)),
                "COPYUID 3 1:2,5 7:9"
            ),
            (.badCharset([]), "BADCHARSET"), (.badCharset(["UTF-8", "US-ASCII"]), "BADCHARSET (UTF-8 US-ASCII)"),
            (.capability(["IMAP4rev1", "IDLE"]), "CAPABILITY IMAP4rev1 IDLE"),
            (.highestModSeq(ModSeq(715_194_045_007)), "HIGHESTMODSEQ 715194045007"),
            (.modified(NumberSet(numbers: [7, 9])), "MODIFIED 7,9"),
            (.permanentFlags([.deleted], canCreateKeywords: true), "PERMANENTFLAGS (\\Deleted \\*)"),
            (.permanentFlags([], canCreateKeywords: false), "PERMANENTFLAGS ()"), (.uidNext(4392), "UIDNEXT 4392"),
            (.uidNext(1 << 32), "UIDNEXT 4294967295"), (.uidValidity(validity), "UIDVALIDITY 3"),
            (.unseen(12), "UNSEEN 12"), (.mailboxID("F1"), "MAILBOXID (F1)"),
        ] { #expect(written { $0.append(code: code) } == expected) }
    }

    @Test func mailboxData() {
        #expect(
            written {
                $0.append(list: ListEntry(name: "a/ü", attributes: ["\\HasNoChildren", "\\Sent"]), .modifiedUTF7)
            } == "* LIST (\\HasNoChildren \\Sent) \"/\" a/&APw-\r\n")
        #expect(
            written { $0.append(list: ListEntry(name: "foo", childInfo: ["SUBSCRIBED"]), .utf8) }
                == "* LIST () \"/\" foo (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n")
        #expect(
            written { $0.append(list: ListEntry(name: "x"), .utf8, command: "LSUB") } == "* LSUB () \"/\" x\r\n")
        #expect(written { $0.append(separatorUnder: "", .utf8) } == "* LIST (\\Noselect) \"/\" \"\"\r\n")
        #expect(
            written {
                $0.append(statusOf: name("x"), [(.messages, .number(231)), (.mailboxID, .objectID("F1"))], .utf8)
            }
                == "* STATUS x (MESSAGES 231 MAILBOXID (F1))\r\n")
        #expect(written { $0.append(exists: 23) } == "* 23 EXISTS\r\n")
        #expect(written { $0.append(recent: 0) } == "* 0 RECENT\r\n")
        #expect(written { $0.append(expunge: 44) } == "* 44 EXPUNGE\r\n")
        #expect(written { $0.append(vanished: NumberSet(4...5), earlier: true) } == "* VANISHED (EARLIER) 4:5\r\n")
        #expect(written { $0.append(capabilities: ["IMAP4rev2", "ID"]) } == "* CAPABILITY IMAP4rev2 ID\r\n")
        #expect(written { $0.append(enabled: []) } == "* ENABLED\r\n")
        #expect(written { $0.append(enabled: ["CONDSTORE"]) } == "* ENABLED CONDSTORE\r\n")
        #expect(written { $0.append(id: []) } == "* ID NIL\r\n")
        #expect(
            written { $0.append(id: [IDField(name: "name", value: "x"), IDField(name: "os", value: nil)]) }
                == "* ID (\"name\" \"x\" \"os\" NIL)\r\n")
        let namespaces = written {
            $0.append(namespaces: [""], others: [], shared: ["Geteilt ü/", "b/"], .modifiedUTF7)
        }
        #expect(namespaces == "* NAMESPACE ((\"\" \"/\")) NIL ((\"Geteilt &APw-/\" \"/\")(\"b/\" \"/\"))\r\n")
    }

    @Test func searchResults() {
        let found = NumberSet([2...3, 10...11])
        #expect(written { $0.append(search: found) } == "* SEARCH 2 3 10 11\r\n")
        #expect(written { $0.append(search: NumberSet()) } == "* SEARCH\r\n")
        #expect(written { $0.append(search: found, modSeq: ModSeq(9)) } == "* SEARCH 2 3 10 11 (MODSEQ 9)\r\n")
        #expect(
            written { $0.append(esearch: SearchResult(found, [.min, .max, .all, .count]), tag: "A282", uid: false) }
                == "* ESEARCH (TAG \"A282\") MIN 2 MAX 11 ALL 2:3,10:11 COUNT 4\r\n")
        #expect(
            written { $0.append(esearch: SearchResult(NumberSet(), [.min, .all, .count]), tag: "a", uid: true) }
                == "* ESEARCH (TAG \"a\") UID COUNT 0\r\n")
        #expect(
            written { $0.append(esearch: SearchResult(found, .save), tag: "a", uid: true) }
                == "* ESEARCH (TAG \"a\") UID\r\n")
    }
}
