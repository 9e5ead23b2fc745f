import Foundation
import GRDB
import MailStore
import MailTestSupport
import MailVocabulary
import MessageFormat
import Testing

@testable import SQLiteStore

@Suite("The index of texts")
struct TextIndexTests {
    private func withMail(
        _ count: Int, options: SQLiteStore.Options = indexedOptions,
        _ body: (SQLiteStore, StoreFixture, MailboxID) async throws -> Void
    ) async throws {
        try await withStorePath { path in
            try await withStore(path, options: options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.addMail(TextSamples.messages(0..<count), to: inbox)
                try await body(store, fixture, inbox)
            }
        }
    }

    @Test("excludes what certainly does not contain a text, and never what does")
    func excludes() async throws {
        try await withMail(60) { store, fixture, inbox in
            #expect(try await fixture.mayContain("anything", in: inbox) == nil)
            try await store.updateTextIndex()
            for number in 0..<60 {
                let may = try #require(try await fixture.mayContain(TextSamples.word(number), in: inbox))
                #expect(may[number] && may.filter { $0 }.count < 4)
            }
            #expect(try await fixture.mayContain("this HAS", in: inbox) == [Bool](repeating: true, count: 60))
            #expect(try await fixture.mayContain("hs", in: inbox) == nil)
            #expect(try await fixture.mayContain("tulips", in: inbox) == [Bool](repeating: false, count: 60))
        }
    }

    @Test("what has just come may contain anything, until it is indexed")
    func newMail() async throws {
        try await withMail(20) { store, fixture, inbox in
            try await store.updateTextIndex()
            try await fixture.addMail(TextSamples.messages(20..<22), to: inbox)
            let may = [Bool](repeating: false, count: 20) + [true, true]
            #expect(try await fixture.mayContain("tulips", in: inbox) == may)
            try await store.updateTextIndex()
            #expect(try await fixture.mayContain("tulips", in: inbox) == [Bool](repeating: false, count: 22))
        }
    }

    @Test("copies, mail in other mailboxes and of other users, and bodies in any order")
    func copies() async throws {
        try await withMail(30) { store, fixture, inbox in
            let other = try await fixture.create("Other").id
            _ = try await store.copy(uids(5...28), from: inbox, to: other)
            _ = try await store.remove(uids(1...10), from: inbox, onlyDeleted: false)
            let ann = try await StoreFixture(store, "ann@example.org")
            let hers = try await ann.mailbox("INBOX").id
            _ = try await store.copy(uids(11...30), from: inbox, to: hers)
            try await store.updateTextIndex()
            for (fixture, mailbox, first, count) in [
                (fixture, inbox, 10, 20), (fixture, other, 4, 24), (ann, hers, 10, 20),
            ] {
                for number in first..<first + count {
                    let may = try #require(try await fixture.mayContain(TextSamples.word(number), in: mailbox))
                    #expect(may.count == count && may[number - first] && may.filter { $0 }.count < 4)
                }
            }
            let bodies = try await fixture.bodies(other).shuffled()
            let may = try await store.mayContain(TextFolding.folded("tulips"), bodies + bodies, in: other)
            #expect(may == [Bool](repeating: false, count: 48))
        }
    }

    /// More columns than a pack takes, of bodies of different lengths.
    @Test("packs")
    func packs() async throws {
        try await withStorePath { path in
            try await withStore(path, options: indexedOptions) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                for start in stride(from: 0, to: 4500, by: 500) {
                    let messages = (start..<start + 500).map {
                        TextSamples.message($0, octets: $0 % 500 == 7 ? 300_000 : 0)
                    }
                    try await fixture.addMail(messages, to: inbox)
                    if start % 1000 == 0 { try await store.updateTextIndex() }
                }
                try await store.updateTextIndex()
                try await expectComplete(store, fixture, inbox, packs: 1...3)
                // Most of the first pack goes, and a few of what is left.
                _ = try await store.remove(uids(1...2500), from: inbox, onlyDeleted: false)
                try await expectErased(store, fixture, inbox)
                _ = try await store.remove(uids(2600...2700), from: inbox, onlyDeleted: false)
                try await expectErased(store, fixture, inbox)
            }
        }
    }

    private func expectComplete(
        _ store: SQLiteStore, _ fixture: StoreFixture, _ inbox: MailboxID, packs: ClosedRange<Int>
    ) async throws {
        let file = try #require(store.textIndexer?.file)
        #expect(packs.contains(try file.packs(of: fixture.account.id.value).count))
        let view = try await store.open(inbox)
        let known = try file.known(try await fixture.bodies(inbox).map(\.value).sorted(), in: fixture.account.id.value)
        #expect(known.count == view.count)
        for position in stride(from: 0, to: view.count, by: 97) {
            let number = Int(view[position].uid.value) - 1
            let may = try #require(try await fixture.mayContain(TextSamples.word(number), in: inbox))
            #expect(may[position] && may.filter { $0 }.count < view.count / 50)
        }
    }

    private func expectErased(_ store: SQLiteStore, _ fixture: StoreFixture, _ inbox: MailboxID) async throws {
        let (indexer, file) = (try #require(store.textIndexer), try #require(store.textIndexer?.file))
        var limits = TextIndexLimits()
        (limits.erasing, limits.rest) = (0, 0)
        try await store.tidy(file, TextIndexer(path: indexer.path, limits: limits))
        let kept = try await fixture.bodies(inbox).map(\.value)
        let all = Array(1...(kept.max() ?? 1))
        #expect(try file.known(all, in: fixture.account.id.value) == Set(kept))
        try await expectComplete(store, fixture, inbox, packs: 0...3)
    }

    @Test("an account that is deleted leaves nothing")
    func deletedAccount() async throws {
        try await withMail(30) { store, fixture, inbox in
            let ann = try await StoreFixture(store, "ann@example.org")
            try await ann.addMail(TextSamples.messages(0..<30), to: ann.mailbox("INBOX").id)
            try await store.updateTextIndex()
            let (indexer, file) = (try #require(store.textIndexer), try #require(store.textIndexer?.file))
            #expect(try file.accounts().count == 2)
            let hers = try await ann.mailbox("INBOX").id.value
            #expect(try file.mark(of: hers) == 30)
            try await store.deleteAccount(ann.account.id)
            try await store.tidy(file, indexer)
            #expect(try Array(file.accounts().keys) == [fixture.account.id.value])
            #expect(try file.mark(of: hers) == 0)
            let left = try await file.pool.read { db in
                try Int.fetchOne(
                    db, sql: "SELECT count(*) FROM loose WHERE account = ?", arguments: [ann.account.id.value])
            }
            #expect(left == 0)
        }
    }

    /// The octets of what is in a file, beside what SQLite itself writes.
    @Test("of expunged mail nothing is left in the file")
    func secureDeletion() async throws {
        try await withStorePath { path in
            try await withStore(path, options: indexedOptions) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.addMail(TextSamples.messages(0..<40), to: inbox)
                try await store.updateTextIndex()
                let file = try #require(store.textIndexer?.file)
                try file.checkpoint()
                let signature = try #require(
                    try await file.pool.read { db in
                        try Data.fetchOne(db, sql: "SELECT columns FROM loose ORDER BY body LIMIT 1")
                    })
                func isLeft() throws -> Bool {
                    try ["", "-wal"].contains { suffix in
                        try Data(contentsOf: URL(filePath: path + "/search.sqlite" + suffix)).range(of: signature)
                            != nil
                    }
                }
                #expect(try isLeft())
                _ = try await store.remove(uids(1...1), from: inbox, onlyDeleted: false)
                var limits = TextIndexLimits()
                limits.erasing = 0
                let indexer = TextIndexer(path: path, limits: limits)
                try await store.tidy(file, indexer)
                #expect(try !isLeft())
            }
        }
    }

    @Test("a message that cannot be read is left to be scanned, and so is one without a summary")
    func unreadable() async throws {
        try await withMail(20) { store, fixture, inbox in
            try await fixture.append(["no summary"], to: inbox)
            let bodies = try await fixture.bodies(inbox)
            try store.tamper("UPDATE body SET checksum = checksum + 1 WHERE id = \(bodies[3].value)")
            try store.tamper("UPDATE body SET summary_checksum = 1 WHERE id = \(bodies[5].value)")
            try await store.updateTextIndex()
            let may = try #require(try await fixture.mayContain("tulips", in: inbox))
            #expect(may.indices.filter { may[$0] } == [3, 5, 20])
        }
    }

    @Test("large messages are indexed by their texts")
    func large() async throws {
        try await withMail(20) { store, fixture, inbox in
            try await fixture.addMail([TextSamples.message(20, octets: 400_000)], to: inbox)
            try await store.updateTextIndex()
            let may = try #require(try await fixture.mayContain(TextSamples.word(20), in: inbox))
            #expect(may[20] && may.filter { $0 }.count < 4)
        }
    }

    @Test("it says how far it has come")
    func state() async throws {
        try await withMail(30) { store, fixture, inbox in
            let none = try #require(try await store.textIndexState())
            #expect(none.indexed == 0 && none.messages == 30)
            try await store.updateTextIndex()
            try await fixture.addMail(TextSamples.messages(30..<33), to: inbox)
            let state = try #require(try await store.textIndexState())
            #expect(state.indexed == 30 && state.messages == 33 && state.octets > 30 * 512)
            _ = try await store.remove(uids(1...10), from: inbox, onlyDeleted: false)
            #expect(try await store.textIndexState()?.indexed == 20)
        }
    }
}
