package import MailStore
import MailVocabulary

extension StoreFixture {
    fileprivate func expectUsage(
        _ octets: UInt64, _ messages: UInt64, file: String = #fileID, line: Int = #line
    ) async throws {
        let quota = try await store.quota(of: account.id)
        try expectEqual([quota.storage.usage, quota.messages.usage], [octets, messages], file: file, line: line)
    }
}

extension StoreConformance {
    static let quotaLaws = limitLaws + usageLaws

    private static let limitLaws = [
        StoreConformance("quota: limits are kept; without any there is room") { store in
            let fixture = try await StoreFixture(store)
            let account = fixture.account.id
            try expectEqual(try await store.quota(of: account).isLimited, false)
            try await store.setQuota(QuotaLimits(storage: .limited(10), messages: .unlimited), of: account)
            var quota = try await store.quota(of: account)
            try expectEqual([quota.storage.limit, quota.messages.limit], [10, nil])
            try await store.setQuota(QuotaLimits(storage: .limited(0), messages: .limited(.max)), of: account)
            quota = try await store.quota(of: account)
            try expectEqual(quota.storage.limit, 0)
            try expect(quota.messages.limit.map { $0 >= UInt64(Int64.max) } ?? true, "a limit beyond numbers")
            try await store.setQuota(QuotaLimits(), of: account)
            try await fixture.append(["as much as there is"], to: try await fixture.mailbox("INBOX").id)
            try await expectError(.noSuchAccount) { try await store.quota(of: AccountID(999_999)) }
            try await expectError(.noSuchAccount) { try await store.setQuota(QuotaLimits(), of: AccountID(999_999)) }
        },
        StoreConformance("quota: administrators are known by their account") { store in
            let fixture = try await StoreFixture(store)
            try expectEqual(fixture.account.isAdministrator, false)
            try await store.setAdministrator(true, fixture.account.id)
            try expectEqual(try await store.account(fixture.account.address)?.isAdministrator, true)
            try await store.setAdministrator(false, fixture.account.id)
            try expectEqual(try await store.accounts().first?.isAdministrator, false)
        },
        StoreConformance("quota: octets and messages are refused beyond their limits, in whole appends") { store in
            let fixture = try await StoreFixture(store)
            let (inbox, sent) = (try await fixture.mailbox("INBOX").id, try await fixture.mailbox("Sent").id)
            try await store.setQuota(QuotaLimits(storage: .limited(12)), of: fixture.account.id)
            try await fixture.append(["123456"], to: inbox)
            try await expectError(.overQuota) { try await fixture.append(["1234567"], to: inbox) }
            let small = try await fixture.message("1234")
            try await expectError(.overQuota) { try await store.append([(inbox, [small]), (sent, [small])]) }
            try await fixture.append(["123456"], to: sent)
            try await expectError(.overQuota) { try await fixture.append(["1"], to: inbox) }
            try await fixture.append([""], to: inbox)
            try await store.setQuota(QuotaLimits(messages: .limited(4)), of: fixture.account.id)
            try await fixture.append(["a long one now"], to: inbox)
            try await expectError(.overQuota) { try await fixture.append([""], to: inbox) }
            try expectEqual(try await fixture.texts(inbox), ["123456", "", "a long one now"])
            try await fixture.expectUsage(26, 4)
            try await fixture.expectSound()
        },
        StoreConformance("quota: copies count, moves do not; what is beyond a new limit stays") { store in
            let fixture = try await StoreFixture(store)
            let (inbox, sent) = (try await fixture.mailbox("INBOX").id, try await fixture.mailbox("Sent").id)
            try await fixture.append(["12345", "67890"], to: inbox)
            try await store.setQuota(QuotaLimits(storage: .limited(14)), of: fixture.account.id)
            try await expectError(.overQuota) { try await store.copy(uids(1...1), from: inbox, to: sent) }
            try expectEqual(try await fixture.texts(sent), [])
            try await store.setQuota(QuotaLimits(storage: .limited(3), messages: .limited(1)), of: fixture.account.id)
            _ = try await store.move(uids(1...1), from: inbox, to: sent)
            try await fixture.rename("INBOX", "Old")
            try expectEqual(try await fixture.texts(sent), ["12345"])
            try await fixture.expectUsage(10, 2)
            let other = try await StoreFixture(store, "jill@example.org")
            let theirs = try await other.mailbox("INBOX").id
            _ = try await store.copy(uids(1...1), from: sent, to: theirs)
            try await expectError(.overQuota) { try await store.move(uids(1...1), from: theirs, to: inbox) }
            try expectEqual(try await other.texts(theirs), ["12345"])
            try await fixture.expectSound()
        },
        StoreConformance("quota: one recipient without room keeps a message from all") { store in
            let (joe, jill) = (try await StoreFixture(store), try await StoreFixture(store, "jill@example.org"))
            let (joes, jills) = (try await joe.mailbox("INBOX").id, try await jill.mailbox("INBOX").id)
            try await store.setQuota(QuotaLimits(messages: .limited(0)), of: jill.account.id)
            let message = try await joe.message("to both")
            try await expectError(.overQuota) { try await store.append([(joes, [message]), (jills, [message])]) }
            try expectEqual(try await joe.texts(joes), [])
            try await joe.expectUsage(0, 0)
        },
        StoreConformance("quota: appends at the same time do not pass together") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            try await store.setQuota(QuotaLimits(storage: .limited(70), messages: .limited(7)), of: fixture.account.id)
            let accepted = await withTaskGroup(of: Bool.self) { group in
                for number in 10..<60 {
                    group.addTask { (try? await fixture.append(["message \(number)"], to: inbox)) != nil }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            try expectEqual(accepted, 7)
            try await fixture.expectUsage(70, 7)
            try await fixture.expectSound()
        },
    ]

    private static let usageLaws = [
        StoreConformance("quota: usage follows expunge, deletion and flags") { store in
            let fixture = try await StoreFixture(store)
            let work = try await fixture.create("Work").id
            try await fixture.append(["one", "three", "seven"], to: work)
            try await fixture.append(["nine"], to: try await fixture.mailbox("INBOX").id)
            try await fixture.expectUsage(17, 4)
            _ = try await store.changeFlags(work, uids(1...2), .add([.deleted]), unchangedSince: nil)
            try expectEqual(try await fixture.mailbox("Work").deletedSize, 8)
            _ = try await store.changeFlags(work, uids(2...2), .remove([.deleted]), unchangedSince: nil)
            try expectEqual(try await fixture.mailbox("Work").deletedSize, 3)
            _ = try await store.remove(uids(1...3), from: work, onlyDeleted: true)
            try expectEqual(try await fixture.mailbox("Work").deletedSize, 0)
            try await fixture.expectUsage(14, 3)
            try await fixture.rename("Work", "Play")
            try await fixture.expectUsage(14, 3)
            try await fixture.delete("Play")
            try await fixture.expectUsage(4, 1)
            try await fixture.expectSound()
        }
    ]

    /// That accounts without limits of their own have the store's, here 10 octets and 2 messages.
    package static func checkQuotaDefaults(_ store: any MailStore) async throws {
        let fixture = try await StoreFixture(store)
        let (account, inbox) = (fixture.account.id, try await fixture.mailbox("INBOX").id)
        let quota = try await store.quota(of: account)
        try expectEqual([quota.storage.limit, quota.messages.limit], [10, 2])
        try await expectError(.overQuota) { try await fixture.append(["eleven octs"], to: inbox) }
        try await fixture.append(["1", "2"], to: inbox)
        try await expectError(.overQuota) { try await fixture.append(["3"], to: inbox) }
        try await store.setQuota(QuotaLimits(storage: .standard, messages: .unlimited), of: account)
        try await fixture.append(["3"], to: inbox)
        try await expectError(.overQuota) { try await fixture.append(["12345678"], to: inbox) }
    }
}
