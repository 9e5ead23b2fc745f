import IMAPSyntax
import MailVocabulary
import Testing

/// RFC 4314 §7 and RFC 5464 §5.
@Suite struct AccessCommandTests {
    private func setACL(_ text: String) throws -> RightsChange {
        guard case .setACL(_, _, let change) = try parse("a SETACL x fred " + text).request else {
            throw SyntaxError("not read as SETACL")
        }
        return change
    }

    @Test func rights() throws {
        #expect(try setACL("lrs") == .replace([.lookUp, .read, .markSeen]))
        #expect(try setACL("+c") == .add([.create, .deleteMailbox]))
        #expect(try setACL("-d") == .remove([.deleteMessages, .expunge]))
        #expect(try setACL("\"\"") == .replace([]))
        #expect(try setACL("+") == .add([]))
        #expect(try setACL("lrswipkxtecda") == .replace(.all))
        #expect(try setACL("{4+}\r\n-lrs") == .remove([.lookUp, .read, .markSeen]))
        for bad in ["lrQ", "lrq", "lr0", "L", "++l", "lr é", "", " l", "l r", "+ l"] {
            #expect(error("SETACL x fred " + bad)?.answer == .bad, "\(bad)")
        }
    }

    @Test func rightsAsText() {
        #expect(MailboxRights.all.text == "lrswipkxtecda")
        #expect(MailboxRights([.lookUp, .deleteMailbox]).text == "lxc")
        #expect(MailboxRights([.expunge]).text == "ed")
        #expect(MailboxRights([]).text.isEmpty)
        for value in UInt16(0)..<1 << 11 {
            let rights = MailboxRights(rawValue: value)
            // The virtual rights stand for more than made them appear: without them the text says what is there.
            #expect(MailboxRights(rights.text.filter { $0 != "c" && $0 != "d" }) == rights)
        }
    }

    @Test func otherCommands() {
        #expect(request("GETACL INBOX") == "getACL(INBOX)")
        #expect(request("deleteacl inbox -fred") == "deleteACL(INBOX, identifier: \"-fred\")")
        #expect(request("LISTRIGHTS \"a b\" \"anyone\"") == "listRights(a b, identifier: \"anyone\")")
        #expect(request("MYRIGHTS Entw&APw-rfe") == "myRights(Entwürfe)")
        #expect(request("DELETEACL x {2+}\r\nü") == "deleteACL(x, identifier: \"ü\")")
        for bad in [
            "GETACL", "GETACL a b", "DELETEACL a", "DELETEACL a ", "DELETEACL a b c", "LISTRIGHTS a", "MYRIGHTS",
            "MYRIGHTS \"a", "SETACL a", "SETACL a b", "SETACL a b c d", "DELETEACL a {1+}\r\n\u{0}",
        ] {
            #expect(error(bad)?.answer == .bad, "\(bad)")
        }
        #expect(error("GETACL a//b")?.answer == .no)
    }

    private func metadata(_ text: String) throws -> MetadataRequest {
        guard case .getMetadata(let request) = try parse("a GETMETADATA " + text).request else {
            throw SyntaxError("not read as GETMETADATA")
        }
        return request
    }

    @Test func getMetadata() throws {
        let comment = try #require(AnnotationName("/shared/comment"))
        let own = try #require(AnnotationName("/private/comment"))
        #expect(
            try metadata("\"\" /Shared/Comment")
                == MetadataRequest(place: .server, selection: AnnotationSelection([comment])))
        #expect(try metadata("{0+}\r\n \"/shared/comment\"").place == .server)
        let both = MetadataRequest(
            place: .mailbox(name("INBOX")), selection: AnnotationSelection([comment, own], depth: .one),
            maximumSize: 1024)
        for text in [
            "(MAXSIZE 1024 DEPTH 1) INBOX (/shared/comment /private/comment)",
            "INBOX (DEPTH 1 MAXSIZE 1024) (/shared/comment /private/comment)",
            "inbox (depth 1 maxsize 1024) /shared/comment /private/comment",
        ] {
            #expect(try metadata(text) == both, "\(text)")
        }
        #expect(try metadata("(DEPTH Infinity) x (/private)").selection.depth == .infinity)
        for bad in [
            "", "x", "x ", "x ()", "x (DEPTH 1)", "(DEPTH 2) x /private", "(MAXSIZE) x /private",
            "(MAXSIZE -1) x /private",
            "(FOO 1) x /private", "() x /private", "x /private/", "x /private//x", "x /private/%", "x /other",
            "x /privatex", "x private", "x /private/\u{e9}", "x (/private", "x (/private /shared",
            "x \"/private/a\u{7}\"",
            "x /private/" + String(repeating: "x", count: 250),
            "x " + Array(repeating: "/private", count: IMAPLimits.annotations + 1).joined(separator: " "),
        ] {
            #expect(error("GETMETADATA " + bad)?.answer == .bad, "\(bad)")
        }
    }

    @Test func setMetadata() throws {
        let text = "a SETMETADATA INBOX (/private/comment {3+}\r\na\r\n /shared/vendor/x/y ~{2+}\r\n\0b /private/z NIL)"
        guard case .setMetadata(let place, let changes) = try parse(text).request else {
            Issue.record("not read as SETMETADATA")
            return
        }
        #expect(place == .mailbox(.inbox))
        #expect(changes.map(\.name.text) == ["/private/comment", "/shared/vendor/x/y", "/private/z"])
        #expect(changes.map(\.value) == [Array("a\r\n".utf8), [0, 0x62], nil])
        for bad in [
            "x", "x ()", "x /private/a \"b\"", "x (/private/a)", "x (/private/a b)", "x (/private \"b\")",
            "x (/shared/vendor/y \"b\")", "x (/private/a \"b\" /private/A \"c\")", "x (/private/a {1+}\r\n\0)",
            "x (/private/a \"b\"", "x (/private/a NIL /private/b)",
        ] {
            #expect(error("SETMETADATA " + bad)?.answer == .bad, "\(bad)")
        }
    }

    @Test func depths() throws {
        let top = try #require(AnnotationName("/private/a"))
        let below = try #require(AnnotationName("/private/a/b/c"))
        #expect(below.depth(below: top) == 2)
        #expect(top.depth(below: below) == nil)
        #expect(try #require(AnnotationName("/private/ab")).depth(below: top) == nil)
        #expect(!AnnotationSelection([top], depth: .one).selects(below))
        #expect(AnnotationSelection([top], depth: .infinity).selects(below))
        #expect(AnnotationSelection([top]).selects(top))
    }

    @Test func listReturns() throws {
        guard
            case .list(let list) = try parse("a LIST \"\" % RETURN (MYRIGHTS METADATA (/shared/a \"/private/b\"))")
                .request
        else {
            Issue.record("not read as LIST")
            return
        }
        #expect(list.returns.rights)
        #expect(list.returns.annotations.map(\.text) == ["/shared/a", "/private/b"])
        for bad in ["METADATA", "METADATA ()", "METADATA /shared/a", "METADATA (x)", "MYRIGHTS ()"] {
            #expect(error("LIST \"\" % RETURN (\(bad))")?.answer == .bad, "\(bad)")
        }
    }

    @Test func responses() throws {
        let box = name("Entwürfe")
        #expect(
            written { $0.append(accessList: box, [("anyone", [.lookUp]), ("-a b", [])], .modifiedUTF7) }
                == "* ACL Entw&APw-rfe anyone l \"-a b\" \"\"\r\n")
        #expect(
            written { $0.append(listRights: box, identifier: "x", required: [], optional: ["l", "c"], .utf8) }
                == "* LISTRIGHTS \"Entwürfe\" x \"\" l c\r\n")
        #expect(
            written { $0.append(myRights: [.read, .create], on: .inbox, .modifiedUTF7) } == "* MYRIGHTS INBOX rkc\r\n")
        let values = try ["/private/a", "/private/b", "/private/c"].map { try #require(AnnotationName($0)) }
        #expect(
            written {
                $0.append(
                    metadataOf: .server, [(values[0], nil), (values[1], [0, 1]), (values[2], [0x0D])], .modifiedUTF7)
            } == "* METADATA \"\" (/private/a NIL /private/b ~{2}\r\n\0\u{1} /private/c {1}\r\n\r)\r\n")
    }
}
