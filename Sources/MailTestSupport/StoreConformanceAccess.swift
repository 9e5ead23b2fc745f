import MailStore
import MailVocabulary

extension StoreConformance {
    static let accessLaws = [
        StoreConformance("access: the owner has all rights and no entry; others what their entries add up to") {
            store in
            let (owner, ann, bob) = try await people(store)
            let box = try await owner.create("Projects").id
            try expectEqual(try await store.rights(of: owner.account.id, on: box), .all)
            try expectEqual(try await store.rights(of: ann, on: box), [])
            try await store.changeAccess(.replace([.lookUp, .read]), of: AccessIdentifier(nil), on: box)
            try await store.changeAccess(.add([.insert, .write]), of: AccessIdentifier(ann), on: box)
            try await store.changeAccess(.add([.read]), of: AccessIdentifier(bob, isNegative: true), on: box)
            try expectEqual(try await store.rights(of: ann, on: box).text, "lrwi")
            try expectEqual(try await store.rights(of: bob, on: box).text, "l")
            try await store.changeAccess(.remove([.write, .post]), of: AccessIdentifier(ann), on: box)
            try expectEqual(
                try await entries(store, box), ["anyone lr", "ann@example.org i", "-bob@example.org r"])
            try await store.changeAccess(.add([.write]), of: AccessIdentifier(nil, isNegative: true), on: box)
            try await store.changeAccess(.add([.write]), of: AccessIdentifier(ann), on: box)
            try expectEqual(try await store.rights(of: ann, on: box).text, "lri")
            try expectEqual(try await store.rights(of: owner.account.id, on: box), .all)
            // What is left without a right is no entry.
            try await store.changeAccess(.remove([.lookUp, .read]), of: AccessIdentifier(nil), on: box)
            try await store.changeAccess(.replace([]), of: AccessIdentifier(nil, isNegative: true), on: box)
            try expectEqual(try await entries(store, box), ["ann@example.org wi", "-bob@example.org r"])
            try await owner.expectSound()
        },
        StoreConformance("access: never for another domain, for the owner, for nobody") { store in
            let (owner, ann, _) = try await people(store)
            let stranger = try await StoreFixture(store, "eve@example.net").account.id
            let box = try await owner.create("Projects").id
            for account in [stranger, owner.account.id, AccountID(999_999)] {
                try await expectError(.noSuchAccount) {
                    try await store.changeAccess(.add(.read), of: AccessIdentifier(account), on: box)
                }
            }
            try await expectError(.noSuchMailbox) {
                try await store.changeAccess(.add(.read), of: AccessIdentifier(ann), on: MailboxID(999_999))
            }
            try await expectError(.noSuchMailbox) { try await store.accessList(of: MailboxID(999_999)) }
            try await store.changeAccess(.replace(.all), of: AccessIdentifier(nil), on: box)
            try expectEqual(try await store.rights(of: stranger, on: box), [])
            try expectEqual(try await store.sharedMailboxes(with: stranger), [])
            try expectEqual(try await store.rights(of: ann, on: box), .all)
            try expectEqual(try await store.rights(of: AccountID(999_999), on: box), [])
            try expectEqual(try await store.rights(of: ann, on: MailboxID(999_999)), [])
        },
        StoreConformance("access: what is shared with an account, its own apart") { store in
            let (owner, ann, bob) = try await people(store)
            let (one, two) = (try await owner.create("One").id, try await owner.create("Two").id)
            let inbox = try await StoreFixture(store, owner.account).mailbox("INBOX").id
            try await store.changeAccess(.add([.lookUp]), of: AccessIdentifier(nil), on: one)
            try await store.changeAccess(.add([.read]), of: AccessIdentifier(ann), on: one)
            try await store.changeAccess(.add([.lookUp]), of: AccessIdentifier(ann), on: two)
            try await store.changeAccess(.add([.lookUp]), of: AccessIdentifier(ann, isNegative: true), on: two)
            try await store.changeAccess(.add([.insert]), of: AccessIdentifier(bob), on: inbox)
            try await owner.append(["x"], to: one)
            let shared = try await store.sharedMailboxes(with: ann)
            try expectEqual(
                shared.map { "\($0.owner) \($0.mailbox.name) \($0.rights.text) \($0.mailbox.messageCount)" },
                ["joe@example.org One lr 1"])
            try expectEqual(try await store.sharedMailboxes(with: owner.account.id), [])
            try expectEqual(try await Set(store.sharedMailboxes(with: bob).map(\.mailbox.id)), [one, inbox])
        },
        StoreConformance("access: new mailboxes take their superior's; renamed ones keep theirs") { store in
            let (owner, ann, _) = try await people(store)
            let top = try await owner.create("Top").id
            try await store.changeAccess(.replace([.lookUp, .read]), of: AccessIdentifier(ann), on: top)
            try await owner.create("Top/a/b")
            for name in ["Top/a", "Top/a/b"] {
                try expectEqual(
                    try await entries(store, try await owner.mailbox(name).id), ["ann@example.org lr"])
            }
            try await owner.rename("Top/a", "Elsewhere")
            try expectEqual(
                try await entries(store, try await owner.mailbox("Elsewhere/b").id), ["ann@example.org lr"])
            let plain = try await owner.create("Plain").id
            try await owner.rename("Plain", "Top/new/Plain")
            try expectEqual(try await entries(store, plain), [])
            try expectEqual(
                try await entries(store, try await owner.mailbox("Top/new").id), ["ann@example.org lr"])
            try await owner.delete("Top")
            try await owner.create("Top")
            try expectEqual(try await entries(store, try await owner.mailbox("Top").id), [])
        },
        StoreConformance("access: goes with the account, whoever has its address next") { store in
            let (owner, ann, bob) = try await people(store)
            let box = try await owner.create("Projects").id
            for account in [ann, bob] {
                try await store.changeAccess(.replace([.lookUp]), of: AccessIdentifier(account), on: box)
            }
            try await store.deleteAccount(ann)
            try expectEqual(try await entries(store, box), ["bob@example.org l"])
            let next = try await StoreFixture(store, "ann@example.org").account.id
            try expectEqual(try await store.rights(of: next, on: box), [])
            try await owner.expectSound()
            try await store.deleteAccount(owner.account.id)
            try expectEqual(try await store.sharedMailboxes(with: bob), [])
            try expectEqual(try await store.verify { _ in }, [])
        },
        StoreConformance("access: changes raise the generation and reach those who have the mailbox open") { store in
            let (owner, ann, _) = try await people(store)
            let box = try await owner.create("Projects").id
            let (toMailbox, toAccount) = (NotificationCounter(), NotificationCounter())
            let observations = [
                store.observe(box) { toMailbox.add() }, store.observe(owner.account.id) { toAccount.add() },
            ]
            let before = store.accessGeneration
            try await store.changeAccess(.add([.read]), of: AccessIdentifier(ann), on: box)
            try expect(store.accessGeneration > before, "the generation did not rise")
            try expectEqual([toMailbox.take(), toAccount.take()], [true, true])
            let between = store.accessGeneration
            try await owner.append(["x"], to: box)
            try expectEqual(store.accessGeneration, between)
            try await owner.delete("Projects")
            try expect(store.accessGeneration > between, "the generation did not rise")
            withExtendedLifetime(observations) {}
        },
        StoreConformance("access: a list has an end") { store in
            let (owner, _, _) = try await people(store)
            guard let domain = Domain("example.org") else { throw Violation(description: "bad domain in a law") }
            let many = try await store.addAccounts(
                (0..<StoreLimits.accessEntriesPerMailbox).map {
                    (Address(localPart: "user\($0)", domain: domain), StoreFixture.credentials)
                })
            let box = try await owner.create("Projects").id
            for account in many {
                try await store.changeAccess(.add(.read), of: AccessIdentifier(account.id), on: box)
            }
            try await expectError(.tooManyAccessEntries) {
                try await store.changeAccess(.add(.read), of: AccessIdentifier(nil), on: box)
            }
            try await store.changeAccess(.add(.write), of: AccessIdentifier(many[0].id), on: box)
            try await store.changeAccess(.replace([]), of: AccessIdentifier(many[1].id), on: box)
            try await store.changeAccess(.add(.read), of: AccessIdentifier(nil), on: box)
        },
        StoreConformance("flags: copied, replaced only as far as their kinds are allowed") { store in
            let fixture = try await StoreFixture(store)
            guard let keyword = Keyword("$Forwarded") else { throw Violation(description: "bad keyword in a law") }
            let (from, to) = (try await fixture.create("From").id, try await fixture.create("To").id)
            try await fixture.append(["x"], [.draft, .deleted], to: from)
            try await fixture.append(["y"], [.keyword(keyword), .seen], to: from)
            _ = try await store.copy(uids(1...2), from: from, to: to, keeping: [.seen, .other], allOrNothing: true)
            try expectEqual(try await fixture.rows(to), ["1[T]", "2[$Forwarded S]"])
            _ = try await store.changeFlags(
                from, uids(1...2), .replaceOnly([.seen], with: [.seen, .flagged]), unchangedSince: nil)
            try expectEqual(try await fixture.rows(from), ["1[D S T]", "2[$Forwarded S]"])
            _ = try await store.changeFlags(
                from, uids(1...2), .replaceOnly([.deleted, .other], with: [.answered]), unchangedSince: nil)
            try expectEqual(try await fixture.rows(from), ["1[A S]", "2[A S]"])
            _ = try await store.move(uids(1...2), from: from, to: to, keeping: [.deleted])
            try expectEqual(try await fixture.rows(to), ["1[T]", "2[$Forwarded S]", "3[]", "4[]"])
            try await fixture.expectSound()
        },
    ]

    /// Three accounts of one domain; the first is the owner of what laws share.
    private static func people(
        _ store: any MailStore
    ) async throws -> (owner: StoreFixture, ann: AccountID, bob: AccountID) {
        (
            try await StoreFixture(store), try await StoreFixture(store, "ann@example.org").account.id,
            try await StoreFixture(store, "bob@example.org").account.id
        )
    }

    private static func entries(_ store: any MailStore, _ mailbox: MailboxID) async throws -> [String] {
        try await store.accessList(of: mailbox).map { entry in
            let name = entry.address?.description ?? (entry.identifier.account == nil ? "anyone" : "nobody")
            return "\(entry.identifier.isNegative ? "-" : "")\(name) \(entry.rights.text)"
        }
    }
}
