import Foundation
import GRDB
import Glibc
import MailStore
import MailTestSupport
import MailVocabulary
import Synchronization
import Testing

@testable import SQLiteStore

@Suite("Derived data: files that may be lost at any time")
struct DerivedDataTests {
    private static func options() -> SQLiteStore.Options {
        var options = SQLiteStore.Options()
        options.compactionInterval = nil
        options.upkeepInterval = nil
        return options
    }

    private func files(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path + "/derived").map { "\(path)/derived/\($0)" }.sorted()
    }

    private func name(_ text: String = "x") throws -> DerivedName { try #require(DerivedName(text)) }

    private func data(_ octets: [UInt8], _ store: SQLiteStore, _ mailbox: MailboxID) async throws -> DerivedData {
        let view = try await store.open(mailbox)
        return DerivedData(
            uidValidity: view.uidValidity, modSeq: view.highestModSeq,
            through: view.isEmpty ? 0 : view[view.count - 1].uid.value, octets: octets)
    }

    /// A store with three messages in INBOX and something kept of them; returns that.
    private func fill(_ path: String, options: SQLiteStore.Options = options()) async throws -> DerivedData {
        try await withStore(path, options: options) { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            try await fixture.append(["one", "two", "three"], to: inbox)
            let kept = try await data((0..<5000).map { UInt8(truncatingIfNeeded: $0 * 7) }, store, inbox)
            await store.keepDerived(kept, as: try name(), of: inbox)
            #expect(try files(path).count == 1)
            return kept
        }
    }

    private func reopened(_ path: String) async throws -> DerivedData? {
        try await withStore(path, options: Self.options()) { store in
            let fixture = try await store.firstFixture()
            return await store.derived(try name(), of: try await fixture.mailbox("INBOX").id)
        }
    }

    @Test("are there after closing, for their owner only; one that is given again takes the place of the first")
    func kept() async throws {
        try await withStorePath { path in
            let kept = try await fill(path)
            #expect(try await reopened(path) == kept)
            let attributes = try FileManager.default.attributesOfItem(atPath: try #require(files(path).first))
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            try await withStore(path, options: Self.options()) { store in
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                let next = try await data([1], store, inbox)
                await store.keepDerived(next, as: try name(), of: inbox)
                #expect(await store.derived(try name(), of: inbox) == next)
                #expect(try files(path).count == 1)
                await store.keepDerived(kept, as: try name("y"), of: inbox)
                #expect(try files(path).count == 2)
                #expect(await store.derived(try name("y"), of: inbox) == kept)
            }
        }
    }

    @Test("a file that is gone, shorter, longer, or has a wrong octet is none, and no damage", arguments: 0..<24)
    func damaged(_ number: Int) async throws {
        try await withStorePath { path in
            _ = try await fill(path)
            let file = try #require(files(path).first)
            var octets = try Data(contentsOf: URL(fileURLWithPath: file))
            switch number {
            case 0: unlink(file)
            case 1: octets = Data()
            case 2: octets.removeLast()
            case 3: octets.append(0)
            case _: octets[octets.count * (number - 4) / 20] ^= UInt8(1 << (number % 8))
            }
            if number > 0 { try octets.write(to: URL(fileURLWithPath: file)) }
            #expect(try await reopened(path) == nil)
            try await withStore(path, options: Self.options()) { store in
                let fixture = try await store.firstFixture()
                try await fixture.expectSound()
                #expect(try files(path).isEmpty)
                #expect(try await store.read { db in try RowReader.derivedFiles(db) }.isEmpty)
            }
        }
    }

    @Test("a row that is damaged is none", arguments: ["name", "modseq", "through", "checksum", "uidvalidity"])
    func damagedRow(_ column: String) async throws {
        try await withStorePath { path in
            _ = try await fill(path)
            try await withStore(path, options: Self.options()) { store in
                try store.tamper("UPDATE derived_file SET \(column) = '../../x'")
            }
            #expect(try await reopened(path) == nil)
            try await withStore(path, options: Self.options()) { store in
                let fixture = try await store.firstFixture()
                try await fixture.expectSound()
                try await store.maintain()
                try await fixture.create("other")
                try await fixture.rename("INBOX", "other/old")
                try await fixture.delete("other/old")
            }
        }
    }

    @Test("a mailbox that is deleted takes them along; what nobody knows goes at start")
    func removed() async throws {
        try await withStorePath { path in
            try await withStore(path, options: Self.options()) { store in
                let fixture = try await StoreFixture(store)
                let made = try await fixture.create("a").id
                try await fixture.append(["one"], to: made)
                let kept = try await data([1, 2], store, made)
                for text in ["x", "y"] { await store.keepDerived(kept, as: try name(text), of: made) }
                #expect(try files(path).count == 2)
                try await fixture.delete("a")
                #expect(try files(path).isEmpty)
                // Nothing comes back when it was being written meanwhile.
                await store.keepDerived(kept, as: try name(), of: made)
                #expect(try files(path).isEmpty)
            }
            for name in ["1-x-2", "3-y-4.new", "z"] {
                try Data("old".utf8).write(to: URL(fileURLWithPath: "\(path)/derived/\(name)"))
            }
            try await withStore(path, options: Self.options()) { _ in
                let left = try files(path)
                #expect(left.isEmpty)
            }
        }
    }

    @Test("a store put back from a backup does not believe a file from its future")
    func olderDatabase() async throws {
        try await withStorePath { path in
            let kept = try await fill(path)
            let backup = path + "-backup"
            defer { try? FileManager.default.removeItem(atPath: backup) }
            try FileManager.default.copyItem(atPath: path, toPath: backup)
            try await withStore(path, options: Self.options()) { store in
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append(["x"], to: inbox)
                await store.keepDerived(try await data([9], store, inbox), as: try name(), of: inbox)
            }
            for file in try files(path) {
                try FileManager.default.copyItem(
                    atPath: file, toPath: "\(backup)/derived/\((file as NSString).lastPathComponent)")
            }
            #expect(try await reopened(backup) == kept)
        }
    }

    @Test("a disk that is full: nothing is kept, mail is not harmed")
    func fullDisk() async throws {
        var options = Self.options()
        options.files = .full
        try await withStorePath { path in
            try await withStore(path, options: options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append(["one"], to: inbox)
                await store.keepDerived(try await data([1], store, inbox), as: try name(), of: inbox)
                #expect(await store.derived(try name(), of: inbox) == nil)
                #expect(try files(path).isEmpty)
                try await fixture.expectSound()
            }
        }
    }

    @Test("after closing, nothing is written")
    func closed() async throws {
        try await withStorePath { path in
            let store = try SQLiteStore(path: path, options: Self.options())
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            try await fixture.append(["one"], to: inbox)
            let kept = try await data([1], store, inbox)
            try await store.close()
            await store.keepDerived(kept, as: try name(), of: inbox)
            #expect(await store.derived(try name(), of: inbox) == nil)
            #expect(try files(path).isEmpty)
        }
    }

    /// Messages 1...3 are in what is kept; then others come, and some go.
    @Test(
        "what holds something of messages that are gone is dropped after a day",
        arguments: [
            (gone: [2], later: 86_399, isThere: true), (gone: [2], later: 86_401, isThere: false),
            (gone: [4], later: 86_401, isThere: true), (gone: [], later: 10_000_000, isThere: true),
            (gone: [1, 4], later: 200_000, isThere: false),
            // A clock that was wrong.
            (gone: [3], later: -5, isThere: false), (gone: [], later: -5, isThere: true),
        ] as [(gone: [UInt32], later: Int, isThere: Bool)])
    func outdated(_ run: (gone: [UInt32], later: Int, isThere: Bool)) async throws {
        let clock = Clock()
        var options = Self.options()
        options.now = { clock.now.withLock { $0 } }
        try await withStorePath { path in
            let kept = try await fill(path, options: options)
            try await withStore(path, options: options) { store in
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append(["four"], to: inbox)
                _ = try await store.remove(NumberSet(numbers: run.gone), from: inbox, onlyDeleted: false)
                try await store.maintain()
                clock.now.withLock { $0 = UInt32(Int($0) + run.later) }
                try await store.maintain()
                #expect(await store.derived(try name(), of: inbox) == (run.isThere ? kept : nil))
                #expect(try files(path).count == (run.isThere ? 1 : 0))
                // Made anew, it stays for as long again.
                await store.keepDerived(try await data([1], store, inbox), as: try name(), of: inbox)
                clock.now.withLock { $0 += 90_000 }
                try await store.maintain()
                #expect(await store.derived(try name(), of: inbox)?.octets == [1])
            }
        }
    }

    private final class Clock: Sendable {
        let now = Mutex<UInt32>(1_700_000_000)
    }

    @Test("what was forgotten of removals counts as removed")
    func forgotten() async throws {
        let clock = Clock()
        var options = Self.options()
        options.now = { clock.now.withLock { $0 } }
        try await withStorePath { path in
            _ = try await fill(path, options: options)
            try await withStore(path, options: options) { store in
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                _ = try await store.remove(uids(1...1), from: inbox, onlyDeleted: false)
                try store.tamper("UPDATE expunged SET uids = x''")
                clock.now.withLock { $0 += 90_000 }
                try await store.maintain()
                #expect(try files(path).isEmpty)
            }
        }
    }

    @Test("given by many at once, one is kept, and one file is left")
    func atOnce() async throws {
        try await withStorePath { path in
            _ = try await fill(path)
            try await withStore(path, options: Self.options()) { store in
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                let pieces = try await (0..<20).asyncMap { try await data([UInt8($0)], store, inbox) }
                let name = try name()
                await withTaskGroup(of: Void.self) { group in
                    for piece in pieces { group.addTask { await store.keepDerived(piece, as: name, of: inbox) } }
                }
                let kept = try #require(await store.derived(name, of: inbox))
                #expect(pieces.contains(kept))
                #expect(try files(path).count == 1)
            }
        }
    }
}

extension Sequence {
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
