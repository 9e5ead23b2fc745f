import MailStore
import MailVocabulary

extension StoreConformance {
    static let mailboxLaws = [
        StoreConformance("create: with missing superiors; once; special use once") { store in
            let fixture = try await StoreFixture(store)
            let made = try await fixture.create("a/b/c")
            try expectEqual(made.name.text, "a/b/c")
            try expectEqual(made.isSubscribed, false)
            try expectEqual((made.messageCount, made.uidNext) == (0, 1), true)
            try expect(try await Set(fixture.names()).isSuperset(of: ["a", "a/b", "a/b/c"]), "superiors missing")
            try await expectError(.mailboxExists) { try await fixture.create("a/b") }
            try await expectError(.mailboxExists) { try await fixture.create("INBOX") }
            try await expectError(.specialUseTaken) { try await fixture.create("Outbox", .sent) }
            try expectEqual(try await fixture.create("Everything", .all).specialUse, .all)
            try await expectError(.noSuchAccount) {
                try await store.createMailbox(StoreFixture.name("x"), of: AccountID(999_999), specialUse: nil)
            }
        },
        StoreConformance("delete: inferiors stay, INBOX too, subscriptions too") { store in
            let fixture = try await StoreFixture(store)
            try await fixture.create("a/b")
            try await store.setSubscribed(true, StoreFixture.name("a"), of: fixture.account.id)
            try await fixture.delete("a")
            try expect(try await fixture.names().contains("a/b"), "the inferior went")
            try expect(try await store.subscriptions(of: fixture.account.id).map(\.text).contains("a"), "unsubscribed")
            try await expectError(.noSuchMailbox) { try await fixture.delete("a") }
            try await expectError(.mailboxNotDeletable) { try await fixture.delete("INBOX") }
        },
        StoreConformance("UIDVALIDITY: grows when a name is used again, stays over a rename") { store in
            let fixture = try await StoreFixture(store)
            let first = try await fixture.create("a")
            try await fixture.append(["one"], to: first.id)
            try await fixture.rename("a", "b")
            try expectEqual(try await fixture.mailbox("b").uidValidity, first.uidValidity)
            try expectEqual(try await fixture.mailbox("b").id, first.id)
            try await fixture.delete("b")
            let second = try await fixture.create("a")
            try expect(second.uidValidity.value > first.uidValidity.value, "UIDVALIDITY did not grow")
            try expect(second.id != first.id, "a mailbox's identity was used again")
            try expectEqual(store.current(first.id) == nil, true)
            try await expectError(.noSuchMailbox) { try await store.open(first.id) }
        },
        StoreConformance("moving in: a mailbox that held nothing takes a UIDVALIDITY and UIDs over, once") { store in
            let fixture = try await StoreFixture(store)
            let mailbox = try await fixture.create("moved")
            guard let known = UIDValidity(1_000_000), let future = UIDValidity(.max) else { return }
            try expectEqual(try await store.adoptUIDValidity(future, of: mailbox.id), false)
            try expectEqual(try await store.adoptUIDValidity(known, of: mailbox.id), true)
            var messages = [NewMessage]()
            for uid in [3, 7, 5] as [UInt32] {
                var message = try await fixture.message("uid \(uid)")
                message.uid = UID(uid)
                messages.append(message)
            }
            let added = try await store.append([(mailbox.id, messages)])
            // What is asked for below the next one is given the next one.
            try expectEqual(added.map { $0.uids.map(\.value) }, [[3, 7, 8]])
            try expectEqual(added.map(\.uidValidity), [known])
            try expectEqual(try await store.open(mailbox.id).uidNext, 9)
            try expectEqual(try await fixture.mailbox("moved").uidValidity, known)
            try expectEqual(try await store.adoptUIDValidity(known, of: mailbox.id), false)
        },
        StoreConformance("rename: a tree moves, with missing superiors of the target") { store in
            let fixture = try await StoreFixture(store)
            let deep = try await fixture.create("a/b/c")
            try await fixture.create("ab")
            try await fixture.append(["kept"], to: deep.id)
            try await fixture.rename("a", "x/y")
            let names = try await Set(fixture.names())
            try expect(names.isSuperset(of: ["x", "x/y", "x/y/b", "x/y/b/c", "ab"]), "\(names.sorted())")
            try expect(names.isDisjoint(with: ["a", "a/b", "a/b/c"]), "\(names.sorted())")
            try expectEqual(try await fixture.mailbox("x/y/b/c").id, deep.id)
            try expectEqual(try await fixture.texts(deep.id), ["kept"])
        },
        StoreConformance("rename: of a level that is no mailbox, its inferiors") { store in
            let fixture = try await StoreFixture(store)
            let bar = try await fixture.create("foo/bar")
            try await fixture.create("foo/bar/deep")
            try await fixture.delete("foo")
            try await fixture.rename("foo", "new/zowie")
            let names = try await Set(fixture.names())
            try expect(names.isSuperset(of: ["new", "new/zowie/bar", "new/zowie/bar/deep"]), "\(names.sorted())")
            try expect(names.isDisjoint(with: ["foo", "foo/bar", "new/zowie"]), "\(names.sorted())")
            try expectEqual(try await fixture.mailbox("new/zowie/bar").id, bar.id)
            try await expectError(.noSuchMailbox) { try await fixture.rename("foo", "again") }
            try await expectError(.mailboxExists) { try await fixture.rename("new/zowie", "new") }
            try await fixture.expectSound()
        },
        StoreConformance("rename: refused onto what exists, into itself, beyond the length of names") { store in
            let fixture = try await StoreFixture(store)
            try await fixture.create("a/b")
            try await fixture.create("c/b")
            try await fixture.delete("c")
            try await expectError(.mailboxExists) { try await fixture.rename("a", "Sent") }
            try await expectError(.mailboxExists) { try await fixture.rename("a", "c") }
            try await expectError(.mailboxExists) { try await fixture.rename("a", "INBOX") }
            try await expectError(.invalidName) { try await fixture.rename("a", "a/x") }
            try await expectError(.noSuchMailbox) { try await fixture.rename("nowhere", "z") }
            let long = String(repeating: "n", count: MailboxName.maximumLength - 1)
            try await expectError(.invalidName) { try await fixture.rename("a", long) }
            try expect(try await fixture.names().contains("a/b"), "a refused rename changed something")
        },
        StoreConformance("rename of INBOX: its messages move, it and its inferiors stay") { store in
            let fixture = try await StoreFixture(store)
            try await fixture.create("INBOX/sub")
            let inbox = try await fixture.mailbox("INBOX")
            try await fixture.append(["one", "two"], [.seen], to: inbox.id)
            try await fixture.rename("INBOX", "old/mail")
            let old = try await fixture.mailbox("old/mail")
            try expectEqual(try await fixture.rows(old.id), ["1[S]", "2[S]"])
            try expectEqual(try await fixture.texts(old.id), ["one", "two"])
            try expectEqual(try await fixture.rows(inbox.id), [])
            try expectEqual(try await fixture.append(["three"], to: inbox.id), [3])
            try expectEqual(try await fixture.mailbox("INBOX").uidValidity, inbox.uidValidity)
            try expect(try await fixture.names().contains("INBOX/sub"), "INBOX's inferior moved")
            try await expectError(.mailboxExists) { try await fixture.rename("INBOX", "Sent") }
            try await fixture.expectSound()
        },
        StoreConformance("subscriptions: their number is limited, not what is subscribed already") { store in
            let fixture = try await StoreFixture(store)
            let account = fixture.account.id
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<StoreLimits.subscriptionsPerAccount - 6 {
                    group.addTask { try await store.setSubscribed(true, StoreFixture.name("n\(number)"), of: account) }
                }
                try await group.waitForAll()
            }
            let (last, next) = (try StoreFixture.name("n0"), try StoreFixture.name("next"))
            try await expectError(.tooManyMailboxes) { try await store.setSubscribed(true, next, of: account) }
            try await store.setSubscribed(true, last, of: account)
            try await store.setSubscribed(false, last, of: account)
            try await store.setSubscribed(true, next, of: account)
            try expectEqual(
                try await store.subscriptions(of: account).count, StoreLimits.subscriptionsPerAccount)
        },
        StoreConformance("subscriptions: names without mailboxes too; setting twice is nothing") { store in
            let fixture = try await StoreFixture(store)
            let ghost = try StoreFixture.name("ghost")
            try await store.setSubscribed(true, ghost, of: fixture.account.id)
            try await store.setSubscribed(true, ghost, of: fixture.account.id)
            try expect(try await store.subscriptions(of: fixture.account.id).contains(ghost), "not subscribed")
            try expectEqual(try await fixture.create("ghost").isSubscribed, true)
            try await store.setSubscribed(false, ghost, of: fixture.account.id)
            try await store.setSubscribed(false, ghost, of: fixture.account.id)
            try expectEqual(try await fixture.mailbox("ghost").isSubscribed, false)
        },
        StoreConformance("mailboxes differ by case and by Unicode scalars, but for INBOX") { store in
            let fixture = try await StoreFixture(store)
            try await fixture.create("Ä")
            try await fixture.create("ä")
            try await fixture.create("sent")
            try expect(try await fixture.names().count == 9, "names were folded")
            try expectEqual(try await fixture.mailbox("inBox").name, .inbox)
            let names = try await store.mailboxes(of: fixture.account.id).map(\.name)
            try expectEqual(names, names.sorted())
        },
    ]
}
