import MailStore
import MailVocabulary

extension StoreFixture {
    func derivedName(_ text: String) throws -> DerivedName {
        guard let name = DerivedName(text) else { throw Violation(description: "bad name in a law: \(text)") }
        return name
    }

    /// Of the mailbox as it is now.
    func derivedData(_ octets: [UInt8], of mailbox: MailboxID) async throws -> DerivedData {
        let view = try await store.open(mailbox)
        let last = view.isEmpty ? 0 : view[view.count - 1].uid.value
        return DerivedData(
            uidValidity: view.uidValidity, modSeq: view.highestModSeq, through: last, octets: octets)
    }
}

extension StoreConformance {
    static let derivedLaws = [
        StoreConformance("derived data: what was kept last under a name, or nothing") { store in
            let fixture = try await StoreFixture(store)
            let (inbox, sent) = (try await fixture.mailbox("INBOX").id, try await fixture.mailbox("Sent").id)
            try await fixture.append(["one", "two"], to: inbox)
            let (name, other) = (try fixture.derivedName("a-1"), try fixture.derivedName("b"))
            try expectEqual(await store.derived(name, of: inbox), nil)
            let first = try await fixture.derivedData([1, 2, 3], of: inbox)
            await store.keepDerived(first, as: name, of: inbox)
            try expect([first, nil].contains(await store.derived(name, of: inbox)), "something else")
            try await fixture.append(["three"], to: inbox)
            let second = try await fixture.derivedData([], of: inbox)
            await store.keepDerived(second, as: name, of: inbox)
            try expect([second, nil].contains(await store.derived(name, of: inbox)), "something else")
            try expectEqual(await store.derived(other, of: inbox), nil)
            try expectEqual(await store.derived(name, of: sent), nil)
            try await fixture.expectSound()
        },
        StoreConformance("derived data: goes with its mailbox, not with a name") { store in
            let fixture = try await StoreFixture(store)
            let name = try fixture.derivedName("a")
            let made = try await fixture.create("made").id
            try await fixture.append(["one"], to: made)
            let data = try await fixture.derivedData([7], of: made)
            await store.keepDerived(data, as: name, of: made)
            try await fixture.rename("made", "other")
            try expect([data, nil].contains(await store.derived(name, of: made)), "something else")
            try await fixture.delete("other")
            try expectEqual(await store.derived(name, of: made), nil)
            await store.keepDerived(data, as: name, of: made)
            try expectEqual(await store.derived(name, of: made), nil)
            let again = try await fixture.create("made")
            try expectEqual(await store.derived(name, of: again.id), nil)
            await store.keepDerived(data, as: name, of: again.id)
            try expect(await store.derived(name, of: again.id) == nil, "of another UIDVALIDITY")
            try await fixture.expectSound()
        },
        StoreConformance("derived data: names are few plain octets") { _ in
            for text in ["", "A", "a/b", "..", "a.b", "ä", String(repeating: "a", count: 33), "a\0"] {
                try expect(DerivedName(text) == nil, text)
            }
            try expect(DerivedName(String(repeating: "a", count: 32)) != nil, "32 octets")
        },
    ]
}
