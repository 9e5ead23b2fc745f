import MailStore
import MailVocabulary

extension StoreConformance {
    static let accountLaws = [
        StoreConformance("domains: added once, deleted when unused") { store in
            guard let a = Domain("a.example"), let b = Domain("b.example"), let joe = Address("joe@a.example") else {
                return
            }
            try await store.addDomain(b)
            try await store.addDomain(a)
            try expectEqual(try await store.domains(), [a, b])
            try await expectError(.domainExists) { try await store.addDomain(a) }
            _ = try await store.addAccounts([(joe, StoreFixture.credentials)])
            try await expectError(.domainInUse) { try await store.deleteDomain(a) }
            try await store.deleteDomain(b)
            try await expectError(.noSuchDomain) { try await store.deleteDomain(b) }
            try expectEqual(try await store.domains(), [a])
        },
        StoreConformance("accounts: found by canonical address, with credentials and default mailboxes") { store in
            let fixture = try await StoreFixture(store, "joe@example.org")
            guard let upper = Address("JOE@Example.ORG") else { return }
            try expectEqual(try await store.account(upper), fixture.account)
            try expectEqual(try await store.accounts(), [fixture.account])
            try expectEqual(try await store.credentials(of: fixture.account.id), StoreFixture.credentials)
            try expectEqual(
                try await fixture.names(), ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"])
            try expectEqual(
                try await store.mailboxes(of: fixture.account.id).map(\.specialUse),
                [.archive, .drafts, nil, .junk, .sent, .trash])
            try expect(
                try await store.mailboxes(of: fixture.account.id).allSatisfy(\.isSubscribed), "not subscribed")
            try expectEqual(try await store.subscriptions(of: fixture.account.id).count, 6)
        },
        StoreConformance("accounts: all or none are added") { store in
            let fixture = try await StoreFixture(store)
            guard let new = Address("new@example.org"), let stray = Address("new@elsewhere.example") else { return }
            let credentials = StoreFixture.credentials
            try await expectError(.accountExists) {
                try await store.addAccounts([(new, credentials), (fixture.account.address, credentials)])
            }
            try await expectError(.accountExists) {
                try await store.addAccounts([(new, credentials), (new, credentials)])
            }
            try await expectError(.noSuchDomain) {
                try await store.addAccounts([(new, credentials), (stray, credentials)])
            }
            try expectEqual(try await store.accounts().count, 1)
        },
        StoreConformance("accounts: thousands in one call, then one deleted with its mail") { store in
            let fixture = try await StoreFixture(store)
            let domain = fixture.account.address.domain
            let addresses = (0..<1000).map { Address(localPart: "user\($0)", domain: domain) }
            let made = try await store.addAccounts(addresses.map { ($0, StoreFixture.credentials) })
            try expectEqual(made.map(\.address), addresses)
            try expectEqual(Set(made.map(\.id)).count, 1000)
            let inbox = try await fixture.mailbox("INBOX")
            try await fixture.append(["one"], to: inbox.id)
            let body = try await store.open(inbox.id)[0].body
            try await store.deleteAccount(fixture.account.id)
            try expectEqual(try await store.account(fixture.account.address), nil)
            try await expectError(.noSuchMailbox) { try await store.open(inbox.id) }
            try await expectError(.noSuchBody) { try await store.read(body, 0..<1) }
            try await expectError(.noSuchAccount) { try await store.deleteAccount(fixture.account.id) }
            try expectEqual(try await store.verify { _ in }, [])
        },
        StoreConformance("credentials: replaced; nil for an account that is not there") { store in
            let fixture = try await StoreFixture(store)
            var changed = StoreFixture.credentials
            changed.scramSHA256.iterations = 8192
            changed.scramSHA256.salt = [0, 255, 10]
            try await store.setCredentials(changed, of: fixture.account.id)
            try expectEqual(try await store.credentials(of: fixture.account.id), changed)
            changed.scramSHA1 = SCRAMVerifier(salt: [7, 0], iterations: 4096, storedKey: [8], serverKey: [9])
            changed.sharedSecret = SharedSecret([0, 1, 255])
            try await store.setCredentials(changed, of: fixture.account.id)
            try expectEqual(try await store.credentials(of: fixture.account.id), changed)
            try await store.setCredentials(StoreFixture.credentials, of: fixture.account.id)
            try expectEqual(try await store.credentials(of: fixture.account.id), StoreFixture.credentials)
            try expectEqual(try await store.credentials(of: AccountID(999_999)), nil)
            try await expectError(.noSuchAccount) {
                try await store.setCredentials(changed, of: AccountID(999_999))
            }
        },
    ]
}
