import MailStore
import MailVocabulary

extension StoreConformance {
    static let annotationLaws = [
        StoreConformance("annotations: shared ones are everybody's, private ones their account's") { store in
            let (owner, ann) = (
                try await StoreFixture(store), try await StoreFixture(store, "ann@example.org").account.id
            )
            let box = try await owner.create("Projects").id
            try await set(store, ["/shared/comment": "for all", "/private/comment": "mine"], box, owner.account.id)
            try await set(store, ["/private/comment": "ann's", "/shared/vendor/x/y": ""], box, ann)
            try expectEqual(
                try await texts(store, ["/shared", "/private"], .infinity, box, owner.account.id),
                ["/private/comment=mine", "/shared/comment=for all", "/shared/vendor/x/y="])
            try expectEqual(
                try await texts(store, ["/private/comment", "/shared/vendor"], .one, box, ann),
                ["/private/comment=ann's"])
            try await set(store, ["/private/comment": nil, "/shared/comment": "new"], box, ann)
            try expectEqual(
                try await texts(store, ["/private/comment", "/shared/comment"], .zero, box, ann),
                ["/shared/comment=new"])
            try expectEqual(
                try await texts(store, ["/private/comment"], .zero, box, owner.account.id), ["/private/comment=mine"])
            let both = try await store.annotations(
                AnnotationSelection([try name("/shared/comment")]), on: [MailboxID(999_999), box], for: ann)
            try expectEqual(both.map(\.count), [0, 1])
            try await owner.expectSound()
        },
        StoreConformance("annotations: changing one raises the mailbox's highest MODSEQ") { store in
            let joe = try await StoreFixture(store)
            let box = try await joe.create("Projects")
            _ = try await joe.append(["one", "two"], to: box.id)
            var highest = try await store.open(box.id).highestModSeq
            let changes: [[String: String?]] = [
                ["/private/comment": "x"], ["/shared/comment": "y"], ["/shared/comment": nil],
            ]
            for change in changes {
                try await set(store, change, box.id, joe.account.id)
                let now = try await store.open(box.id)
                try expect(now.highestModSeq > highest && now.count == 2, "no higher MODSEQ")
                try expectEqual(try await joe.mailbox("Projects").highestModSeq, now.highestModSeq)
                highest = now.highestModSeq
            }
            try await joe.expectSound()
        },
        StoreConformance("annotations: of the server, for each account its own") { store in
            let (joe, ann) = (
                try await StoreFixture(store).account.id, try await StoreFixture(store, "ann@example.org").account.id
            )
            try await set(store, ["/private/vendor/x/theme": "dark"], nil, joe)
            try expectEqual(try await texts(store, ["/private"], .infinity, nil, joe), ["/private/vendor/x/theme=dark"])
            try expectEqual(try await texts(store, ["/private"], .infinity, nil, ann), [])
            try await expectError(.noSuchMailbox) { try await set(store, ["/shared/comment": "x"], nil, joe) }
            try await expectError(.noSuchAccount) {
                try await set(store, ["/private/comment": "x"], nil, AccountID(999_999))
            }
        },
        StoreConformance("annotations: all changes or none, within limits") { store in
            let joe = try await StoreFixture(store)
            let box = try await joe.create("Projects").id
            let account = joe.account.id
            let long = String(repeating: "x", count: StoreLimits.annotationSize)
            try await set(store, ["/private/comment": long], box, account)
            try await expectError(.annotationTooLarge) {
                try await set(store, ["/private/a": "x", "/private/b": long + "x"], box, account)
            }
            try expectEqual(try await texts(store, ["/private/a"], .zero, box, account), [])
            try await expectError(.noSuchMailbox) {
                try await set(store, ["/private/a": "x"], MailboxID(999_999), account)
            }
            for number in 1..<StoreLimits.annotationsPerMailbox {
                try await set(store, ["/private/n\(number)": "x"], box, account)
            }
            try await expectError(.tooManyAnnotations) {
                try await set(store, ["/private/n1": "y", "/private/more": "x"], box, account)
            }
            try expectEqual(try await texts(store, ["/private/n1"], .zero, box, account), ["/private/n1=x"])
            // Those there are can be changed, and shared ones are counted apart.
            try await set(store, ["/private/n1": "z", "/shared/comment": "x"], box, account)
            try await set(store, ["/private/n2": nil], box, account)
            try await set(store, ["/private/more": "x"], box, account)
        },
        StoreConformance("annotations: an account answers for so many octets, whoever sets them") { store in
            let (joe, ann) = (try await StoreFixture(store), try await StoreFixture(store, "ann@example.org"))
            let box = try await joe.create("Projects").id
            let long = String(repeating: "x", count: StoreLimits.annotationSize)
            let many = StoreLimits.annotationOctetsPerAccount / StoreLimits.annotationSize
            let first = try await joe.create("Box0").id
            for half in ["private", "shared"] {
                let changes = (0..<many / 2).map { ("/\(half)/n\($0)", Optional(long)) }
                try await set(store, Dictionary(uniqueKeysWithValues: changes), first, joe.account.id)
            }
            try await expectError(.tooManyAnnotations) {
                try await set(store, ["/private/comment": "x"], box, joe.account.id)
            }
            try await expectError(.tooManyAnnotations) {
                try await set(store, ["/shared/comment": "x"], box, ann.account.id)
            }
            try await set(store, ["/private/comment": "x"], box, ann.account.id)
            try await joe.delete("Box0")
            try await set(store, ["/shared/comment": "x"], box, ann.account.id)
        },
        StoreConformance("annotations: go with their mailbox and their account; INBOX keeps its own") { store in
            let (joe, ann) = (try await StoreFixture(store), try await StoreFixture(store, "ann@example.org"))
            let box = try await joe.create("Projects").id
            try await set(store, ["/shared/comment": "x", "/private/comment": "y"], box, ann.account.id)
            try await joe.rename("Projects", "Other")
            try expectEqual(
                try await texts(store, ["/shared/comment"], .zero, try await joe.mailbox("Other").id, joe.account.id),
                ["/shared/comment=x"])
            let inbox = try await joe.mailbox("INBOX").id
            try await set(store, ["/shared/comment": "in"], inbox, joe.account.id)
            try await joe.rename("INBOX", "Old")
            for name in ["INBOX", "Old"] {
                try expectEqual(
                    try await texts(store, ["/shared/comment"], .zero, try await joe.mailbox(name).id, joe.account.id),
                    ["/shared/comment=in"])
            }
            try await joe.delete("Other")
            try expectEqual(try await texts(store, ["/shared", "/private"], .infinity, box, ann.account.id), [])
            try await set(store, ["/private/comment": "y"], inbox, ann.account.id)
            try await set(store, ["/private/comment": "y"], nil, ann.account.id)
            try await store.deleteAccount(ann.account.id)
            try await joe.expectSound()
            try await store.deleteAccount(joe.account.id)
            try expectEqual(try await store.verify { _ in }, [])
        },
        StoreConformance("annotations: what a mailbox is for is set with them, or not at all") { store in
            let joe = try await StoreFixture(store)
            let (box, account) = (try await joe.create("Projects").id, joe.account.id)
            try await store.setAnnotations([], .set(.all), on: box, for: account)
            try expectEqual(try await joe.mailbox("Projects").specialUse, .all)
            let comment = (name: try name("/private/comment"), value: Optional(Array("x".utf8)))
            try await expectError(.specialUseTaken) {
                try await store.setAnnotations([comment], .set(.sent), on: box, for: account)
            }
            let long = (name: try name("/private/long"), value: Optional([UInt8](repeating: 0, count: 40_000)))
            try await expectError(.annotationTooLarge) {
                try await store.setAnnotations([comment, long], .set(nil), on: box, for: account)
            }
            try expectEqual(try await joe.mailbox("Projects").specialUse, .all)
            try expectEqual(try await texts(store, ["/private"], .infinity, box, account), [])
            try await store.setAnnotations([comment], .set(.all), on: box, for: account)
            try await store.setAnnotations([], .set(nil), on: box, for: account)
            try expectEqual(try await joe.mailbox("Projects").specialUse, nil)
            try expectEqual(try await joe.create("Everything", .all).specialUse, .all)
            try await expectError(.noSuchMailbox) {
                try await store.setAnnotations([], .set(nil), on: nil, for: account)
            }
            try await joe.expectSound()
        },
        StoreConformance("annotations: changes reach those who observe the account") { store in
            let (joe, ann) = (try await StoreFixture(store), try await StoreFixture(store, "ann@example.org"))
            let box = try await joe.create("Projects").id
            let (toJoe, toAnn) = (NotificationCounter(), NotificationCounter())
            let observations = [
                store.observe(joe.account.id) { toJoe.add() }, store.observe(ann.account.id) { toAnn.add() },
            ]
            try await set(store, ["/shared/comment": "x"], box, ann.account.id)
            try expectEqual([toJoe.take(), toAnn.take()], [true, false])
            try await set(store, ["/private/comment": "x"], box, ann.account.id)
            try expectEqual([toJoe.take(), toAnn.take()], [false, true])
            withExtendedLifetime(observations) {}
        },
    ]

    private static func name(_ text: String) throws -> AnnotationName {
        guard let name = AnnotationName(text) else { throw Violation(description: "bad name in a law: \(text)") }
        return name
    }

    private static func set(
        _ store: any MailStore, _ changes: [String: String?], _ mailbox: MailboxID?, _ account: AccountID
    ) async throws {
        let changes = try changes.map { (name: try name($0.key), value: $0.value.map { Array($0.utf8) }) }
        try await store.setAnnotations(changes, on: mailbox, for: account)
    }

    private static func texts(
        _ store: any MailStore, _ names: [String], _ depth: AnnotationSelection.Depth, _ mailbox: MailboxID?,
        _ account: AccountID
    ) async throws -> [String] {
        let selection = AnnotationSelection(try names.map { try name($0) }, depth: depth)
        return try await store.annotations(selection, on: [mailbox], for: account)
            .flatMap { $0 }.map { "\($0.name)=\(String(decoding: $0.value, as: UTF8.self))" }
    }
}
