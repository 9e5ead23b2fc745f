import MailStore
import MailVocabulary

extension StoreConformance {
    static let messageLaws = appendLaws + flagLaws + removalLaws + copyLaws + snapshotLaws

    private static let appendLaws = [
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
        },
        StoreConformance("append: to several mailboxes all or none; a shared body is stored once") { store in
            let fixture = try await StoreFixture(store)
            let (inbox, sent) = (try await fixture.mailbox("INBOX"), try await fixture.mailbox("Sent"))
            let message = try await fixture.message("shared")
            let results = try await store.append([(inbox.id, [message]), (sent.id, [message, message])])
            try expectEqual(results.map(\.mailbox), [inbox.id, sent.id])
            try expectEqual(results.map(\.uidValidity), [inbox.uidValidity, sent.uidValidity])
            try expectEqual(results.map { $0.uids.map(\.value) }, [[1], [1, 2]])
            let body = try await store.open(inbox.id)[0].body
            try expectEqual(try await store.open(sent.id)[1].body, body)
            try await expectError(.noSuchMailbox) {
                try await store.append([(inbox.id, [message]), (MailboxID(999_999), [message])])
            }
            try expectEqual(try await fixture.texts(inbox.id), ["shared"])
            _ = try await store.remove(uids(1...1), from: inbox.id, onlyDeleted: false)
            try expectEqual(try await fixture.texts(sent.id), ["shared", "shared"])
            try await fixture.expectSound()
        },
        StoreConformance("append: nothing is nothing; the same staged body may be added again later") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX")
            let result = try await store.append([(inbox.id, [])])
            try expectEqual(result, [AppendResult(mailbox: inbox.id, uidValidity: inbox.uidValidity, uids: [])])
            try expectEqual(try await store.open(inbox.id).highestModSeq, inbox.highestModSeq)
            try expectEqual(try await store.append([]), [])
            let message = try await fixture.message("again")
            _ = try await store.append([(inbox.id, [message])])
            _ = try await store.append([(inbox.id, [message])])
            try expectEqual(try await fixture.texts(inbox.id), ["again", "again"])
            try await fixture.expectSound()
        },
        StoreConformance("append: keywords are taken in until there is no room") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX")
            let all = (0...KeywordTable.maximumCount).compactMap { Keyword("k\($0)").map(Flag.keyword) }
            try await fixture.append(["one"], Array(all.dropLast()), to: inbox.id)
            try expectEqual(try await store.open(inbox.id).keywords.keywords.count, KeywordTable.maximumCount)
            try await expectError(.tooManyKeywords) { try await fixture.append(["two"], all.suffix(1), to: inbox.id) }
            try await expectError(.tooManyKeywords) {
                try await store.changeFlags(inbox.id, uids(1...1), .add(all), unchangedSince: nil)
            }
            try expectEqual(try await store.open(inbox.id).count, 1)
            try await fixture.append(["two"], [all[3]], to: inbox.id)
            try expectEqual(try await fixture.rows(inbox.id).last, "2[k3]")
            try await fixture.expectSound()
        },
        StoreConformance("recent: told once, counted until then") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX")
            try await fixture.append(["one", "two"], to: inbox.id)
            try expectEqual(try await fixture.mailbox("INBOX").recentCount, 2)
            try expectEqual(try await store.claimRecent(inbox.id), 1)
            try expectEqual(try await fixture.mailbox("INBOX").recentCount, 0)
            try expectEqual(try await store.claimRecent(inbox.id), 3)
            try await fixture.append(["three", "four"], to: inbox.id)
            _ = try await store.remove(uids(1...1, 4...4), from: inbox.id, onlyDeleted: false)
            try expectEqual(try await fixture.mailbox("INBOX").recentCount, 1)
            try expectEqual(try await store.claimRecent(inbox.id), 3)
            try await expectError(.noSuchMailbox) { try await store.claimRecent(MailboxID(999_999)) }
        },
    ]

    private static let flagLaws = [
        StoreConformance("flags: added, removed, replaced; only what changes gets a new MODSEQ") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            try await fixture.append(["one", "two", "three"], [.flagged], to: inbox)
            let first = try await store.open(inbox)
            _ = try await store.changeFlags(inbox, uids(1...2), .add([.seen, .flagged]), unchangedSince: nil)
            try expectEqual(try await fixture.rows(inbox), ["1[F S]", "2[F S]", "3[F]"])
            let second = try await store.open(inbox)
            try expectEqual(second.highestModSeq, first.highestModSeq.next())
            try expectEqual(second[1].modSeq, second.highestModSeq)
            try expectEqual(second[2].modSeq, first[2].modSeq)
            _ = try await store.changeFlags(inbox, uids(1...9), .add([.flagged]), unchangedSince: nil)
            try expectEqual(try await store.open(inbox).highestModSeq, second.highestModSeq)
            _ = try await store.changeFlags(inbox, uids(2...3), .remove([.flagged, .draft]), unchangedSince: nil)
            try expectEqual(try await fixture.rows(inbox), ["1[F S]", "2[S]", "3[]"])
            _ = try await store.changeFlags(inbox, uids(1...3), .replace([.deleted]), unchangedSince: nil)
            try expectEqual(try await fixture.rows(inbox), ["1[D]", "2[D]", "3[D]"])
            _ = try await store.changeFlags(inbox, uids(2...2), .replace([]), unchangedSince: nil)
            try expectEqual(try await fixture.rows(inbox), ["1[D]", "2[]", "3[D]"])
            try await fixture.expectSound()
        },
        StoreConformance("flags: unchangedSince leaves alone, and tells, what changed later") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            try await fixture.append(["one", "two", "three"], to: inbox)
            let seen = try await store.open(inbox).highestModSeq
            _ = try await store.changeFlags(inbox, uids(2...2), .add([.flagged]), unchangedSince: nil)
            let modified = try await store.changeFlags(
                inbox, uids(1...3, 8...9), .add([.deleted]), unchangedSince: seen)
            try expectEqual(modified, uids(2...2))
            try expectEqual(try await fixture.rows(inbox), ["1[D]", "2[F]", "3[D]"])
            let all = try await store.changeFlags(inbox, uids(1...3), .add([.seen]), unchangedSince: ModSeq(0))
            try expectEqual(all, uids(1...3))
            try await fixture.expectSound()
        },
        StoreConformance("flags: keywords keep the first spelling; removing an unknown one is nothing") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            try await fixture.append(["one"], to: inbox)
            guard let upper = Keyword("$Forwarded"), let lower = Keyword("$forwarded"), let odd = Keyword("odd") else {
                return
            }
            _ = try await store.changeFlags(inbox, uids(1...1), .add([.keyword(upper)]), unchangedSince: nil)
            let modSeq = try await store.open(inbox).highestModSeq
            _ = try await store.changeFlags(inbox, uids(1...1), .add([.keyword(lower)]), unchangedSince: nil)
            _ = try await store.changeFlags(inbox, uids(1...1), .remove([.keyword(odd)]), unchangedSince: nil)
            _ = try await store.changeFlags(inbox, uids(7...7), .add([.keyword(odd)]), unchangedSince: nil)
            try expectEqual(try await fixture.rows(inbox), ["1[$Forwarded]"])
            try expectEqual(try await store.open(inbox).highestModSeq, modSeq)
            try expectEqual(try await store.open(inbox).keywords.keywords.map(\.name), ["$Forwarded"])
            try await expectError(.noSuchMailbox) {
                try await store.changeFlags(MailboxID(999_999), uids(1...1), .add([.seen]), unchangedSince: nil)
            }
        },
    ]

    private static let removalLaws = [
        StoreConformance("remove: what is there, or only what is \\Deleted; UIDs are never used again") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            try await fixture.append(["one", "two", "three", "four"], to: inbox)
            _ = try await store.changeFlags(inbox, uids(2...2, 4...4), .add([.deleted]), unchangedSince: nil)
            let before = try await store.open(inbox)
            try expectEqual(try await store.remove(uids(1...3), from: inbox, onlyDeleted: true), uids(2...2))
            let after = try await store.open(inbox)
            try expectEqual(after.highestModSeq, before.highestModSeq.next())
            try expectEqual(after[0].modSeq, before[0].modSeq)
            try expectEqual(try await store.remove(uids(2...4), from: inbox, onlyDeleted: false), uids(3...4))
            let modSeq = try await store.open(inbox).highestModSeq
            try expectEqual(try await store.remove(uids(2...4), from: inbox, onlyDeleted: false), NumberSet())
            try expectEqual(try await store.open(inbox).highestModSeq, modSeq)
            try expectEqual(try await fixture.append(["five"], to: inbox), [5])
            try expectEqual(try await fixture.texts(inbox), ["one", "five"])
            try await fixture.expectSound()
        },
        StoreConformance("expunged: what changes since a MODSEQ removed, and nothing that is there") {
            store in
            let fixture = try await StoreFixture(store)
            let (inbox, trash) = (try await fixture.mailbox("INBOX").id, try await fixture.mailbox("Trash").id)
            let empty = try await store.open(inbox).highestModSeq
            try expectEqual(try await store.expunged(inbox, since: empty), NumberSet())
            try expectEqual(try await store.expunged(inbox, since: ModSeq(0)), NumberSet())
            try await fixture.append(["one", "two", "three", "four", "five"], to: inbox)
            let full = try await store.open(inbox).highestModSeq
            _ = try await store.remove(uids(2...2), from: inbox, onlyDeleted: false)
            let first = try await store.open(inbox).highestModSeq
            _ = try await store.move(uids(4...5), from: inbox, to: trash)
            for (since, removed) in [(empty, uids(2...2, 4...5)), (full, uids(2...2, 4...5)), (first, uids(4...5))] {
                let told = try await store.expunged(inbox, since: since)
                try expectEqual(told.intersection(removed), removed)
                try expectEqual(told.subtracting(uids(2...2, 4...5)), NumberSet())
            }
            let now = try await store.open(inbox).highestModSeq
            try expectEqual(try await store.expunged(inbox, since: now), NumberSet())
            try await expectError(.noSuchMailbox) { try await store.expunged(MailboxID(999_999), since: empty) }
        },
        StoreConformance("remove: a body lives as long as its last message") { store in
            let fixture = try await StoreFixture(store)
            let (inbox, sent) = (try await fixture.mailbox("INBOX").id, try await fixture.mailbox("Sent").id)
            try await fixture.append(["one"], to: inbox)
            let body = try await store.open(inbox)[0].body
            _ = try await store.copy(uids(1...1), from: inbox, to: sent)
            _ = try await store.remove(uids(1...1), from: inbox, onlyDeleted: false)
            try expectEqual(try await store.read(body, 0..<100), Array("one".utf8))
            _ = try await store.remove(uids(1...1), from: sent, onlyDeleted: false)
            try await expectError(.noSuchBody) { try await store.read(body, 0..<100) }
            try expectEqual(try await store.read([body]), [nil])
            try expectEqual(try await store.summaries([body]), [nil])
            try await fixture.expectSound()
        },
        StoreConformance("remove: a mailbox's bodies go with it") { store in
            let fixture = try await StoreFixture(store)
            let made = try await fixture.create("doomed")
            try await fixture.append(["one", "two"], to: made.id)
            let body = try await store.open(made.id)[1].body
            try await fixture.delete("doomed")
            try await expectError(.noSuchBody) { try await store.read(body, 0..<1) }
            try await expectError(.noSuchMailbox) { try await fixture.append(["x"], to: made.id) }
            try await expectError(.noSuchMailbox) {
                try await store.remove(uids(1...1), from: made.id, onlyDeleted: false)
            }
            try await fixture.expectSound()
        },
    ]

    private static let copyLaws = [
        StoreConformance("copy: flags, keywords and dates too; COPYUID pairs; bodies shared") { store in
            let fixture = try await StoreFixture(store)
            let (inbox, sent) = (try await fixture.mailbox("INBOX"), try await fixture.mailbox("Sent"))
            guard let a = Keyword("a"), let b = Keyword("b") else { return }
            try await fixture.append(["in sent"], [.keyword(b)], to: sent.id)
            try await fixture.append(["one"], [.seen, .keyword(a)], to: inbox.id)
            try await fixture.append(["two", "three"], [.keyword(b), .keyword(a)], to: inbox.id)
            let result = try await store.copy(uids(1...1, 3...9), from: inbox.id, to: sent.id)
            try expectEqual(result.uidValidity, sent.uidValidity)
            try expectEqual(result.source.map(\.value), [1, 3])
            try expectEqual(result.destination.map(\.value), [2, 3])
            try expectEqual(try await fixture.rows(sent.id), ["1[b]", "2[S a]", "3[a b]"])
            try expectEqual(try await fixture.texts(sent.id), ["in sent", "one", "three"])
            let (from, to) = (try await store.open(inbox.id), try await store.open(sent.id))
            try expectEqual(to[1].internalDate, from[0].internalDate)
            try expectEqual(to[1].body, from[0].body)
            try expectEqual(to[2].modSeq, to.highestModSeq)
            try expectEqual(try await store.copy(uids(50...60), from: inbox.id, to: sent.id).source, [])
            try expectEqual(try await store.open(sent.id).highestModSeq, to.highestModSeq)
            try await expectError(.noSuchMailbox) {
                try await store.copy(uids(1...1), from: inbox.id, to: MailboxID(999_999))
            }
            try await fixture.expectSound()
        },
        StoreConformance("copy: all or nothing, where that is asked for") { store in
            let fixture = try await StoreFixture(store)
            let (inbox, sent) = (try await fixture.mailbox("INBOX").id, try await fixture.mailbox("Sent").id)
            try await fixture.append(["one", "two", "three"], to: inbox)
            _ = try await store.remove(uids(2...2), from: inbox, onlyDeleted: false)
            let before = try await store.open(sent).highestModSeq
            let nothing = try await store.copy(uids(1...3), from: inbox, to: sent, allOrNothing: true)
            try expectEqual(nothing.source, [])
            try expectEqual(nothing.destination, [])
            try expectEqual(try await store.open(sent).highestModSeq, before)
            let all = try await store.copy(uids(1...1, 3...3), from: inbox, to: sent, allOrNothing: true)
            try expectEqual(all.source.map(\.value), [1, 3])
            try expectEqual(try await fixture.texts(sent), ["one", "three"])
            try await fixture.expectSound()
        },
        StoreConformance("copy: within one mailbox") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            try await fixture.append(["one", "two"], [.seen], to: inbox)
            let result = try await store.copy(uids(1...2), from: inbox, to: inbox)
            try expectEqual(result.destination.map(\.value), [3, 4])
            try expectEqual(try await fixture.texts(inbox), ["one", "two", "one", "two"])
            try await fixture.expectSound()
        },
        StoreConformance("move: there and no longer here, in one change; within one mailbox too") { store in
            let fixture = try await StoreFixture(store)
            let (inbox, trash) = (try await fixture.mailbox("INBOX").id, try await fixture.mailbox("Trash").id)
            try await fixture.append(["one", "two", "three"], [.flagged], to: inbox)
            let result = try await store.move(uids(2...3), from: inbox, to: trash)
            try expectEqual(result.source.map(\.value), [2, 3])
            try expectEqual(result.destination.map(\.value), [1, 2])
            try expectEqual(try await fixture.rows(inbox), ["1[F]"])
            try expectEqual(try await fixture.rows(trash), ["1[F]", "2[F]"])
            try expectEqual(try await fixture.texts(trash), ["two", "three"])
            let own = try await store.move(uids(1...1), from: trash, to: trash)
            try expectEqual(own.destination.map(\.value), [3])
            try expectEqual(try await fixture.texts(trash), ["three", "two"])
            try await expectError(.noSuchMailbox) {
                try await store.move(uids(1...1), from: inbox, to: MailboxID(999_999))
            }
            try expectEqual(try await fixture.texts(inbox), ["one"])
            try await fixture.expectSound()
        },
    ]

    private static let snapshotLaws = [
        StoreConformance("snapshots: keep their moment; their difference is what happened") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            try await fixture.append((1...1200).map { "m\($0)" }, to: inbox)
            let old = try await store.open(inbox)
            _ = try await store.changeFlags(inbox, uids(7...8, 600...600), .add([.seen]), unchangedSince: nil)
            _ = try await store.remove(uids(1...1, 1000...1001), from: inbox, onlyDeleted: false)
            try await fixture.append(["new"], to: inbox)
            let new = try await store.open(inbox)
            try expectEqual(old.count, 1200)
            try expectEqual(old[6].flags, [])
            let changes = new.changes(since: old)
            try expectEqual(changes.expunged, uids(1...1, 1000...1001))
            try expectEqual(changes.changed.map { new[$0].uid.value }, [7, 8, 600])
            try expectEqual(changes.firstNew, new.count - 1)
            let shown = new.retaining(expunged: changes.expunged, from: old)
            try expectEqual(shown.allUIDs, uids(1...1201))
            try expectEqual(shown[6].flags, .seen)
        },
        StoreConformance("current: there once opened, and always while observed") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            let observation = store.observe(inbox) {}
            _ = try await store.open(inbox)
            try await fixture.append(["one"], to: inbox)
            try expectEqual(store.current(inbox)?.count, 1)
            _ = try await store.changeFlags(inbox, uids(1...1), .add([.seen]), unchangedSince: nil)
            try expectEqual(store.current(inbox)?[0].flags, .seen)
            withExtendedLifetime(observation) {}
        },
    ]
}
