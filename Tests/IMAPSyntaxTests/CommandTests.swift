import IMAPSyntax
import MailVocabulary
import Testing

/// Commands as RFC 3501, RFC 9051 and the extensions show them, and what they are understood as.
@Suite struct CommandTests {
    @Test(arguments: [
        ("CAPABILITY", "capability"), ("noop", "noop"), ("LogOut", "logout"), ("STARTTLS", "startTLS"),
        ("NAMESPACE", "namespace"), ("IDLE", "idle"), ("CHECK", "check"), ("CLOSE", "close"),
        ("UNSELECT", "unselect"), ("Unauthenticate", "unauthenticate"), ("EXPUNGE", "expunge(uids: nil)"),
    ])
    func withoutArguments(_ fixture: (text: String, expected: String)) {
        #expect(request(fixture.text) == fixture.expected)
        #expect(error(fixture.text + " ")?.answer == .bad)
        #expect(error(fixture.text + " x")?.answer == .bad)
    }

    // RFC 4978 §5
    @Test func compress() {
        #expect(request("COMPRESS DEFLATE") == #"compress(algorithm: "DEFLATE")"#)
        #expect(request("compress deflate") == #"compress(algorithm: "DEFLATE")"#)
        for bad in ["COMPRESS", "COMPRESS ", "COMPRESS  DEFLATE", "COMPRESS DEFLATE x", "COMPRESS {7}\r\nDEFLATE"] {
            #expect(error(bad)?.answer == .bad, "\(bad)")
        }
    }

    @Test func login() throws {
        let command = try parse("a001 LOGIN SMITH \"SE\\\"SA\\\\ME\"")
        guard case .login(let user, let password) = command.request else {
            Issue.record("\(command)")
            return
        }
        #expect(user == "SMITH")
        #expect(password.revealed() == "SE\"SA\\ME")
        #expect(command.tag == "a001")
        let literals = try parse("a LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man")
        guard case .login("FRED FOOBAR", let secret) = literals.request else {
            Issue.record("\(literals)")
            return
        }
        #expect(secret.revealed() == "fat man")
        for bad in ["LOGIN", "LOGIN a", "LOGIN a ", "LOGIN a b c", "LOGIN  a b", "LOGIN a \"b", "LOGIN a {3}\r\nab"] {
            #expect(error(bad)?.answer == .bad, "\(bad)")
        }
    }

    @Test func errorsNeverRepeatTheClientsWords() {
        #expect(error("LOGIN joe hunter2 oops")?.message.contains("hunter2") == false)
        #expect(error("LOGIN joe \"hunter2")?.message.contains("hunter2") == false)
        #expect(!request("LOGIN joe hunter2").contains("hunter2"))
    }

    @Test func authenticate() throws {
        #expect(request("AUTHENTICATE plain") == "authenticate(mechanism: \"PLAIN\", initialResponse: nil)")
        guard case .authenticate("PLAIN", let response?) = try parse("A AUTHENTICATE PLAIN AHRlc3QAdGVzdA==").request
        else {
            Issue.record("no initial response")
            return
        }
        #expect(response.revealed() == "\0test\0test")
        guard case .authenticate(_, let empty?) = try parse("A AUTHENTICATE EXTERNAL =").request else {
            Issue.record("no initial response")
            return
        }
        #expect(empty.count == 0)
        for bad in ["AUTHENTICATE", "AUTHENTICATE PLAIN ", "AUTHENTICATE PLAIN ===", "AUTHENTICATE PLAIN a b"] {
            #expect(error(bad)?.answer == .bad, "\(bad)")
        }
    }

    @Test func authenticateResponses() {
        func response(_ text: String) -> AuthenticateResponse { AuthenticateResponse(line: Array(text.utf8).span) }
        if case .response(let secret) = response("AGE=") { #expect(secret.revealed() == "\0a") } else { Issue.record() }
        if case .response(let secret) = response("") { #expect(secret.count == 0) } else { Issue.record() }
        if case .cancel = response("*") {} else { Issue.record() }
        for bad in ["a", "**", "AGE", "=", "A A="] {
            if case .malformed = response(bad) {} else { Issue.record("\(bad)") }
        }
    }

    @Test func done() {
        for (line, isDone) in [("DONE", true), ("done", true), ("DONE ", false), ("DON", false), ("", false)] {
            #expect(IMAPRequest.isDone(Array(line.utf8).span) == isDone)
        }
    }

    @Test func enableAndID() {
        #expect(request("ENABLE condstore UTF8=ACCEPT") == "enable([\"CONDSTORE\", \"UTF8=ACCEPT\"])")
        #expect(error("ENABLE") != nil)
        #expect(request("ID NIL") == "id([])")
        let id = request("ID (\"name\" \"sodr\" \"version\" NIL)")
        #expect(id.contains("name: \"name\", value: Optional(\"sodr\")") && id.contains("value: nil"))
        for bad in ["ID", "ID (\"name\")", "ID (\"name\" x)", "ID (name NIL)", "ID (\"a\" NIL", "ID nilx"] {
            #expect(error(bad)?.answer == .bad, "\(bad)")
        }
        let pair = " \"k\" \"v\""
        #expect(error("ID (" + String(repeating: pair, count: 30).dropFirst() + ")") == nil)
        #expect(error("ID (" + String(repeating: pair, count: 31).dropFirst() + ")")?.code == .limit)
        #expect(error("ID (\"k\" {1025}\r\n" + String(repeating: "v", count: 1025) + ")")?.code == .limit)
    }

    @Test(arguments: [
        ("copy 2:4 MEETING", "copy(IMAPSyntax.SequenceSet.ranges([2:4]), MEETING, uid: false)"),
        ("UID COPY 2:4 MEETING", "copy(IMAPSyntax.SequenceSet.ranges([2:4]), MEETING, uid: true)"),
        ("MOVE 42:69 foo", "move(IMAPSyntax.SequenceSet.ranges([42:69]), foo, uid: false)"),
        ("uid move 42 foo", "move(IMAPSyntax.SequenceSet.ranges([42:42]), foo, uid: true)"),
        ("UID EXPUNGE 3000:3002", "expunge(uids: Optional(IMAPSyntax.SequenceSet.ranges([3000:3002])))"),
    ])
    func onMessages(_ fixture: (text: String, expected: String)) {
        // Ranges as the client wrote them.
        let text = request(fixture.text).replacing(
            /IMAPSyntax\.SequenceRange\(first: Optional\((\d+)\), last: Optional\((\d+)\)\)/
        ) {
            "\($0.1):\($0.2)"
        }
        #expect(text == fixture.expected)
    }

    @Test(arguments: [
        "COPY", "COPY 1", "COPY 1 ", "COPY x INBOX", "COPY 1 INBOX x", "UID", "UID ", "UID NOOP", "UID LOGIN a b",
        "UID EXPUNGE", "EXPUNGE 1", "UID UID FETCH 1 FLAGS", "MOVE 0 x", "MOVE 1, x", "MOVE 1:: x",
    ])
    func rejected(_ text: String) {
        #expect(error(text)?.answer == .bad)
        #expect(error(text)?.tag == "a")
    }

    @Test func unknownCommands() {
        #expect(request("xyzzy (({5") == "unknown(name: \"XYZZY\")")
        for bad in ["", "X[Y", "NOOP(", " NOOP", "\"NOOP\"", "{4}\r\nNOOP"] {
            #expect(error(bad)?.answer == .bad, "\(bad)")
        }
    }

    @Test func tags() {
        for good in ["a", "1", "A]b", "*.x".replacing("*", with: "z"), "~[]"] {
            #expect((try? parse(good + " NOOP"))?.tag == good)
        }
        for bad in ["", "*", "+", "a+b", "(a", "a\"", "a%", "a{", "a\\", "\u{e9}", String(repeating: "t", count: 257)] {
            #expect(throws: SyntaxError.self) { try parse(bad + " NOOP") }
            do { _ = try parse(bad + " NOOP") } catch { #expect(error.tag == nil, "\(bad)") }
        }
        do { _ = try parse("tag FETCH") } catch { #expect(error.tag == "tag") }
    }

    @Test func everyNameBelongsToAGroup() {
        #expect(IMAPCommandName.login.group == .notAuthenticated)
        #expect(IMAPCommandName.noop.group == .any)
        #expect(IMAPCommandName.idle.group == .authenticated)
        #expect(IMAPCommandName.allCases.filter(\.hasUIDForm).allSatisfy { $0.group == .selected })
        for name in IMAPCommandName.allCases where !name.hasUIDForm {
            #expect(error("UID \(name.rawValue)") != nil)
        }
    }
}
