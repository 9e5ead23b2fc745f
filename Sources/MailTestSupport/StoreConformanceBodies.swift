import MailStore
import MailVocabulary
import Synchronization

extension StoreConformance {
    static let bodyLaws = [
        StoreConformance("bodies: any octets of any length come back, whole and in part") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            for (number, length) in [0, 1, 31, 32, 33, 4096, 131_071, 131_072, 300_001, 1_500_000].enumerated() {
                let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
                let staged = try await fixture.staged(bytes)
                try expectEqual(staged.count, length)
                try expect(try staged.withBytes { $0.count == length && $0.isSame(as: bytes) }, "staged \(length)")
                let message = NewMessage(
                    body: staged, internalDate: Timestamp(seconds: 0), summary: [UInt8(number), 0, 255])
                _ = try await store.append([(inbox, [message])])
                let row = try await store.open(inbox)[number]
                try expectEqual(Int(row.size), length)
                try expect(try await store.read(row.body, 0..<length) == bytes, "whole body of \(length)")
                try expect(try await store.read([row.body]) == [bytes], "whole body of \(length), in a list")
                let part = length / 3..<length / 3 + 100
                let expected = Array(bytes[part.clamped(to: 0..<length)])
                try expect(try await store.read(row.body, part) == expected, "part of \(length)")
                try expectEqual(try await store.read(row.body, length..<length + 5), [])
                try expectEqual(try await store.summaries([row.body]), [[UInt8(number), 0, 255]])
            }
            try await fixture.expectSound()
        },
        StoreConformance("bodies: asked in any order, twice, and beside some that are gone") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            try await fixture.append((1...50).map { "body \($0)" }, to: inbox)
            let snapshot = try await store.open(inbox)
            let asked = [snapshot[40].body, snapshot[3].body, BodyID(999_999), snapshot[3].body]
            let read = try await store.read(asked).map { $0.map { String(decoding: $0, as: UTF8.self) } }
            try expectEqual(read, ["body 41", "body 4", nil, "body 4"])
            try expectEqual(try await store.summaries(asked, upTo: 1).count, 1)
            let summaries = try await store.summaries(asked).map { $0.map { String(decoding: $0, as: UTF8.self) } }
            try expectEqual(summaries, ["summary of body 41", "summary of body 4", nil, "summary of body 4"])
            try await expectError(.noSuchBody) { try await store.read(BodyID(999_999), 0..<1) }
            try expectEqual(try await store.read([BodyID]()), [])
        },
        StoreConformance("bodies: a large one serves two appends") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            let bytes = [UInt8](repeating: 7, count: 2_000_000)
            let message = NewMessage(
                body: try await fixture.staged(bytes), internalDate: Timestamp(seconds: 0), summary: [])
            _ = try await store.append([(inbox, [message])])
            _ = try await store.append([(inbox, [message])])
            let snapshot = try await store.open(inbox)
            try expect(try await store.read([snapshot[0].body, snapshot[1].body]) == [bytes, bytes], "octets differ")
            _ = try await store.remove(uids(1...1), from: inbox, onlyDeleted: false)
            try expect(try await store.read([snapshot[1].body]) == [bytes], "the second went with the first")
            try await fixture.expectSound()
        },
    ]

    static let feedLaws = [
        StoreConformance("change feed: called after each commit, when the change can be seen; not after") { store in
            let fixture = try await StoreFixture(store)
            let (inbox, sent) = (try await fixture.mailbox("INBOX").id, try await fixture.mailbox("Sent").id)
            _ = try await store.open(inbox)
            let seen = Mutex<[Int]>([])
            var observation: Observation? = store.observe(inbox) {
                let count = store.current(inbox)?.count ?? -1
                seen.withLock { $0.append(count) }
            }
            try await fixture.append(["one"], to: inbox)
            try await fixture.append(["elsewhere"], to: sent)
            _ = try await store.copy(uids(1...1), from: sent, to: inbox)
            _ = try await store.changeFlags(inbox, uids(1...1), .add([.seen]), unchangedSince: nil)
            _ = try await store.changeFlags(inbox, uids(1...1), .add([.seen]), unchangedSince: nil)
            _ = try await store.move(uids(1...1), from: inbox, to: sent)
            try expectEqual(seen.withLock { $0 }, [1, 2, 2, 1])
            withExtendedLifetime(observation) {}
            observation = nil
            try await fixture.append(["unheard"], to: inbox)
            try expectEqual(seen.withLock { $0.count }, 4)
        },
        StoreConformance("change feed: the account's list of mailboxes; a mailbox that goes") { store in
            let fixture = try await StoreFixture(store)
            let calls = Mutex(0)
            let gone = Mutex(0)
            let made = try await fixture.create("a")
            let list = store.observe(fixture.account.id) { calls.withLock { $0 += 1 } }
            let mailbox = store.observe(made.id) { gone.withLock { $0 += 1 } }
            try await fixture.create("b/c")
            try await fixture.rename("b", "d")
            try await store.setSubscribed(true, StoreFixture.name("d"), of: fixture.account.id)
            try await fixture.append(["one"], to: made.id)
            try await fixture.delete("a")
            try expectEqual(calls.withLock { $0 }, 4)
            try expectEqual(gone.withLock { $0 }, 2)
            withExtendedLifetime((list, mailbox)) {}
        },
        StoreConformance("watch: what happened to messages, with the mailbox as it is since, in one entry") { store in
            let fixture = try await StoreFixture(store)
            let (inbox, sent) = (try await fixture.mailbox("INBOX").id, try await fixture.mailbox("Sent").id)
            let wakes = Mutex(0)
            let watch = store.watch { wakes.withLock { $0 += 1 } }
            try await fixture.append(["unheard"], to: inbox)
            watch.observe([.account(fixture.account.id)]) { $0.id != sent }
            try await fixture.append(["one", "two"], to: inbox)
            _ = try await store.changeFlags(inbox, uids(1...2), .add([.flagged]), unchangedSince: nil)
            try await fixture.append(["of no interest"], to: sent)
            try expectEqual(wakes.withLock { $0 }, 1)
            try expectEqual(watch.told, ["INBOX 3 3 4: added flags"])
            _ = try await store.changeFlags(inbox, uids(1...1), .add([.seen]), unchangedSince: nil)
            _ = try await store.remove(uids(3...3), from: inbox, onlyDeleted: false)
            try expectEqual(watch.told, ["INBOX 2 1 4: removed flags unseen"])
            _ = try await store.move(uids(2...2), from: inbox, to: sent)
            try expectEqual(watch.told, ["INBOX 1 0 4: removed"])
            try expectEqual(wakes.withLock { $0 }, 3)
            try expectEqual(watch.hasChanges, false)
        },
        StoreConformance("watch: names, subscriptions, annotations and rights, in order; by whose doing") { store in
            let fixture = try await StoreFixture(store)
            let other = try await StoreFixture(store, "ann@example.org")
            let watch = store.watch {}
            watch.observe([.account(fixture.account.id)]) { _ in true }
            let made = try await fixture.create("a/b")
            try await fixture.append(["one"], to: made.id)
            try await fixture.rename("a", "c")
            try await fixture.append(["two"], to: made.id)
            try await store.setSubscribed(true, StoreFixture.name("c/b"), of: fixture.account.id)
            try await store.setSubscribed(true, StoreFixture.name("c/b"), of: fixture.account.id)
            try await store.changeAccess(.replace(.read), of: AccessIdentifier(other.account.id), on: made.id)
            try await ChangeOrigin.$current.withValue(watch.number) {
                try await fixture.append(["by itself"], to: made.id)
                try await fixture.delete("c/b")
            }
            _ = try await other.create("elsewhere")
            try expectEqual(
                watch.told,
                [
                    "created a", "created a/b", "a/b 1 1 2: added", "a to c", "c/b 2 2 3: added", "subscribed c/b",
                    "access c/b", "own: deleted c/b",
                ])
        },
        StoreConformance("watch: others hear of rights that they are given, by name or as anyone") { store in
            let fixture = try await StoreFixture(store)
            let other = try await StoreFixture(store, "ann@example.org")
            let watch = store.watch {}
            watch.observe([.account(other.account.id), .domain(other.account.address.domain)]) { _ in true }
            let made = try await fixture.create("a")
            try await store.changeAccess(.replace(.read), of: AccessIdentifier(other.account.id), on: made.id)
            try await store.changeAccess(.replace(.read), of: AccessIdentifier(nil), on: made.id)
            try expectEqual(watch.told, ["access a", "access a"])
        },
    ]
}

extension ChangeWatch {
    /// What has come, as text: of messages their number, of those unseen, and UIDNEXT.
    fileprivate var told: [String] {
        takeChanges().changes.map { change in
            switch change {
            case .messages(let mailbox, let events):
                "\(mailbox.name) \(mailbox.messageCount) \(mailbox.unseenCount) \(mailbox.uidNext): \(events.words)"
            case .event(let event, let isOwn): (isOwn ? "own: " : "") + event.kind.words
            }
        }
    }
}

extension MessageEvents {
    fileprivate var words: String {
        let names: [(MessageEvents, String)] = [
            (.added, "added"), (.removed, "removed"), (.flags, "flags"), (.unseen, "unseen"),
            (.uidValidity, "validity"),
        ]
        return names.filter { contains($0.0) }.map(\.1).joined(separator: " ")
    }
}

extension StoreEvent.Kind {
    fileprivate var words: String {
        switch self {
        case .created(_, let name): "created \(name)"
        case .deleted(_, let name): "deleted \(name)"
        case .renamed(let from, let to): "\(from) to \(to)"
        case .subscribed(let name, let on): "\(on ? "subscribed" : "unsubscribed") \(name)"
        case .annotated(let place, let names): "annotated \(place?.name.text ?? "server") \(names)"
        case .access(_, let name, _): "access \(name)"
        }
    }
}

extension Span<UInt8> {
    fileprivate func isSame(as bytes: [UInt8]) -> Bool {
        indices.allSatisfy { self[$0] == bytes[$0] }
    }
}
