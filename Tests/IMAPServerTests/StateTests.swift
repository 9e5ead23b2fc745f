import IMAPSyntax
import MailStore
import MailTestSupport
import MailVocabulary
import Testing
import WireFraming

@testable import IMAPServer

/// Every command in every state (RFC 3501 §6).
@Suite struct StateTests {
    enum Place: CaseIterable {
        case cleartext, notAuthenticated, authenticated, selected
    }

    static let commands: [IMAPCommandName: String] = [
        .capability: "CAPABILITY", .noop: "NOOP", .logout: "LOGOUT", .id: "ID NIL", .startTLS: "STARTTLS",
        .authenticate: "AUTHENTICATE PLAIN AGZyZWQAc2VjcmV0", .login: "LOGIN fred secret", .enable: "ENABLE X",
        .select: "SELECT INBOX", .examine: "EXAMINE INBOX", .create: "CREATE new", .delete: "DELETE Trash",
        .rename: "RENAME Trash Bin", .subscribe: "SUBSCRIBE INBOX", .unsubscribe: "UNSUBSCRIBE INBOX",
        .list: "LIST \"\" *", .lsub: "LSUB \"\" *", .namespace: "NAMESPACE", .status: "STATUS INBOX (MESSAGES)",
        .append: "APPEND INBOX {3+}\r\nabc",
        .generateURLs:
            #"GENURLAUTH "imap://fred%40example.org@mail.example.org/INBOX/;uid=1;urlauth=anonymous" INTERNAL"#,
        .fetchURLs: "URLFETCH /INBOX/;uid=1", .resetKey: "RESETKEY", .replace: "REPLACE 1 Drafts {3+}\r\nabc",
        .setACL: "SETACL INBOX anyone l", .deleteACL: "DELETEACL INBOX anyone", .getACL: "GETACL INBOX",
        .listRights: "LISTRIGHTS INBOX anyone", .myRights: "MYRIGHTS INBOX",
        .getMetadata: "GETMETADATA INBOX /private/comment",
        .setMetadata: "SETMETADATA INBOX (/private/comment \"x\")",
        .notify: "NOTIFY SET (personal (MailboxName))", .idle: "IDLE\r\nDONE", .compress: "COMPRESS DEFLATE",
        .unauthenticate: "UNAUTHENTICATE", .check: "CHECK", .close: "CLOSE",
        .unselect: "UNSELECT", .expunge: "EXPUNGE", .search: "SEARCH ALL",
        .sort: "SORT (DATE) UTF-8 ALL", .thread: "THREAD REFERENCES UTF-8 ALL",
        .cancelUpdate: "CANCELUPDATE \"x\"",
        .multiSearch: "ESEARCH IN (personal) ALL", .fetch: "FETCH 1 FLAGS",
        .store: "STORE 1 FLAGS ()", .copy: "COPY 1 Trash", .move: "MOVE 1 Trash",
        .getQuota: "GETQUOTA fred@example.org", .getQuotaRoot: "GETQUOTAROOT INBOX",
        .setQuota: "SETQUOTA fred@example.org ()",
    ]

    private func client(at place: Place) async throws -> Client {
        let ordinary = try await Fixture()
        try await ordinary.store.setAdministrator(true, ordinary.account.id)
        let fixture = try await ordinary.anew()
        try await fixture.deliver([Fixture.simple(1)])
        var settings = IMAPSettings()
        settings.urlAuthentication = URLAuthorizationTests.code
        switch place {
        case .cleartext, .notAuthenticated:
            let client = fixture.client(tls: place == .cleartext ? nil : Fixture.tls, settings: settings)
            _ = await client.connect()
            return client
        case .authenticated: return await fixture.session(settings: settings)
        case .selected: return await fixture.session("INBOX", settings: settings)
        }
    }

    /// What the RFC and the wall around passwords say of a command.
    private func expected(_ name: IMAPCommandName, at place: Place) -> String {
        if name == .startTLS { return place == .cleartext ? "OK" : "BAD" }
        switch (name.group, place) {
        case (.any, _), (.authenticated, .authenticated), (.authenticated, .selected), (.selected, .selected),
            (.notAuthenticated, .notAuthenticated):
            return "OK"
        case (.notAuthenticated, .cleartext): return "NO [PRIVACYREQUIRED]"
        case (.notAuthenticated, .authenticated), (.notAuthenticated, .selected), (.authenticated, .cleartext),
            (.authenticated, .notAuthenticated), (.selected, .cleartext), (.selected, .notAuthenticated),
            (.selected, .authenticated):
            return "BAD"
        }
    }

    // A password is refused in cleartext before it is looked at, right or wrong: [8314-4.1-4] [DEEP-9.1-5s]
    // [2595-2.3-1s] [2595-6-1s] [2595-3.1-4]
    @Test("Each command is answered as its state asks", arguments: IMAPCommandName.allCases, Place.allCases)
    func table(_ name: IMAPCommandName, _ place: Place) async throws {
        let client = try await client(at: place)
        let command = try #require(Self.commands[name])
        let answer = await client.send("a \(command)\r\n")
        let expected = expected(name, at: place)
        #expect(("\r\n" + answer).contains("\r\na \(expected) "), "\(answer)")
        let tagged = ("\r\n" + answer).ranges(of: "\r\na ").count
        #expect(tagged == 1)
        #expect(client.isClosed == (name == .logout))
    }

    @Test("Good and bad credentials are denied alike over cleartext [8314-4.1-4] [8314-4.1-5]")
    func cleartext() async throws {
        let fixture = try await Fixture()
        let client = fixture.client(tls: nil)
        _ = await client.connect()
        let right = await client.send("a LOGIN fred secret\r\n")
        let wrong = await client.send("a LOGIN fred wrong\r\n")
        #expect(right == wrong)
        #expect(right == "a NO [PRIVACYREQUIRED] Use TLS first\r\n")
    }

    @Test("Every failed login gets the same answer; the third ends the connection [2595-6-6]")
    func failedLogins() async throws {
        let fixture = try await Fixture()
        let client = fixture.client()
        _ = await client.connect()
        let unknown = await client.send("a LOGIN nobody secret\r\n")
        await client.expect("a LOGIN fred wrong\r\n", unknown)
        // PLAIN with an authorization identity that is another's: [2595-6-5]
        let last = await client.send("a AUTHENTICATE PLAIN bXJjAGZyZWQAc2VjcmV0\r\n")
        #expect(last == unknown + "* BYE Too many failed logins\r\n")
        #expect(client.isClosed)
        #expect(client.events.count == 3)
    }

    @Test("STARTTLS is offered only where it can succeed [8314-4-6] [DEEP-9.2-3] [DEEP-9.2-2b] [2595-8-1]") func offer()
        async throws
    {
        let fixture = try await Fixture()
        let with = fixture.client(tls: nil, canStartTLS: true)
        let greeting = await with.connect()
        #expect(greeting.contains(" STARTTLS LOGINDISABLED]"))
        let without = fixture.client(tls: nil, canStartTLS: false)
        let other = await without.connect()
        #expect(!other.contains("STARTTLS") && other.contains("LOGINDISABLED") && !other.contains("AUTH="))
        #expect(await without.send("a STARTTLS\r\n").hasPrefix("a BAD "))
        let inside = fixture.client()
        let implicit = await inside.connect()
        #expect(
            !implicit.contains("STARTTLS") && !implicit.contains("LOGINDISABLED") && implicit.contains("AUTH=PLAIN"))
    }

    @Test(
        "Nothing that came before TLS is remembered or answered inside it [8314-A-1s] [DEEP-A-1]",
        arguments: ["b NOOP\r\n", "b LOGIN fred secret\r\n", "b", "b LOGIN {4}\r\n", "\u{16}\u{3}\u{1}"])
    func injection(_ behind: String) async throws {
        let fixture = try await Fixture()
        let client = fixture.client(tls: nil)
        _ = await client.connect()
        let answer = await client.send("a STARTTLS\r\n\(behind)")
        #expect(answer == "a BAD Nothing may follow STARTTLS\r\n* BYE Data came before TLS was started\r\n")
        #expect(client.isClosed)
        #expect(!client.awaitsHandshake)
        #expect(client.events == [.violation("data behind STARTTLS")])
    }

    @Test("TLS begins with a clean session [2595-3.1-5] [2595-3.1-10]") func clean() async throws {
        let fixture = try await Fixture()
        let client = fixture.client(tls: nil)
        _ = await client.connect()
        // Nine errors: one more would end the connection.
        for _ in 0..<9 { _ = await client.send("a NOSUCH\r\n") }
        _ = await client.send("a STARTTLS\r\n")
        #expect(client.awaitsHandshake)
        #expect(await client.handshake().isEmpty)
        #expect(await client.send("b NOSUCH\r\n").hasPrefix("b BAD "))
        #expect(!client.isClosed)
        #expect(await client.send("c SELECT INBOX\r\n").hasPrefix("c BAD "))
        #expect(await client.send("d LOGIN fred secret\r\n").hasPrefix("d OK "))
    }

    @Test("Too many bad commands end the connection") func errors() async throws {
        let fixture = try await Fixture()
        let client = fixture.client()
        _ = await client.connect()
        for number in 1...9 { await client.expect("a\(number) X\r\n", "a\(number) BAD Unknown command\r\n") }
        #expect(await client.send("b X\r\n").hasSuffix("* BYE Too many bad commands\r\n"))
        #expect(client.isClosed)
    }

    @Test("What a client sends is not reflected") func reflection() async throws {
        let fixture = try await Fixture()
        let client = await fixture.session("INBOX")
        for text in [
            "a MARKER\r\n", "a SELECT MARKER\r\n", "a FETCH 1 MARKER\r\n", "a SEARCH MARKER\r\n", "(MARKER\r\n",
        ] {
            #expect(!(await client.send(text)).contains("MARKER"))
        }
    }

    @Test("Farewells") func farewells() async throws {
        let fixture = try await Fixture()
        let client = await fixture.session("INBOX")
        let idle = client.driver.timeOut()
        #expect(String(decoding: idle, as: UTF8.self).hasPrefix("* BYE "))
        var session = IMAPSession(
            context: SessionContext(hostname: "mail.example.org", tls: Fixture.tls), store: fixture.store,
            authenticator: ClosedDoor())
        var output = SessionOutput()
        _ = session.connected(&output)
        #expect(session.patience == .seconds(60))
        output = SessionOutput()
        session.stopping(&output)
        #expect(output.bytes.text.hasPrefix("* BYE [UNAVAILABLE] "))
    }

    @Test("A mailbox that is deleted under a session ends it; the session that deletes goes on")
    func deleted() async throws {
        let fixture = try await Fixture()
        let client = await fixture.session("Trash")
        let idler = await fixture.session("Trash")
        _ = await idler.send("i IDLE\r\n")
        let deleter = await fixture.session("Trash")
        await deleter.expect("d DELETE Trash\r\n", "* OK [CLOSED] The mailbox is no more\r\nd OK DELETE completed\r\n")
        #expect(await deleter.send("e NOOP\r\n").hasPrefix("e OK"))
        #expect(await client.send("a NOOP\r\n").hasPrefix("* BYE "))
        #expect(client.isClosed)
        #expect(await idler.changes().hasPrefix("* BYE "))
        #expect(idler.isClosed)
    }

    @Test("DELETE ends the selection of the mailbox that is deleted, whatever its name was") func renamed() async throws
    {
        let fixture = try await Fixture()
        let client = await fixture.session()
        for command in ["CREATE r1", "SELECT r1", "RENAME r1 r2", "CREATE r1"] {
            _ = await client.send("a \(command)\r\n")
        }
        await client.expect("b DELETE r1\r\n", "b OK DELETE completed\r\n")
        #expect(await client.send("c CHECK\r\n").hasPrefix("c OK "))
        _ = await client.send("d RENAME r2 r3\r\n")
        await client.expect("e DELETE r3\r\n", "* OK [CLOSED] The mailbox is no more\r\ne OK DELETE completed\r\n")
        #expect(await client.send("f CHECK\r\n").hasPrefix("f BAD "))
    }

    @Test("A client may ask an empty mailbox for its messages again and again") func polling() async throws {
        let fixture = try await Fixture()
        let client = await fixture.session("INBOX")
        for _ in 0..<100 { await client.expect("a FETCH 1:* FLAGS\r\n", "a BAD No message has such a number\r\n") }
        _ = await client.send("n NOOP\r\n")
        for number in 1...49 { await client.expect("a\(number) X\r\n", "a\(number) BAD Unknown command\r\n") }
        #expect(await client.send("b X\r\n").hasSuffix("* BYE Too many bad commands\r\n"))
    }

    @Test("A stranger's command is shorter than a user's") func commandLimit() async throws {
        let fixture = try await Fixture()
        let client = fixture.client()
        _ = await client.connect()
        let line = String(repeating: "x", count: 7900)
        let long = "a ID (\(line) {0+}\r\n\(line) {0+}\r\n\(line)\r\n"
        await client.expect(long, "a BAD The command is too long\r\n")
        _ = await client.send("l LOGIN fred secret\r\n")
        let answer = await client.send(long)
        #expect(answer.hasPrefix("a BAD ") && !answer.contains("too long"))
    }

    @Test("Literals of a command that was given up do not count for the next") func literalsForgotten() async throws {
        let fixture = try await Fixture()
        let client = fixture.client()
        _ = await client.connect()
        let octets = String(repeating: "x", count: 1500)
        #expect(await client.send("a LOGIN {1500+}\r\n\(octets)\n").hasPrefix("a BAD "))
        #expect(await client.send("b LOGIN {1500+}\r\n\(octets) secret\r\n").hasPrefix("b NO [AUTHENTICATIONFAILED]"))
    }

    @Test("IDLE tells of what others do as it happens") func idle() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...3).map(Fixture.simple))
        let idler = await fixture.session("INBOX")
        _ = await idler.send("i IDLE\r\n")
        try await fixture.deliver([Fixture.simple(4)])
        #expect(await idler.changes() == "* 4 EXISTS\r\n* 4 RECENT\r\n")
        let other = await fixture.session("INBOX")
        _ = await other.send("a STORE 2 +FLAGS (\\Deleted New)\r\n")
        let flags = await idler.changes()
        #expect(flags.contains("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft New)\r\n"))
        #expect(flags.hasSuffix("* 2 FETCH (FLAGS (\\Deleted New \\Recent))\r\n"))
        _ = await other.send("b EXPUNGE\r\n")
        #expect(await idler.changes() == "* 2 EXPUNGE\r\n* 3 RECENT\r\n")
        await idler.expect("DONE\r\n", "i OK IDLE completed\r\n")
    }

    @Test("What changed in many messages is found out off the connection's thread") func manyChanges() async throws {
        let fixture = try await Fixture()
        let inbox = try await fixture.mailbox("INBOX")
        let body = InMemoryBody([])
        let message = NewMessage(body: body, internalDate: Fixture.now, summary: [])
        _ = try await fixture.store.append([(inbox.id, [NewMessage](repeating: message, count: 6000))])
        var stepper = try await fixture.stepper(selecting: "INBOX")
        _ = try await fixture.store.changeFlags(inbox.id, .everyUID, .add([.seen]), unchangedSince: nil)
        let command = Array("a NOOP\r\n".utf8)
        var (consumed, output) = (0, SessionOutput())
        let step = stepper.session.received(command.span, consumed: &consumed, &output)
        guard case .perform(.refresh) = step else {
            Issue.record("not asked of the service")
            return
        }
        #expect(await stepper.outputs("b NOOP\r\n").isEmpty == false)
        // Few are found out at once.
        var second = try await fixture.stepper(selecting: "INBOX")
        _ = try await fixture.store.changeFlags(inbox.id, NumberSet(1...9), .remove([.seen]), unchangedSince: nil)
        (consumed, output) = (0, SessionOutput())
        let other = second.session.received(command.span, consumed: &consumed, &output)
        guard case .ready = other else {
            Issue.record("more than an answer")
            return
        }
        #expect(
            output.bytes.text.hasPrefix("* 1 FETCH (FLAGS (\\Recent))")
                || output.bytes.text.contains("* 9 FETCH (FLAGS ("))
    }

    @Test("A failed SELECT leaves nothing selected; EXAMINE changes nothing") func selection() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([Fixture.simple(1)])
        let client = await fixture.session()
        #expect(await client.send("a EXAMINE INBOX\r\n").contains("* 1 RECENT\r\n"))
        #expect(await client.send("b STORE 1 +FLAGS (\\Deleted)\r\n").hasPrefix("b NO [READ-ONLY] "))
        #expect(await client.send("c EXPUNGE\r\n").hasPrefix("c NO [READ-ONLY] "))
        #expect(await client.send("d MOVE 1 Trash\r\n").hasPrefix("d NO [READ-ONLY] "))
        #expect(await client.send("e SELECT INBOX\r\n").contains("* 1 RECENT\r\n"))
        await client.expect(
            "f SELECT nosuch\r\n",
            "* OK [CLOSED] The previous mailbox is closed\r\nf NO [NONEXISTENT] No such mailbox\r\n")
        #expect(await client.send("g FETCH 1 FLAGS\r\n").hasPrefix("g BAD "))
        #expect(await client.send("h SELECT INBOX\r\n").contains("* 0 RECENT\r\n"))
    }
}
