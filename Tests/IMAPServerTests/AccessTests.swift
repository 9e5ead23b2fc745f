import IMAPSyntax
import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import IMAPServer

/// RFC 4314 §4: which command needs which right.
@Suite struct AccessTests {
    private static let box = "\"Other Users/ann@example.org/Box\""

    /// A command in authenticated state, and the one right that it needs beside `l`.
    static let commands: [(command: String, right: String)] = [
        ("SELECT \(box)", "r"), ("EXAMINE \(box)", "r"), ("STATUS \(box) (MESSAGES)", "r"),
        ("CREATE \"Other Users/ann@example.org/Box/New\"", "k"), ("DELETE \(box)", "x"), ("GETACL \(box)", "a"),
        ("SETACL \(box) bob lr", "a"), ("DELETEACL \(box) bob", "a"), ("LISTRIGHTS \(box) bob", "a"),
        ("COPY 1 \(box)", "i"), ("UID COPY 1 \(box)", "i"), ("APPEND \(box) {5+}\r\na: b\n", "i"),
        ("SETMETADATA \(box) (/shared/comment \"x\")", "w"), ("SETMETADATA \(box) (/private/comment \"x\")", "r"),
        ("GETMETADATA \(box) /private/comment", "p"),
    ]

    @Test("What may be looked up and not read is listed so, without STATUS (RFC 5819 §2)") func unreadable()
        async throws
    {
        let fixture = try await Fixture()
        try await fixture.share("Box", of: "ann", "l")
        let fred = await fixture.session()
        await fred.expect(
            "a LIST \"\" \(Self.box) RETURN (STATUS (MESSAGES))\r\n",
            "* LIST (\\Noselect \\HasNoChildren) \"/\" \(Self.box)\r\na OK LIST completed\r\n")
        try await fixture.share("Box", of: "ann", "lr")
        await fred.expect(
            "b LIST \"\" \(Self.box) RETURN (STATUS (MESSAGES))\r\n",
            "* LIST (\\HasNoChildren) \"/\" \(Self.box)\r\n* STATUS \(Self.box) (MESSAGES 0)\r\nb OK LIST completed\r\n"
        )
    }

    @Test("A command is done with its right, and with no other", arguments: commands)
    func needsItsRight(_ command: String, _ right: String) async throws {
        let needed = try #require(MailboxRights(right))
        let annotates = command.contains("METADATA") && !needed.contains(.write)
        let rest = MailboxRights.all.subtracting(annotates ? .annotating : needed).union(.lookUp)
        for (rights, answer) in [
            (needed.union(.lookUp).text, "x OK"), (rest.text, "x NO [NOPERM]"), ("", "x NO ["),
        ] {
            let fixture = try await Fixture()
            try await fixture.deliver([Fixture.simple(1)])
            // The virtual rights would add more than what is meant.
            try await fixture.share("Box", of: "ann", rights.filter { $0 != "c" && $0 != "d" })
            let fred = await fixture.session("INBOX")
            let answered = await fred.send("x \(command)\r\n")
            let last = answered.split(separator: "\r\n").last.map(String.init) ?? ""
            #expect(last.hasPrefix(answer), "\(rights): \(command) → \(answered)")
            if rights.isEmpty {
                #expect(last.contains("NONEXISTENT") || last.contains("TRYCREATE") || last.contains("NOPERM"))
                #expect(last.contains("NOPERM") == command.hasPrefix("CREATE"))
            }
        }
    }

    @Test(
        "Any right but s, w, t, e, p tells MYRIGHTS; none tells nothing", arguments: MailboxRights.letters.map(\.letter)
    )
    func myRights(_ letter: Character) async throws {
        let fixture = try await Fixture()
        try await fixture.share("Box", of: "ann", String(letter))
        let fred = await fixture.session()
        let answer = await fred.send("x MYRIGHTS \(Self.box)\r\n")
        if "lrikxac".contains(letter) {
            let rights = try #require(MailboxRights(String(letter)))
            #expect(answer.hasPrefix("* MYRIGHTS \(Self.box) \(rights.text)\r\nx OK"))
        } else {
            #expect(answer.hasPrefix("x NO [NONEXISTENT]"))
        }
    }

    /// RFC 4314 §4: flags by kind, SELECT's PERMANENTFLAGS, FETCH's `\Seen`, EXPUNGE, MOVE and CLOSE.
    @Test func selected() async throws {
        let fixture = try await Fixture()
        try await fixture.share("Box", of: "ann", "lrt")
        try await fixture.deliver([Fixture.simple(1), Fixture.simple(2)], to: "Box", of: "ann")
        let fred = await fixture.session("Other Users/ann@example.org/Box")
        #expect(await fred.send("a FETCH 1 BODY[1]\r\n").contains("FLAGS") == false)
        await fred.expect(
            "b STORE 1 +FLAGS (\\Deleted \\Seen $Junk)\r\n",
            "* 1 FETCH (FLAGS (\\Deleted \\Recent))\r\nb OK STORE completed\r\n")
        await fred.expect("c STORE 1 -FLAGS (\\Seen)\r\n", "c NO [NOPERM] You have not the right to do that\r\n")
        await fred.expect("d EXPUNGE\r\n", "d NO [NOPERM] You have not the right to do that\r\n")
        await fred.expect("e UID EXPUNGE 1\r\n", "e NO [NOPERM] You have not the right to do that\r\n")
        await fred.expect("f MOVE 1 INBOX\r\n", "f NO [NOPERM] You have not the right to do that\r\n")
        await fred.expect("g CLOSE\r\n", "g OK CLOSE completed\r\n")
        let box = try await fixture.mailbox("Box", of: fixture.others["ann"])
        #expect(box.messageCount == 2)
        try await fixture.share("Box", of: "ann", "lrte")
        _ = await fred.send("h SELECT \(Self.box)\r\n")
        #expect(await fred.send("i MOVE 1 INBOX\r\n").hasSuffix("* 1 EXPUNGE\r\ni OK MOVE completed\r\n"))
        #expect(try await fixture.mailbox("INBOX").messageCount == 1)
    }

    @Test("A replacement of flags leaves alone what may not be changed")
    func replacedFlags() async throws {
        let fixture = try await Fixture()
        try await fixture.share("Box", of: "ann", "lrw")
        let junk = try #require(Keyword("$Junk"))
        try await fixture.deliver(
            [Fixture.simple(1)], to: "Box", of: "ann", flags: [.seen, .deleted, .draft, .keyword(junk)])
        let fred = await fixture.session("Other Users/ann@example.org/Box")
        await fred.expect(
            "a STORE 1 FLAGS (\\Answered)\r\n",
            "* 1 FETCH (FLAGS (\\Answered \\Deleted \\Seen \\Recent))\r\na OK STORE completed\r\n")
        // The client would believe that there is no flag any more.
        await fred.expect(
            "b STORE 1 FLAGS.SILENT ()\r\n",
            "* 1 FETCH (FLAGS (\\Deleted \\Seen \\Recent))\r\nb OK STORE completed\r\n")
        await fred.expect("c STORE 1 +FLAGS.SILENT (\\Draft)\r\n", "c OK STORE completed\r\n")
    }

    /// RFC 4314 §5.2, for the sets of its examples.
    @Test(arguments: [
        ("lr", "READ-ONLY"), ("lrpkxa", "READ-ONLY"), ("lrs", "READ-WRITE"), ("ri", "READ-WRITE"),
        ("rt", "READ-WRITE"), ("re", "READ-WRITE"), ("rw", "READ-WRITE"),
    ])
    func readOnly(_ rights: String, _ code: String) async throws {
        let fixture = try await Fixture()
        try await fixture.share("Box", of: "ann", rights)
        let fred = await fixture.session()
        #expect(await fred.send("a SELECT \(Self.box)\r\n").contains("a OK [\(code)]"))
    }

    // Rights that change

    @Test("Who loses the right to read is sent away before the next command is done")
    func readTaken() async throws {
        let fixture = try await Fixture()
        try await fixture.share("Box", of: "ann", "lr")
        try await fixture.deliver([Fixture.simple(1)], to: "Box", of: "ann")
        let fred = await fixture.session("Other Users/ann@example.org/Box")
        let ann = await fixture.session(as: "ann")
        await ann.expect("a SETACL Box fred l\r\n", "a OK The access control list is changed\r\n")
        await fred.expect("b FETCH 1 BODY.PEEK[]\r\n", "* BYE The selected mailbox may not be read any more\r\n")
        #expect(fred.isClosed)
    }

    @Test("In IDLE too") func readTakenInIdle() async throws {
        let fixture = try await Fixture()
        try await fixture.share("Box", of: "ann", "lr")
        let fred = await fixture.session("Other Users/ann@example.org/Box")
        await fred.expect("a IDLE\r\n", "+ idling\r\n")
        let ann = await fixture.session(as: "ann")
        _ = await ann.send("a DELETEACL Box fred\r\n")
        #expect(await fred.changes() == "* BYE The selected mailbox may not be read any more\r\n")
        #expect(fred.isClosed)
    }

    @Test("Rights that change are told, and hold at once; one's own mailboxes are never asked for")
    func changedWhileSelected() async throws {
        let fixture = try await Fixture()
        try await fixture.share("Box", of: "ann", "lrw")
        try await fixture.deliver([Fixture.simple(1)], to: "Box", of: "ann")
        let fred = await fixture.session("Other Users/ann@example.org/Box")
        let (ann, idling) = (await fixture.session(as: "ann"), await fixture.session("INBOX"))
        _ = await ann.send("a SETACL Box fred lrst\r\n")
        await fred.expect(
            "b STORE 1 +FLAGS (\\Seen \\Flagged)\r\n",
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"
                + "* OK [PERMANENTFLAGS (\\Deleted \\Seen)] Flags are kept\r\n"
                + "* 1 FETCH (FLAGS (\\Seen \\Recent))\r\nb OK STORE completed\r\n")
        _ = await ann.send("c SETACL Box fred lr\r\n")
        await fred.expect(
            "d NOOP\r\n",
            "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"
                + "* OK [PERMANENTFLAGS ()] Nothing can be changed here\r\nd OK Completed\r\n")
        // Others' rights changed, these did not.
        _ = await ann.send("e SETACL Box bob lr\r\n")
        await fred.expect("f NOOP\r\n", "f OK Completed\r\n")
        await idling.expect("g NOOP\r\n", "g OK Completed\r\n")
    }

    @Test("What is denied to anyone is denied to all but the owner")
    func negativeRights() async throws {
        let fixture = try await Fixture()
        try await fixture.share("Box", of: "ann", "lrswi", with: nil)
        try await fixture.share("Box", of: "ann", "rw", with: "fred", isNegative: true)
        let fred = await fixture.session()
        await fred.expect("a MYRIGHTS \(Self.box)\r\n", "* MYRIGHTS \(Self.box) lsi\r\na OK MYRIGHTS completed\r\n")
        let bob = await fixture.session(as: "bob")
        await bob.expect("a MYRIGHTS \(Self.box)\r\n", "* MYRIGHTS \(Self.box) lrswi\r\na OK MYRIGHTS completed\r\n")
        let eve = await fixture.session(as: "eve")
        #expect(await eve.send("a MYRIGHTS \(Self.box)\r\n").hasPrefix("a NO [NONEXISTENT]"))
        #expect(await eve.send("b LIST \"\" \"*\"\r\n").contains("Other Users") == false)
    }

    @Test("Who may administer another's mailbox does so under the user's name for it")
    func administration() async throws {
        let fixture = try await Fixture()
        try await fixture.share("Box", of: "ann", "la")
        let fred = await fixture.session()
        await fred.expect("a SETACL \(Self.box) bob lrs\r\n", "a OK The access control list is changed\r\n")
        await fred.expect(
            "b GETACL \(Self.box)\r\n",
            "* ACL \(Self.box) ann@example.org lrswipkxtecda bob@example.org lrs fred@example.org la\r\n"
                + "b OK GETACL completed\r\n")
        await fred.expect(
            "c LISTRIGHTS \(Self.box) ann\r\n",
            "* LISTRIGHTS \(Self.box) ann lrswipkxtecda\r\nc OK LISTRIGHTS completed\r\n")
        #expect(await fred.send("d SETACL \(Self.box) ann -r\r\n").hasPrefix("d NO [CANNOT]"))
        #expect(await fred.send("e SETACL \(Self.box) fred -a\r\n").hasPrefix("e OK"))
        #expect(await fred.send("f GETACL \(Self.box)\r\n").hasPrefix("f NO [NOPERM]"))
    }
}

@Suite struct NamespaceTests {
    private static func account(_ address: String) throws -> Account {
        Account(id: AccountID(1), address: try #require(Address(address)))
    }

    @Test(
        arguments: [
            ("Other Users/ann@example.org/Box/x", "ann@example.org Box/x"),
            ("Other Users/ANN@Example.org/inbox", "ann@example.org INBOX"),
            ("Other Users/a/b@example.org/Box", "a/b@example.org Box"), ("Shared/News", "shared@example.org News"),
            ("Other Users/ann@example.org", "ann@example.org -"), ("Other Users/ann@example.net/Box", nil),
            ("Other Users/ann", nil), ("Other Users/@example.org/x", nil), ("Other Users/fred@example.org/INBOX", nil),
            ("Other Users/shared@example.org/News", nil), ("Shared", nil),
        ] as [(String, String?)])
    func parse(_ text: String, _ expected: String?) throws {
        let name = try #require(MailboxName(text))
        #expect(Namespaces.isForeign(name))
        let user = try Self.account("fred@example.org")
        let parsed = Namespaces.parse(name, for: user)
        #expect(parsed.map { "\($0.owner) \($0.name?.text ?? "-")" } == expected)
        if let parsed, let box = parsed.name {
            let told = try #require(Namespaces.name(of: box, owner: parsed.owner))
            #expect(Namespaces.parse(told, for: user)?.name == box)
        }
    }

    @Test func ownNamesAreNobodyElses() throws {
        for text in ["INBOX", "Other Usersx", "Sharedx/News", "shared/News", "x/Shared/News"] {
            #expect(!Namespaces.isForeign(try #require(MailboxName(text))))
        }
    }

    @Test(arguments: [
        ("*", true), ("%", true), ("INBOX", false), ("INBOX/*", false), ("Other Users/%", true), ("Other%", true),
        ("S*", true), ("Sent", false), ("Shared/News/x", true), ("", true), ("T*", false),
    ])
    func patterns(_ pattern: String, _ mayMatch: Bool) {
        #expect(Namespaces.mayMatchForeign(pattern) == mayMatch)
    }

    @Test("The account `shared` sees its mailboxes as its own, and not twice")
    func sharedAccount() async throws {
        let fixture = try await Fixture()
        try await fixture.share("News", of: "shared", "lr", with: nil)
        let shared = await fixture.session(as: "shared")
        let answer = await shared.send("a LIST \"\" *\r\n")
        #expect(answer.contains(" News\r\n") && !answer.contains("Shared"))
        #expect(await shared.send("b SELECT Shared/News\r\n").hasPrefix("b NO [NONEXISTENT]"))
        let ann = await fixture.session(as: "ann")
        #expect(await ann.send("a LIST \"\" *\r\n").contains("\"/\" Shared/News\r\n"))
    }
}
