import IMAPSyntax
import MailStore
import MailTestSupport
import MailVocabulary
import MessageFormat
import Testing
import WireFraming

@testable import IMAPServer

#if canImport(SQLiteStore)
    import Foundation
    import SQLiteStore
#endif

/// A store, two accounts and sessions on it: NOTIFY must be the same with every store.
struct NotifyWorld: Sendable {
    enum Kind: CaseIterable, Sendable {
        case inMemory
        #if canImport(SQLiteStore)
            case durable
        #endif
    }

    let store: any MailStore
    let service: IMAPService
    let fred: StoreFixture
    let ann: StoreFixture

    /// Gives the world to a test, and clears it away.
    static func with(_ kind: Kind, _ body: (NotifyWorld) async throws -> Void) async throws {
        switch kind {
        case .inMemory: try await body(NotifyWorld(InMemoryStore()))
        #if canImport(SQLiteStore)
            case .durable:
                let folder = FileManager.default.temporaryDirectory.appending(path: "notify-\(UUID().uuidString)")
                defer { try? FileManager.default.removeItem(at: folder) }
                let store = try SQLiteStore(path: folder.path)
                try await body(NotifyWorld(store))
                try await store.close()
        #endif
        }
    }

    init(_ store: any MailStore) async throws {
        self.store = store
        fred = try await StoreFixture(store, "fred@example.org")
        ann = try await StoreFixture(store, "ann@example.org")
        let authenticator = FixedAuthenticator(accounts: ["fred": fred.account, "ann": ann.account])
        service = IMAPService(store: store, authenticator: authenticator, now: { Fixture.now })
    }

    func session(_ user: String = "fred", notify: String? = nil) async -> Client {
        let context = SessionContext(hostname: "mail.example.org", tls: Fixture.tls)
        let client = Client(
            IMAPDriver(
                IMAPSession(context: context, store: store, authenticator: service.authenticator), service: service))
        _ = await client.connect()
        _ = await client.send("l LOGIN \(user) secret\r\n")
        if let notify {
            #expect(await client.send("n NOTIFY SET \(notify)\r\n").hasSuffix("n OK NOTIFY completed\r\n"))
        }
        return client
    }

    func deliver(_ count: Int = 1, to name: String, of owner: StoreFixture? = nil) async throws {
        let mailbox = try await (owner ?? fred).mailbox(name)
        _ = try await (owner ?? fred).append(Array(repeating: "text", count: count), to: mailbox.id)
    }

    func share(_ name: String, _ rights: String) async throws {
        let rights = try #require(MailboxRights(rights))
        try await store.changeAccess(
            .replace(rights), of: AccessIdentifier(fred.account.id), on: try await ann.mailbox(name).id)
    }
}

@Suite("NOTIFY: other mailboxes", .serialized) struct NotifyOthersTests {
    private static let all = "(MessageNew MessageExpunge FlagChange)"

    private static func status(_ name: String, _ values: String) -> Regex<Substring> {
        // UIDVALIDITY is the store's own.
        (try? Regex("\\* STATUS \(name) \\(\(values) UIDVALIDITY [0-9]+\\)\r\n", as: Substring.self)) ?? /x/
    }

    @Test("Deliveries are put together; the last state is told", arguments: NotifyWorld.Kind.allCases)
    func coalesced(_ kind: NotifyWorld.Kind) async throws {
        try await NotifyWorld.with(kind) { world in
            let client = await world.session(notify: "(personal \(Self.all))")
            for _ in 0..<5 { try await world.deliver(2, to: "INBOX") }
            try await world.deliver(to: "Sent")
            let told = await client.changes()
            #expect(told.contains(Self.status("INBOX", "MESSAGES 10 UIDNEXT 11 UNSEEN 10")))
            #expect(told.contains(Self.status("Sent", "MESSAGES 1 UIDNEXT 2 UNSEEN 1")))
            #expect(told.split(separator: "\r\n").count == 2)
            let inbox = try await world.fred.mailbox("INBOX").id
            _ = try await world.store.changeFlags(inbox, NumberSet(1...3), .add([.seen]), unchangedSince: nil)
            #expect(await client.changes().wholeMatch(of: Self.status("INBOX", "UNSEEN 7")) != nil)
            _ = try await world.store.remove(NumberSet(1...4), from: inbox, onlyDeleted: false)
            #expect(
                await client.changes().wholeMatch(of: Self.status("INBOX", "MESSAGES 6 UIDNEXT 11 UNSEEN 6")) != nil)
            _ = try await world.store.changeFlags(inbox, NumberSet(5...5), .add([.flagged]), unchangedSince: nil)
            await client.expectChanges("")
        }
    }

    @Test("What the session does itself is not told to it, and is to others", arguments: NotifyWorld.Kind.allCases)
    func own(_ kind: NotifyWorld.Kind) async throws {
        try await NotifyWorld.with(kind) { world in
            let groups =
                "(personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange"
                + " ServerMetadataChange))"
            let (first, second) = (await world.session(notify: groups), await world.session(notify: groups))
            let commands = [
                "CREATE Work/New", "APPEND Work {5+}\r\na: b\n", "RENAME Work Play", "SUBSCRIBE Play",
                "UNSUBSCRIBE Play",
                "SETMETADATA Play (/private/comment \"x\")", "SETMETADATA \"\" (/private/comment \"x\")",
                "DELETE Play/New",
            ]
            for command in commands {
                let answer = await first.send("x \(command)\r\n")
                #expect(answer.hasPrefix("x OK"), "\(command): \(answer)")
                await first.expectChanges("")
                #expect(await second.changes().isEmpty == false, "\(command)")
            }
            // A copy tells of the target, and not who has made it.
            _ = await first.send("a SELECT Play\r\nb COPY 1 INBOX\r\n")
            await first.expectChanges("")
            #expect(await second.changes().contains(Self.status("INBOX", "MESSAGES 1 UIDNEXT 2 UNSEEN 1")))
            // What both did is told to each.
            try await world.deliver(to: "INBOX")
            _ = await first.send("c COPY 1 INBOX\r\n")
            #expect(await second.changes().contains(Self.status("INBOX", "MESSAGES 3 UIDNEXT 4 UNSEEN 3")))
        }
    }

    @Test("Groups add to each other; NONE takes away", arguments: NotifyWorld.Kind.allCases)
    func groups(_ kind: NotifyWorld.Kind) async throws {
        try await NotifyWorld.with(kind) { world in
            _ = try await world.fred.create("Lists/A")
            let client = await world.session(
                notify: "(mailboxes INBOX (MessageNew MessageExpunge)) (personal (SubscriptionChange))"
                    + " (subtree Lists \(Self.all)) (mailboxes Lists/A NONE) (inboxes (MailboxMetadataChange))")
            for name in ["INBOX", "Sent", "Lists", "Lists/A"] { try await world.deliver(to: name) }
            let told = await client.changes()
            #expect(told.contains(Self.status("INBOX", "MESSAGES 1 UIDNEXT 2")))
            #expect(told.contains(Self.status("Lists", "MESSAGES 1 UIDNEXT 2 UNSEEN 1")))
            #expect(told.split(separator: "\r\n").count == 2)
            let other = await world.session()
            _ = await other.send("a UNSUBSCRIBE INBOX\r\nb SETMETADATA INBOX (/private/a \"x\")\r\n")
            await client.expectChanges("* LIST (\\HasNoChildren) \"/\" INBOX\r\n* METADATA INBOX /private/a\r\n")
            _ = await other.send("c SETMETADATA Sent (/private/a \"x\")\r\nd UNSUBSCRIBE Lists/A\r\ne CREATE x\r\n")
            await client.expectChanges("")
        }
    }

    @Test("SUBSCRIBED follows the subscriptions", arguments: NotifyWorld.Kind.allCases)
    func subscribed(_ kind: NotifyWorld.Kind) async throws {
        try await NotifyWorld.with(kind) { world in
            _ = try await world.fred.create("New")
            let client = await world.session(
                notify: "(subscribed (MessageNew MessageExpunge SubscriptionChange)) (mailboxes nowhere (MailboxName))")
            try await world.deliver(to: "New")
            await client.expectChanges("")
            let name = try StoreFixture.name("New")
            try await world.store.setSubscribed(true, name, of: world.fred.account.id)
            try await world.deliver(to: "New")
            #expect(
                await client.changes().contains("* LIST (\\Subscribed \\HasNoChildren) \"/\" New\r\n* STATUS New"))
            try await world.store.setSubscribed(false, name, of: world.fred.account.id)
            try await world.deliver(to: "New")
            await client.expectChanges("* LIST (\\HasNoChildren) \"/\" New\r\n")
            _ = await world.session().send("a CREATE nowhere\r\n")
            await client.expectChanges("* LIST (\\HasNoChildren) \"/\" nowhere\r\n")
        }
    }

    @Test("Renamed trees, chains of names", arguments: NotifyWorld.Kind.allCases)
    func names(_ kind: NotifyWorld.Kind) async throws {
        try await NotifyWorld.with(kind) { world in
            for name in ["a/b/c", "a/d"] { _ = try await world.fred.create(name) }
            let client = await world.session(notify: "(personal (MailboxName MessageNew MessageExpunge))")
            try await world.fred.rename("a", "x/y")
            await client.expectChanges(
                "* LIST (\\HasChildren) \"/\" x\r\n* LIST (\\HasChildren) \"/\" x/y (\"OLDNAME\" (a))\r\n")
            // Mail before and behind a change of name is told by the name of its time.
            try await world.deliver(to: "x/y/d")
            try await world.fred.rename("x/y", "z")
            try await world.deliver(to: "z/d")
            let told = await client.changes().split(separator: "\r\n").map { $0.prefix { $0 != "(" } }
            #expect(told == ["* STATUS x/y/d ", "* LIST ", "* STATUS z/d "])
            try await world.fred.rename("z", "z1")
            try await world.fred.rename("z1", "z2")
            await client.expectChanges(
                "* LIST (\\NonExistent \\HasNoChildren) \"/\" z1 (\"OLDNAME\" (z))\r\n"
                    + "* LIST (\\HasChildren) \"/\" z2 (\"OLDNAME\" (z1))\r\n")
        }
    }

    @Test("Names that come and go, and those above them", arguments: NotifyWorld.Kind.allCases)
    func superiors(_ kind: NotifyWorld.Kind) async throws {
        try await NotifyWorld.with(kind) { world in
            let client = await world.session(notify: "(personal (MailboxName MessageNew MessageExpunge))")
            _ = try await world.fred.create("gone/soon")
            try await world.fred.delete("gone/soon")
            await client.expectChanges(
                "* LIST (\\HasNoChildren) \"/\" gone\r\n* LIST (\\NonExistent \\HasNoChildren) \"/\" gone/soon\r\n")
            // A level without a mailbox is affected all the same.
            _ = try await world.fred.create("p/q")
            try await world.fred.delete("p")
            _ = await client.changes()
            try await world.fred.delete("p/q")
            await client.expectChanges(
                "* LIST (\\NonExistent \\HasNoChildren) \"/\" p/q\r\n* LIST (\\NonExistent \\HasNoChildren) \"/\" p\r\n"
            )
            _ = try await world.store.createMailbox(
                StoreFixture.name("Mine"), of: world.fred.account.id, specialUse: .important)
            await client.expectChanges("* LIST (\\HasNoChildren \\Important) \"/\" Mine\r\n")
            // What would be under a namespace's prefix is nobody's.
            _ = try await world.fred.create("Shared/own")
            try await world.deliver(to: "Shared/own")
            await client.expectChanges("")
        }
    }

    @Test("Too much for one session is told so, and nothing after it", arguments: NotifyWorld.Kind.allCases)
    func overflow(_ kind: NotifyWorld.Kind) async throws {
        try await NotifyWorld.with(kind) { world in
            let client = await world.session(notify: "(selected \(Self.all)) (personal (SubscriptionChange))")
            _ = await client.send("s SELECT INBOX\r\n")
            let store = world.store
            let account = world.fred.account.id
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0...ChangeWatch.limit {
                    group.addTask { try await store.setSubscribed(true, StoreFixture.name("n\(number)"), of: account) }
                }
                try await group.waitForAll()
            }
            await client.expectChanges("* OK [NOTIFICATIONOVERFLOW] More has happened than can be told\r\n")
            try await world.deliver(to: "INBOX")
            try await store.setSubscribed(true, StoreFixture.name("more"), of: account)
            await client.expectChanges("")
            await client.expect("a NOOP\r\n", "a OK Completed\r\n")
            #expect(
                await client.send("b NOTIFY SET (selected \(Self.all)) (personal (SubscriptionChange))\r\n").hasPrefix(
                    "* 1 EXISTS\r\n"))
            try await store.setSubscribed(false, StoreFixture.name("more"), of: account)
            await client.expectChanges("* LIST (\\NonExistent \\HasNoChildren) \"/\" more\r\n")
        }
    }

    @Test("Others' mailboxes: by right, by name, by who has given it", arguments: NotifyWorld.Kind.allCases)
    func rights(_ kind: NotifyWorld.Kind) async throws {
        try await NotifyWorld.with(kind) { world in
            for name in ["Box", "Box/In", "Private"] { _ = try await world.ann.create(name) }
            let prefix = "\"Other Users/ann@example.org/"
            let client = await world.session(
                notify: "(subtree \"Other Users\" (MessageNew MessageExpunge MailboxName MailboxMetadataChange))")
            for name in ["Box", "Private"] { try await world.deliver(to: name, of: world.ann) }
            try await world.ann.rename("Private", "Secret")
            await client.expectChanges("")
            try await world.share("Box/In", "lr")
            await client.expectChanges(
                "* LIST (\\HasNoChildren) \"/\" \(prefix)Box/In\"\r\n* LIST (\\NonExistent \\HasChildren) \"/\" \(prefix)Box\"\r\n"
            )
            // Its owner renames what is above it: it is the topmost of those that are seen.
            try await world.ann.rename("Box", "Case")
            try await world.deliver(to: "Case/In", of: world.ann)
            let told = await client.changes()
            #expect(
                told.hasPrefix(
                    "* LIST (\\HasNoChildren) \"/\" \(prefix)Case/In\" (\"OLDNAME\" (\(prefix)Box/In\"))\r\n* STATUS \(prefix)Case/In\""
                ))
            let comment = try #require(AnnotationName("/shared/comment"))
            let mine = try #require(AnnotationName("/private/comment"))
            let box = try await world.ann.mailbox("Case/In").id
            try await world.store.setAnnotations([(comment, [1]), (mine, [2])], on: box, for: world.ann.account.id)
            await client.expectChanges("* METADATA \(prefix)Case/In\" /shared/comment\r\n")
            try await world.share("Case/In", "")
            try await world.deliver(to: "Case/In", of: world.ann)
            #expect(
                await client.changes().hasPrefix("* LIST (\\NonExistent \\HasNoChildren) \"/\" \(prefix)Case/In\"\r\n"))
            try await world.store.deleteAccount(world.ann.account.id)
            await client.expectChanges("")
        }
    }

    @Test("What is the owner's own is not for others who watch", arguments: NotifyWorld.Kind.allCases)
    func ownersOwn(_ kind: NotifyWorld.Kind) async throws {
        try await NotifyWorld.with(kind) { world in
            let box = try await world.ann.create("Box").id
            try await world.share("Box", "lr")
            let full = "\"Other Users/ann@example.org/Box\""
            let client = await world.session(
                notify: "(subtree \"Other Users\" (SubscriptionChange MailboxMetadataChange ServerMetadataChange))")
            let mine = try #require(AnnotationName("/private/comment"))
            try await world.store.setAnnotations([(mine, [2])], on: box, for: world.ann.account.id)
            try await world.store.setAnnotations([(mine, [2])], on: nil, for: world.ann.account.id)
            try await world.store.setSubscribed(true, StoreFixture.name("Box"), of: world.ann.account.id)
            let userName = try StoreFixture.name("Other Users/ann@example.org/Box")
            try await world.store.setSubscribed(true, userName, of: world.ann.account.id)
            await client.expectChanges("")
            try await world.store.setSubscribed(true, userName, of: world.fred.account.id)
            await client.expectChanges("* LIST (\\Subscribed \\HasNoChildren) \"/\" \(full)\r\n")
            try await world.store.setAnnotations([(mine, [2])], on: box, for: world.fred.account.id)
            try await world.store.setAnnotations([(mine, [2])], on: nil, for: world.fred.account.id)
            await client.expectChanges(
                "* METADATA \(full) /private/comment\r\n* METADATA \"\" /private/comment\r\n")
        }
    }

    @Test(
        "More of others than a session can hold is refused, and what was before stays",
        arguments: [NotifyWorld.Kind.inMemory])
    func tooMany(_ kind: NotifyWorld.Kind) async throws {
        try await NotifyWorld.with(kind) { world in
            for number in 0...ForeignMailboxes.limit {
                _ = try await world.ann.create("m\(number)")
                try await world.share("m\(number)", "lr")
            }
            let client = await world.session(notify: "(personal \(Self.all))")
            #expect(
                await client.send("a NOTIFY SET (subtree \"Other Users\" \(Self.all))\r\n")
                    == "a NO [NOTIFICATIONOVERFLOW] There is too much to be watched\r\n")
            try await world.deliver(to: "INBOX")
            #expect(await client.changes().hasPrefix("* STATUS INBOX "))
        }
    }

    @Test("A session that is gone is not told of, nor kept")
    func ends() async throws {
        let feed = ChangeFeed()
        let name = try #require(MailboxName("x"))
        var changes = ChangeSet()
        changes.note(.subscribed(name, true), of: AccountID(1))
        do {
            let watch = feed.watch {}
            watch.observe([.account(AccountID(1))]) { _ in true }
            #expect(feed.isWatched)
            feed.publish(changes)
            #expect(watch.takeChanges().changes.count == 1)
            watch.observe([.account(AccountID(2))]) { _ in true }
            feed.publish(changes)
            #expect(!watch.hasChanges)
        }
        #expect(!feed.isWatched)
    }

    @Test(
        "One change among ten thousand mailboxes costs what it does among ten", arguments: [NotifyWorld.Kind.inMemory])
    func many(_ kind: NotifyWorld.Kind) async throws {
        try await NotifyWorld.with(kind) { world in
            let account = world.fred.account.id
            for number in 0..<StoreLimits.mailboxesPerAccount - 10 {
                _ = try await world.store.createMailbox(StoreFixture.name("m\(number)"), of: account, specialUse: nil)
            }
            let client = await world.session()
            let answer = await client.send("n NOTIFY SET STATUS (personal \(Self.all))\r\n")
            #expect(answer.split(separator: "\r\n").count == StoreLimits.mailboxesPerAccount - 10 + 6 + 1)
            try await world.deliver(to: "m7777")
            let start = ContinuousClock.now
            #expect(await client.changes().wholeMatch(of: Self.status("m7777", "MESSAGES 1 UIDNEXT 2 UNSEEN 1")) != nil)
            #expect(ContinuousClock.now - start < .milliseconds(100))
        }
    }

    @Test(
        "NOTIFY again: what has come is told by the new wishes; a refused one changes nothing",
        arguments: NotifyWorld.Kind.allCases)
    func again(_ kind: NotifyWorld.Kind) async throws {
        try await NotifyWorld.with(kind) { world in
            let client = await world.session(notify: "(personal \(Self.all))")
            try await world.deliver(to: "INBOX")
            #expect(await client.send("a NOTIFY SET (personal (AnnotationChange))\r\n").contains("a NO [BADEVENT "))
            try await world.deliver(to: "Sent")
            let told = await client.send("b NOTIFY SET (mailboxes Sent \(Self.all))\r\n")
            #expect(told.contains(Self.status("Sent", "MESSAGES 1 UIDNEXT 2 UNSEEN 1")) && !told.contains("INBOX"))
            _ = await client.send("c NOTIFY NONE\r\n")
            try await world.deliver(to: "Sent")
            await client.expectChanges("")
            _ = await client.send("d NOTIFY SET (mailboxes Sent \(Self.all))\r\ne SELECT Sent\r\n")
            // Of the selected mailbox only SELECTED tells.
            try await world.deliver(to: "Sent")
            await client.expectChanges("")
            _ = await client.send("f CLOSE\r\n")
            try await world.deliver(to: "Sent")
            #expect(await client.changes().contains(Self.status("Sent", "MESSAGES 4 UIDNEXT 5 UNSEEN 4")))
            // In IDLE the same.
            _ = await client.send("g IDLE\r\n")
            try await world.deliver(to: "Sent")
            #expect(await client.changes().contains(Self.status("Sent", "MESSAGES 5 UIDNEXT 6 UNSEEN 5")))
        }
    }
}
