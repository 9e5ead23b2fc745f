import MailStore
import MailVocabulary

extension StoreConformance {
    static let messageLaws = [
        StoreConformance("append: UIDs ascend, MODSEQ grows once per call, rows carry what was given") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX")
            let before = try await store.open(inbox.id)
            try expectEqual(before.count, 0)
            try expectEqual(try await fixture.append(["one", "two"], [.seen], to: inbox.id), [1, 2])
            let after = try await store.open(inbox.id)
            try expectEqual(after.highestModSeq, before.highestModSeq.next())
            try expectEqual((after[0].modSeq, after[1].modSeq) == (after.highestModSeq, after.highestModSeq), true)
            try expectEqual(after[1].size, 3)
            try expectEqual(after[1].internalDate, Timestamp(seconds: 1_000_000, zoneMinutes: 60))
            try expectEqual(after.uidNext, 3)
            try expectEqual(try await fixture.append(["three"], to: inbox.id), [3])
            try expectEqual(try await fixture.rows(inbox.id), ["1[S]", "2[S]", "3[]"])
            try expectEqual(before.count, 0)
            try await fixture.expectSound()
        }
    ]
    static let bodyLaws: [StoreConformance] = []
    static let feedLaws: [StoreConformance] = []
    static let concurrencyLaws: [StoreConformance] = []
}
