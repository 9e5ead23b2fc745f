import Foundation
import GRDB
import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import SQLiteStore

@Suite("Flag changes are records first, rows later")
struct FlagJournalTests {
    private func count(_ store: SQLiteStore, _ table: String) async throws -> Int {
        try await store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") ?? 0 }
    }

    private func reopenedRows(_ path: String) async throws -> [String] {
        try await withStore(path, options: IndexFileTests.options) { store in
            let fixture = try await store.firstFixture()
            try await fixture.expectSound()
            return try await fixture.rows(fixture.mailbox("INBOX").id)
        }
    }

    @Test("a change of many messages is one record and no row")
    func oneRecord() async throws {
        try await withStorePath { path in
            try await withStore(path, options: IndexFileTests.options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append((1...100).map { "\($0)" }, to: inbox)
                let rows = try await store.read { try RowReader.rows(of: inbox, from: 1, $0) }
                _ = try await store.changeFlags(inbox, uids(1...100), .add([.seen]), unchangedSince: nil)
                #expect(try await count(store, "flag_change") == 1)
                #expect(try await store.read { try RowReader.rows(of: inbox, from: 1, $0) } == rows)
                // Nothing to change, nothing to write.
                _ = try await store.changeFlags(inbox, uids(1...100), .add([.seen]), unchangedSince: nil)
                #expect(try await count(store, "flag_change") == 1)
                try await fixture.expectSound()
            }
        }
    }

    @Test("random changes, folded now and then, survive reopening", arguments: 0..<6)
    func randomChanges(_ seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        try await withStorePath { path in
            var (texts, made) = (30, false)
            for _ in 0..<4 {
                let (steps, isNew) = (random.next(), !made)
                let before = try await withStore(path, options: IndexFileTests.options) { store in
                    let fixture = isNew ? try await StoreFixture(store) : try await store.firstFixture()
                    let inbox = try await fixture.mailbox("INBOX").id
                    try await fixture.append((1...texts).map { "\($0)" }, to: inbox)
                    var random = SeededRandom(seed: steps)
                    for _ in 0..<25 { try await step(store, inbox, &random) }
                    try await fixture.expectSound()
                    return try await fixture.rows(inbox)
                }
                made = true
                texts = Int.random(in: 1...9, using: &random)
                #expect(try await reopenedRows(path) == before)
            }
        }
    }

    private func step(_ store: SQLiteStore, _ inbox: MailboxID, _ random: inout SeededRandom) async throws {
        let next = UInt32(try await store.open(inbox).uidNext)
        let flags = [[Flag.seen], [.flagged, .draft], [.deleted], []][Int.random(in: 0..<4, using: &random)]
        let ends = (0..<4).map { _ in UInt32.random(in: 1..<next, using: &random) }.sorted()
        let chosen = uids(ends[0]...ends[1], ends[2]...ends[3])
        switch Int.random(in: 0..<10, using: &random) {
        case 0...3: _ = try await store.changeFlags(inbox, chosen, .add(flags), unchangedSince: nil)
        case 4...5: _ = try await store.changeFlags(inbox, chosen, .remove(flags), unchangedSince: nil)
        case 6: _ = try await store.changeFlags(inbox, chosen, .replace(flags), unchangedSince: nil)
        case 7: _ = try await store.remove(uids(ends[1]...ends[1]), from: inbox, onlyDeleted: false)
        case 8: try await store.fold(inbox)
        case _: try await store.saveIndex(of: inbox)
        }
    }

    @Test("folding writes each row that changed once, leaves no record, and may stop in the middle")
    func folding() async throws {
        try await withStorePath { path in
            var options = IndexFileTests.options
            options.upkeep.leastRows = .max
            let before = try await withStore(path, options: options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append((1...40).map { "\($0)" }, to: inbox)
                _ = try await store.changeFlags(inbox, uids(1...30), .add([.seen]), unchangedSince: nil)
                _ = try await store.changeFlags(inbox, uids(20...40), .replace([.flagged]), unchangedSince: nil)
                _ = try await store.changeFlags(inbox, uids(1...4), .remove([.seen]), unchangedSince: nil)
                let records = try await store.read { try RowReader.flagRecords(of: inbox, $0) }
                #expect(records.count == 3)
                // Some rows only, and then some more changes: as if it were interrupted.
                let next = try await store.committer.commit { transaction, _ in
                    try transaction.fold(records, inbox, from: 1, limit: 25)
                }
                #expect(next == 26)
                _ = try await store.changeFlags(inbox, uids(24...27), .add([.answered]), unchangedSince: nil)
                try await fixture.expectSound()
                return try await fixture.rows(inbox)
            }
            #expect(try await reopenedRows(path) == before)
            try await withStore(path, options: options) { store in
                let inbox = try await store.firstFixture().mailbox("INBOX").id
                try await store.fold(inbox)
                #expect(try await count(store, "flag_change") == 0)
                let rows = try await store.read { try RowReader.rows(of: inbox, from: 1, $0) }
                var kept: [MessageRow] = []
                try await store.open(inbox).forEach { kept.append($1) }
                #expect(rows == kept)
            }
            #expect(try await reopenedRows(path) == before)
        }
    }

    @Test("a turn folds what has become many records")
    func turn() async throws {
        var options = IndexFileTests.options
        options.upkeep.records = 5
        try await withStorePath { path in
            let before = try await withStore(path, options: options) { [options] store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append((1...20).map { "\($0)" }, to: inbox)
                for number in UInt32(1)...UInt32(options.upkeep.records) {
                    _ = try await store.changeFlags(
                        inbox, uids(number...20), .replace(number % 2 == 0 ? [.seen] : [.draft]), unchangedSince: nil)
                }
                try await store.maintain()
                #expect(try await count(store, "flag_change") == options.upkeep.records)
                _ = try await store.changeFlags(inbox, uids(1...1), .add([.deleted]), unchangedSince: nil)
                try await store.maintain()
                #expect(try await count(store, "flag_change") == 0)
                return try await fixture.rows(inbox)
            }
            #expect(try await reopenedRows(path) == before)
        }
    }

    @Test("a record that is damaged is found, and never taken for another")
    func damaged() async throws {
        try await withStorePath { path in
            try await withStore(path, options: IndexFileTests.options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append(["one", "two", "three"], to: inbox)
                _ = try await store.changeFlags(inbox, uids(1...2), .add([.seen]), unchangedSince: nil)
                try store.tamper("UPDATE flag_change SET uids = x'0102' || substr(uids, 3)")
                #expect(try await store.verify { _ in }.contains { $0.problem.contains("a flag change") })
                await #expect(throws: StoreError.self) { try await store.fold(inbox) }
                store.cache.saved(inbox, .max)
            }
            // Mail is there, with the flags that can be known.
            try await withStore(path, options: IndexFileTests.options) { store in
                let fixture = try await store.firstFixture()
                #expect(try await fixture.rows(fixture.mailbox("INBOX").id) == ["1[]", "2[]", "3[]"])
            }
        }
    }

    @Test("sets of UIDs come back as they were, and nothing else does", arguments: 0..<20)
    func coding(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var set = NumberSet()
        for _ in 0..<Int.random(in: 0...60, using: &random) {
            let low = UInt32.random(in: (set.max ?? 0) / 2...(seed % 2 == 0 ? 900 : .max), using: &random)
            set = set.union(NumberSet(max(1, low)...max(1, low | UInt32.random(in: 0...7, using: &random))))
        }
        let octets = UIDSetCoding.octets(set)
        #expect(UIDSetCoding.uids(octets) == set)
        for _ in 0..<50 {
            var changed = octets
            changed[Int.random(in: 0..<octets.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            #expect(UIDSetCoding.uids(changed) == nil)
        }
        #expect(UIDSetCoding.uids(Array(octets.dropLast())) == nil)
        #expect(UIDSetCoding.uids([]) == nil)
    }
}
