import Foundation
import GRDB
import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import SQLiteStore

@Suite("Index files: a mailbox is opened from one file and what has changed since")
struct IndexFileTests {
    /// Files from the first message on, and nothing done behind the test's back.
    static var options: SQLiteStore.Options {
        var options = SQLiteStore.Options()
        options.compactionInterval = nil
        options.upkeepInterval = nil
        options.upkeep.leastRows = 1
        options.upkeep.foldedAtOnce = 7
        return options
    }

    private static func rows(_ snapshot: MailboxSnapshot) -> [MessageRow] {
        var rows: [MessageRow] = []
        snapshot.forEach { rows.append($1) }
        return rows
    }

    /// What the store says of INBOX when it has just been opened, and how many rows had to be looked at for it.
    private func reopened(
        _ path: String, _ check: (SQLiteStore, StoreFixture, MailboxID) async throws -> Void = { _, _, _ in }
    )
        async throws -> (rows: [MessageRow], unsaved: Int)
    {
        try await withStore(path, options: Self.options) { store in
            let fixture = try await store.firstFixture()
            let inbox = try await fixture.mailbox("INBOX").id
            let snapshot = try await store.open(inbox)
            let unsaved = store.cache.mailbox(inbox)?.unsaved ?? -1
            try await fixture.expectSound()
            try await check(store, fixture, inbox)
            return (Self.rows(snapshot), unsaved)
        }
    }

    /// Thirty messages with some of everything, saved; then more of it, not saved.
    private func fill(_ path: String, afterSaving: (SQLiteStore, StoreFixture, MailboxID) async throws -> Void)
        async throws -> [MessageRow]
    {
        try await withStore(path, options: Self.options) { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            let label = try #require(Keyword("$Label"))
            try await fixture.append((1...30).map { "\($0)" }, [.seen], to: inbox)
            _ = try await store.changeFlags(inbox, uids(3...9), .add([.keyword(label)]), unchangedSince: nil)
            _ = try await store.remove(uids(5...6), from: inbox, onlyDeleted: false)
            try await store.saveIndex(of: inbox)
            try await afterSaving(store, fixture, inbox)
            let rows = Self.rows(try await store.open(inbox))
            // As if it were killed: what closing would write is not there.
            store.cache.saved(inbox, .max)
            return rows
        }
    }

    @Test("nothing has changed since")
    func unchanged() async throws {
        try await withStorePath { path in
            let before = try await fill(path) { _, _, _ in }
            #expect(try indexes(path).count == 1)
            let after = try await reopened(path)
            #expect(after.rows == before)
            #expect(after.unsaved == 0)
        }
    }

    @Test("messages have come, gone, changed; some that came have gone, some that changed have changed again")
    func changedSince() async throws {
        try await withStorePath { path in
            let before = try await fill(path) { store, fixture, inbox in
                try await fixture.append(["31", "32", "33"], to: inbox)
                _ = try await store.changeFlags(inbox, uids(1...32), .add([.flagged]), unchangedSince: nil)
                _ = try await store.remove(uids(2...2, 32...32), from: inbox, onlyDeleted: false)
                _ = try await store.changeFlags(inbox, uids(8...33), .replace([.draft]), unchangedSince: nil)
                try await fixture.append(["34"], to: inbox)
                let sent = try await fixture.mailbox("Sent").id
                _ = try await store.move(uids(20...22), from: inbox, to: sent)
                _ = try await store.changeFlags(sent, uids(2...2), .remove([.draft]), unchangedSince: nil)
            }
            let after = try await reopened(path) { store, fixture, inbox in
                let sent = try await fixture.rows(fixture.mailbox("Sent").id)
                #expect(sent == ["1[T]", "2[]", "3[T]"])
            }
            #expect(after.rows == before)
            #expect(after.unsaved > 0)
            #expect(after.unsaved < 120)
        }
    }

    private func indexes(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path + "/indexes").map { "\(path)/indexes/\($0)" }
    }

    @Test("a file that is gone, shorter, longer, or has a wrong octet is passed over", arguments: 0..<16)
    func damaged(_ number: Int) async throws {
        try await withStorePath { path in
            let before = try await fill(path) { store, fixture, inbox in try await fixture.append(["31"], to: inbox) }
            let file = try #require(indexes(path).first)
            var octets = try Data(contentsOf: URL(fileURLWithPath: file))
            switch number {
            case 0: octets = Data()
            case 1: octets.removeLast()
            case 2: octets.append(0)
            case 3: octets.removeSubrange(0..<100)
            case _: octets[octets.count * (number - 4) / 12] ^= UInt8(1 << (number % 8))
            }
            try octets.write(to: URL(fileURLWithPath: file))
            try await withStore(path, options: Self.options) { store in
                let damage = try await store.verify { _ in }
                #expect(damage.contains { $0.problem.contains("index file") })
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                #expect(Self.rows(try await store.open(inbox)) == before)
                #expect(store.cache.mailbox(inbox)?.unsaved == before.count)
            }
            // Closing has written another.
            let after = try await reopened(path)
            #expect(after.rows == before)
            #expect(after.unsaved == 0)
        }
    }

    @Test("octets with a right checksum that are nonsense are passed over", arguments: 0..<60)
    func nonsense(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let uidValidity = try #require(UIDValidity(7))
        let rows = (1...700).map { number in
            MessageRow(
                uid: UID(known: UInt32(number * 3)), flags: [], modSeq: ModSeq(2), size: 1,
                internalDate: Timestamp(seconds: 1), body: BodyID(Int64(number)))
        }
        let snapshot = MailboxSnapshot(
            mailbox: MailboxID(1), uidValidity: uidValidity, uidNext: 9000, highestModSeq: ModSeq(2), rows: rows)
        var (octets, _) = IndexFile.encode(snapshot)
        octets.removeLast(8)
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            octets[Int.random(in: 0..<min(octets.count, 140), using: &random)] = UInt8.random(
                in: 0...255, using: &random)
        }
        if seed % 5 == 0 { octets.removeLast(Int.random(in: 0...octets.count - 40, using: &random)) }
        let checksum = octets.withUnsafeBytes { Checksum.of($0) }
        withUnsafeBytes(of: checksum.littleEndian) { octets.append(contentsOf: $0) }
        let path = NSTemporaryDirectory() + "index-\(UUID().uuidString)"
        defer { unlink(path) }
        try Data(octets).write(to: URL(fileURLWithPath: path))
        if let read = IndexFile.read(path, checksum: checksum) { #expect(Self.rows(read).count == read.count) }
    }

    @Test("a store put back from a backup does not believe a file from its future")
    func olderDatabase() async throws {
        try await withStorePath { path in
            _ = try await fill(path) { _, _, _ in }
            let backup = path + "-backup"
            defer { try? FileManager.default.removeItem(atPath: backup) }
            try FileManager.default.copyItem(atPath: path, toPath: backup)
            let old = try indexes(path)
            try await withStore(path, options: Self.options) { store in
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                _ = try await store.remove(uids(1...3), from: inbox, onlyDeleted: false)
                try await fixture.append(["x"], to: inbox)
                try await store.saveIndex(of: inbox)
            }
            let future = try #require(try indexes(path).first { !old.contains($0) })
            let name = (future as NSString).lastPathComponent
            try FileManager.default.copyItem(atPath: future, toPath: "\(backup)/indexes/\(name)")
            let after = try await withStore(backup, options: Self.options) { store in
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                // Another history with the same MODSEQs, ending where the file stands.
                _ = try await store.changeFlags(inbox, uids(1...3), .add([.draft]), unchangedSince: nil)
                try await fixture.append(["y"], to: inbox)
                return Self.rows(try await store.open(inbox))
            }
            #expect(try await reopened(backup).rows == after)
        }
    }

    @Test("a mailbox that is deleted takes its file along; files that nobody knows go at start")
    func removed() async throws {
        try await withStorePath { path in
            try await withStore(path, options: Self.options) { store in
                let fixture = try await StoreFixture(store)
                let made = try await fixture.create("a").id
                try await fixture.append(["one"], to: made)
                try await store.saveIndex(of: made)
                #expect(try indexes(path).count == 1)
                try await fixture.delete("a")
                #expect(try indexes(path).isEmpty)
                // Nothing comes back when it was being written meanwhile.
                try await store.saveIndex(of: made)
                #expect(try indexes(path).isEmpty)
            }
            for name in ["1-2.index", "3-4.index.new", "x"] {
                try Data("old".utf8).write(to: URL(fileURLWithPath: "\(path)/indexes/\(name)"))
            }
            try await withStore(path, options: Self.options) { _ in
                let left = try indexes(path)
                #expect(left.isEmpty)
            }
        }
    }

    @Test("a disk that is full: the file is not written, mail is not harmed")
    func fullDisk() async throws {
        var options = Self.options
        options.files = .full
        try await withStorePath { path in
            try await withStore(path, options: options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append(["one"], to: inbox)
                await #expect(throws: StoreError.noSpace) { try await store.saveIndex(of: inbox) }
                #expect(try indexes(path).isEmpty)
                try await fixture.expectSound()
            }
            #expect(try await reopened(path).rows.count == 1)
        }
    }

    @Test("each turn writes what is far enough behind, and what nobody has open too")
    func turns() async throws {
        try await withStorePath { path in
            try await withStore(path, options: Self.options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append((1...40).map { "\($0)" }, to: inbox)
                #expect(store.cache.current(inbox) == nil)
                try await store.maintain()
                #expect(try indexes(path).count == 1)
                #expect(store.cache.mailbox(inbox)?.unsaved == 0)
                let first = try indexes(path)
                try await fixture.append(["41"], to: inbox)
                try await store.maintain()
                #expect(try indexes(path) == first)
                try await fixture.append(["42", "43"], to: inbox)
                try await store.maintain()
                #expect(try indexes(path).count == 1)
                #expect(try indexes(path) != first)
            }
            #expect(try await reopened(path).unsaved == 0)
        }
    }
}
