import MailStore
import MailVocabulary

extension StoreConformance {
    static let contentLaws = replaceLaws + urlKeyLaws

    private static let replaceLaws = [
        StoreConformance("replace: one comes and one goes, in the same moment") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            try await fixture.append(["one", "two", "three"], [.flagged], to: inbox)
            let new = try await fixture.message("new", [.draft])
            guard let uid = UID(2) else { throw Violation(description: "2 is a UID") }
            let result = try await store.replace(uid, in: inbox, with: new, in: inbox)
            try expectEqual(result.uids.map(\.value), [4])
            try expectEqual(try await fixture.texts(inbox), ["one", "three", "new"])
            try expectEqual(try await fixture.rows(inbox), ["1[F]", "3[F]", "4[T]"])
            try await fixture.expectSound()
        },
        StoreConformance("replace: into another mailbox") { store in
            let fixture = try await StoreFixture(store)
            let (drafts, sent) = (try await fixture.mailbox("Drafts").id, try await fixture.mailbox("Sent").id)
            try await fixture.append(["draft"], to: drafts)
            guard let uid = UID(1) else { throw Violation(description: "1 is a UID") }
            let result = try await store.replace(uid, in: drafts, with: fixture.message("final"), in: sent)
            try expectEqual(result.mailbox, sent)
            try expectEqual(try await fixture.texts(drafts), [])
            try expectEqual(try await fixture.texts(sent), ["final"])
            try await fixture.expectSound()
        },
        StoreConformance("replace: nothing changes when there is no such message, or no such mailbox") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            try await fixture.append(["one"], to: inbox)
            let before = try await store.open(inbox).highestModSeq
            guard let (one, two) = UID(1).flatMap({ one in UID(2).map { (one, $0) } }) else {
                throw Violation(description: "1 and 2 are UIDs")
            }
            try await expectError(.noSuchBody) {
                try await store.replace(two, in: inbox, with: fixture.message("new"), in: inbox)
            }
            try await expectError(.noSuchMailbox) {
                try await store.replace(one, in: inbox, with: fixture.message("new"), in: MailboxID(999_999))
            }
            try expectEqual(try await fixture.texts(inbox), ["one"])
            try expectEqual(try await store.open(inbox).highestModSeq, before)
            try await fixture.expectSound()
        },
    ]

    private static let urlKeyLaws = [
        StoreConformance("URL keys: the first stays until it is reset, and goes with its mailbox") { store in
            let fixture = try await StoreFixture(store)
            let (inbox, other) = (try await fixture.mailbox("INBOX").id, try await fixture.create("other").id)
            try expectEqual(try await store.urlKey(of: inbox)?.revealed(), nil)
            try expectEqual(try await store.urlKey(of: inbox, orNew: Secret("first")).revealed(), "first")
            try expectEqual(try await store.urlKey(of: inbox, orNew: Secret("second")).revealed(), "first")
            try expectEqual(try await store.urlKey(of: inbox)?.revealed(), "first")
            try expectEqual(try await store.urlKey(of: other, orNew: Secret("its own")).revealed(), "its own")
            try await store.resetURLKeys(of: [inbox])
            try expectEqual(try await store.urlKey(of: inbox)?.revealed(), nil)
            try expectEqual(try await store.urlKey(of: other)?.revealed(), "its own")
            try expectEqual(try await store.urlKey(of: inbox, orNew: Secret("third")).revealed(), "third")
            try await fixture.delete("other")
            try expectEqual(try await store.urlKey(of: other)?.revealed(), nil)
            try await expectError(.noSuchMailbox) { try await store.urlKey(of: other, orNew: Secret("x")).revealed() }
        }
    ]
}
