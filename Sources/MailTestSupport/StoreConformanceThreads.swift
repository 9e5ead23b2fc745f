package import MailStore
import MailVocabulary

extension StoreFixture {
    /// Adds a message that is called and answers so; returns its row.
    func append(_ text: String, _ messageIDs: [String], to mailbox: MailboxID) async throws -> MessageRow {
        var message = try await message(text)
        message.threadKeys = messageIDs.map { ThreadKey(messageID: Array($0.utf8)) }
        _ = try await store.append([(mailbox, [message])])
        let snapshot = try await store.open(mailbox)
        return snapshot[snapshot.count - 1]
    }
}

extension StoreConformance {
    static let threadLaws = [
        StoreConformance("threads: a message joins that of the first message-id that is known") { store in
            let fixture = try await StoreFixture(store)
            let (inbox, sent) = (try await fixture.mailbox("INBOX").id, try await fixture.mailbox("Sent").id)
            let first = try await fixture.append("first", ["a"], to: inbox)
            try expectEqual(first.thread, ThreadID(begunBy: first.body))
            let answer = try await fixture.append("answer", ["b", "a"], to: sent)
            try expectEqual(answer.thread, first.thread)
            let other = try await fixture.append("other", ["x"], to: inbox)
            try expect(other.thread != first.thread, "strangers in one thread")
            // Answers one that never came; a third answers both that one and the second.
            let orphan = try await fixture.append("orphan", ["y", "lost", "a"], to: inbox)
            try expectEqual(orphan.thread, first.thread)
            try expectEqual(try await fixture.append("late", ["z", "lost"], to: inbox).thread, first.thread)
            // Threads are never put together afterwards.
            try expectEqual(try await fixture.append("both", ["q", "x", "a"], to: inbox).thread, other.thread)
            try expectEqual(try await fixture.append("nameless", [], to: inbox).thread.value > 0, true)
            try expectEqual(try await fixture.append("again", ["a"], to: inbox).thread, first.thread)
            try await fixture.expectSound()
        },
        StoreConformance("threads: messages of one append answer each other; copies stay; accounts are apart") {
            store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            let sent = try await fixture.mailbox("Sent").id
            var messages = [try await fixture.message("one"), try await fixture.message("two")]
            messages[0].threadKeys = [ThreadKey(1)]
            messages[1].threadKeys = [ThreadKey(2), ThreadKey(1)]
            _ = try await store.append([(inbox, messages)])
            let rows = try await store.open(inbox)
            try expectEqual(rows[1].thread, rows[0].thread)
            _ = try await store.copy(uids(1...1), from: inbox, to: sent)
            _ = try await store.move(uids(2...2), from: inbox, to: sent)
            let moved = try await store.open(sent)
            try expectEqual([moved[0].thread, moved[1].thread], [rows[0].thread, rows[0].thread])
            // Known still when nothing of it is left.
            _ = try await store.remove(.all, from: inbox, onlyDeleted: false)
            _ = try await store.remove(.all, from: sent, onlyDeleted: false)
            let stranger = try await StoreFixture(store, "jill@example.org")
            let strangers = try await stranger.mailbox("INBOX").id
            _ = try await store.append([(inbox, [messages[1]]), (strangers, [messages[1]])])
            try expectEqual(try await store.open(inbox)[0].thread, rows[0].thread)
            try expect(try await store.open(strangers)[0].thread != rows[0].thread, "a thread across accounts")
            try await fixture.expectSound()
        },
        StoreConformance("threads: a refused append leaves none") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            var message = try await fixture.message("refused")
            message.threadKeys = [ThreadKey(1)]
            try await expectError(.noSuchMailbox) {
                try await store.append([(inbox, [message]), (MailboxID(999_999), [message])])
            }
            message.threadKeys = [ThreadKey(2), ThreadKey(1)]
            _ = try await store.append([(inbox, [message])])
            let row = try await store.open(inbox)[0]
            try expectEqual(row.thread, ThreadID(begunBy: row.body))
        },
    ]

    /// That messages carry when they came into their mailbox, on a clock that is set.
    package static func checkSavedDates(
        _ store: any MailStore, setClock: (UInt32) -> Void
    ) async throws {
        let fixture = try await StoreFixture(store)
        let (inbox, sent) = (try await fixture.mailbox("INBOX").id, try await fixture.mailbox("Sent").id)
        setClock(1000)
        try await fixture.append(["one", "two"], to: inbox)
        setClock(2_000_000_000)
        _ = try await store.copy(uids(1...1), from: inbox, to: sent)
        _ = try await store.changeFlags(inbox, uids(1...2), .add([.seen]), unchangedSince: nil)
        setClock(.max)
        _ = try await store.move(uids(2...2), from: inbox, to: sent)
        let (left, moved) = (try await store.open(inbox), try await store.open(sent))
        try expectEqual([left[0].savedDate, moved[0].savedDate, moved[1].savedDate], [1000, 2_000_000_000, .max])
        try expectEqual(moved[1].internalDate, Timestamp(seconds: 1_000_000, zoneMinutes: 60))
    }
}

extension NumberSet {
    fileprivate static let all = NumberSet(1...UInt32.max)
}
