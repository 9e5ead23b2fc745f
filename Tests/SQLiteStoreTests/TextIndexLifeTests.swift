import Foundation
import GRDB
import Glibc
import MailStore
import MailTestSupport
import MailVocabulary
import MessageFormat
import Synchronization
import Testing

@testable import SQLiteStore

@Suite("The index of texts over restarts and damage")
struct TextIndexLifeTests {
    private static let count = 300

    /// A store with indexed mail, closed.
    private func withIndexedStore(_ body: (String) async throws -> Void) async throws {
        try await withStorePath { path in
            try await withStore(path, options: indexedOptions) { store in
                let fixture = try await StoreFixture(store)
                try await fixture.addMail(TextSamples.messages(0..<Self.count), to: fixture.mailbox("INBOX").id)
                try await store.updateTextIndex()
            }
            try await body(path)
        }
    }

    /// That every message is found, and at most `unknown` are not excluded by what none has.
    private func expectSound(_ store: SQLiteStore, unknown: Int = 0) async throws {
        let fixture = try await store.firstFixture()
        let inbox = try await fixture.mailbox("INBOX").id
        for number in stride(from: 0, to: Self.count, by: 17) {
            guard let may = try await fixture.mayContain(TextSamples.word(number), in: inbox) else { continue }
            #expect(may[number])
        }
        let may = try await fixture.mayContain("tulips", in: inbox)
        #expect((may?.filter { $0 }.count ?? Self.count) <= unknown)
    }

    @Test("it is there after a restart, and goes on where it was")
    func reopened() async throws {
        try await withIndexedStore { path in
            try await withStore(path, options: indexedOptions) { store in
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.addMail(["Subject: a\n\nnew tulips\n"], to: inbox)
                try await store.updateTextIndex()
                let may = try #require(try await fixture.mayContain("tulips", in: inbox))
                #expect(may.indices.filter { may[$0] } == [Self.count])
            }
        }
    }

    @Test("gone, empty, cut, or something else: it is built anew", arguments: 0..<6)
    func lost(_ kind: Int) async throws {
        try await withIndexedStore { path in
            let file = path + "/search.sqlite"
            switch kind {
            case 0: unlink(file)
            case 1: truncate(file, 0)
            case 2: truncate(file, 5000)
            case 3: truncate(file, off_t(try #require(fileSize(file)) / 2))
            case 4: try Data("no database at all, but long enough to be read".utf8).write(to: URL(filePath: file))
            case _:
                let database = try DatabaseQueue(path: file)
                try await database.write { try $0.execute(sql: "PRAGMA user_version = 7") }
                try database.close()
            }
            let logged = Mutex<[String]>([])
            var options = indexedOptions
            options.log = { message in logged.withLock { $0.append(message) } }
            try await withStore(path, options: options) { store in
                // What is not noticed at once is noticed by whoever comes upon it.
                for _ in 0..<2 {
                    do { try await store.updateTextIndex() } catch { await store.discardTextIndex(error) }
                    try await expectSound(store, unknown: Self.count)
                }
                try await store.updateTextIndex()
                try await expectSound(store)
            }
        }
    }

    @Test("one bit that is wrong changes no answer", arguments: 0..<40)
    func flippedBit(_ seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        try await withIndexedStore { path in
            let file = path + "/search.sqlite"
            var octets = [UInt8](try Data(contentsOf: URL(filePath: file)))
            for _ in 0..<(seed < 30 ? 1 : 50) {
                let index = Int.random(in: 0..<octets.count, using: &random)
                octets[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            try Data(octets).write(to: URL(filePath: file))
            var options = indexedOptions
            options.log = { _ in }
            try await withStore(path, options: options) { store in
                for _ in 0..<2 {
                    do { try await store.updateTextIndex() } catch { await store.discardTextIndex(error) }
                    try await expectSound(store, unknown: Self.count)
                }
            }
        }
    }

    @Test("mail that is an older copy than the index: bodies of the same numbers are others")
    func olderMail() async throws {
        try await withStorePath { path in
            try await withStore(path, options: indexedOptions) { store in
                let fixture = try await StoreFixture(store)
                try await fixture.addMail(TextSamples.messages(0..<20), to: fixture.mailbox("INBOX").id)
            }
            let copy = path + "-copy"
            defer { try? FileManager.default.removeItem(atPath: copy) }
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            try await withStore(path, options: indexedOptions) { store in
                // Beyond the numbers that are reserved at a time.
                let fixture = try await store.firstFixture()
                for start in stride(from: 20, to: 5020, by: 500) {
                    try await fixture.addMail(
                        TextSamples.messages(start..<start + 500), to: fixture.mailbox("INBOX").id)
                }
                try await store.updateTextIndex()
            }
            try FileManager.default.copyItem(atPath: path + "/search.sqlite", toPath: copy + "/search.sqlite")
            // A program that does not index adds mail first.
            try await withStore(copy) { store in
                let fixture = try await store.firstFixture()
                for start in stride(from: 9000, to: 14_000, by: 500) {
                    try await fixture.addMail(
                        TextSamples.messages(start..<start + 500), to: fixture.mailbox("INBOX").id)
                }
            }
            try await withStore(copy, options: indexedOptions) { store in
                try await store.updateTextIndex()
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                for number in stride(from: 9000, to: 14_000, by: 397) {
                    let may = try #require(try await fixture.mayContain(TextSamples.word(number), in: inbox))
                    #expect(may[number - 9000 + 20])
                }
            }
        }
    }

    @Test("programs that open the store for a moment leave it as it is; turned off, it goes")
    func use() async throws {
        try await withIndexedStore { path in
            func indexed() throws -> Int? {
                let database = try DatabaseQueue(path: path + "/search.sqlite")
                defer { try? database.close() }
                return try database.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM loose") }
            }
            try await withStore(path) { store in
                let fixture = try await store.firstFixture()
                #expect(try await fixture.mayContain("tulips", in: fixture.mailbox("INBOX").id) == nil)
                try await fixture.addMail(["Subject: a\n\ntulips\n"], to: fixture.mailbox("INBOX").id)
                try await store.updateTextIndex()
            }
            #expect(try indexed() == Self.count)
            var options = indexedOptions
            options.textIndex = .removed
            try await withStore(path, options: options) { store in
                let fixture = try await store.firstFixture()
                #expect(try await fixture.mayContain("tulips", in: fixture.mailbox("INBOX").id) == nil)
            }
            #expect(fileSize(path + "/search.sqlite") == nil)
        }
    }

    @Test("in the background, new mail is indexed; closing ends that at once")
    func background() async throws {
        var options = indexedOptions
        options.textIndexing.interval = .milliseconds(5)
        options.textIndexing.rest = 1
        try await withStorePath { path in
            try await withStore(path, options: options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                for start in [0, 20, 40] {
                    try await fixture.addMail(TextSamples.messages(start..<start + 20), to: inbox)
                    let deadline = ContinuousClock.now + .seconds(20)
                    while try await fixture.mayContain("tulips", in: inbox)?.contains(true) ?? true {
                        try #require(ContinuousClock.now < deadline, "it was not indexed")
                        try await Task.sleep(for: .milliseconds(5))
                    }
                }
                try await fixture.addMail(TextSamples.messages(60..<2000), to: inbox)
            }
            #expect(fileSize(path + "/search.sqlite") ?? 0 > 0)
        }
    }
}
