import Dispatch
import Foundation
import GRDB
import Glibc
import MailStore
import MailTestSupport
import MailVocabulary
import Synchronization
import Testing

@testable import SQLiteStore

/// A disk that can be told to misbehave.
private final class FaultyDisk: Sendable {
    struct State {
        var isFull = false
        var syncFails = false
        /// Octets written per call at most.
        var shortWrites = Int.max
        var syncs = 0
        /// Files written to since their last sync.
        var dirty: Set<Int32> = []
    }
    let state = Mutex(State())

    var options: SQLiteStore.Options {
        var options = SQLiteStore.Options()
        options.log = { _ in }
        options.parkedOctets = 0
        options.files = FileLayer(
            write: { [self] file, bytes, offset in
                let limit = state.withLock { state -> Int? in
                    state.dirty.insert(file)
                    return state.isFull ? nil : state.shortWrites
                }
                guard let limit else {
                    errno = ENOSPC
                    return -1
                }
                return pwrite(file, bytes.baseAddress, min(bytes.count, limit), off_t(offset))
            },
            syncData: { [self] file in
                let fails = state.withLock { state in
                    state.syncs += 1
                    state.dirty.remove(file)
                    return state.syncFails
                }
                guard fails else { return fdatasync(file) }
                errno = EIO
                return -1
            })
        return options
    }
}

@Suite("A disk that fails")
struct FaultTests {
    @Test("full: nothing is changed, deleting works, and it goes on when there is room")
    func fullDisk() async throws {
        let disk = FaultyDisk()
        try await withStorePath { path in
            try await withStore(path, options: disk.options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append(["one", "two"], to: inbox)
                let before = try await store.open(inbox)
                disk.state.withLock { $0.isFull = true }
                try await expectNoSpace { try await fixture.append(["three"], to: inbox) }
                let large = String(repeating: "x", count: 1_100_000)
                try await expectNoSpace { try await fixture.append([large], to: inbox) }
                #expect(try await store.open(inbox).highestModSeq == before.highestModSeq)
                #expect(try await store.remove(uids(1...1), from: inbox, onlyDeleted: false) == uids(1...1))
                disk.state.withLock { $0.isFull = false }
                #expect(try await fixture.append(["three", large], to: inbox) == [3, 4])
                #expect(try await fixture.texts(inbox) == ["two", "three", large])
                try await fixture.expectSound()
            }
            try await withStore(path) { store in try await store.firstFixture().expectSound() }
        }
    }

    private func refusal<R>(_ body: () async throws -> R) async -> StoreError? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? StoreError
        }
    }

    private func expectNoSpace<R>(_ body: () async throws -> R) async throws {
        await #expect(throws: StoreError.noSpace) { _ = try await body() }
    }

    @Test("full, in the database: the batch is rolled back, and it goes on when there is room")
    func fullDatabase() async throws {
        try await withStorePath { path in
            try await withStore(path) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append(["one"], to: inbox)
                let pages = try await store.read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
                try store.tamper("PRAGMA max_page_count = \(pages + 2)")
                var refused = 0
                for _ in 0..<20 {
                    do {
                        try await fixture.append((0..<20).map { "\($0)" }, to: inbox)
                    } catch StoreError.noSpace {
                        refused += 1
                    }
                }
                #expect(refused >= 5)
                try await fixture.expectSound()
                try store.tamper("PRAGMA max_page_count = 1073741823")
                try await fixture.append(["there is room"], to: inbox)
                try await fixture.expectSound()
            }
        }
    }

    @Test("full, in the database: who removes mail is not refused with who adds some")
    func removingFromFullDatabase() async throws {
        try await withStorePath { path in
            try await withStore(path) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append(["one"], to: inbox)
                let pages = try await store.read { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
                try store.tamper("PRAGMA max_page_count = \(pages)")
                // Both wait while this goes on, and so come into one transaction.
                let gate = DispatchSemaphore(value: 0)
                async let before: Void = store.committer.commit { _, _ in gate.wait() }
                try await Task.sleep(for: .milliseconds(50))
                async let added = refusal {
                    try await fixture.append([String(repeating: "m", count: 60_000)], to: inbox)
                }
                async let removed = store.remove(uids(1...1), from: inbox, onlyDeleted: false)
                try await Task.sleep(for: .milliseconds(200))
                gate.signal()
                try await before
                #expect(try await removed == uids(1...1))
                #expect(await added == .noSpace)
                try store.tamper("PRAGMA max_page_count = 1073741823")
                #expect(try await fixture.append(["two"], to: inbox) == [2])
                #expect(try await fixture.texts(inbox) == ["two"])
                try await fixture.expectSound()
            }
        }
    }

    @Test("short writes are continued")
    func shortWrites() async throws {
        let disk = FaultyDisk()
        disk.state.withLock { $0.shortWrites = 1000 }
        try await withStorePath { path in
            try await withStore(path, options: disk.options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                let texts = [10, 5000, 200_000, 1_200_000].map { String(repeating: "s", count: $0) }
                try await fixture.append(texts, to: inbox)
                #expect(try await fixture.texts(inbox) == texts)
                try await fixture.expectSound()
            }
        }
    }

    @Test("a sync that fails: nothing is written any more until the store is opened again; reading goes on")
    func failedSync() async throws {
        let disk = FaultyDisk()
        let logged = Mutex<[String]>([])
        var options = disk.options
        options.log = { message in logged.withLock { $0.append(message) } }
        try await withStorePath { path in
            try await withStore(path, options: options) { [options] store in
                _ = options
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append(["one"], to: inbox)
                disk.state.withLock { $0.syncFails = true }
                await #expect(throws: StoreError.self) { try await fixture.append(["lost"], to: inbox) }
                disk.state.withLock { $0.syncFails = false }
                await #expect(throws: StoreError.self) { try await fixture.append(["refused"], to: inbox) }
                await #expect(throws: StoreError.self) {
                    try await store.changeFlags(inbox, uids(1...1), .add([.seen]), unchangedSince: nil)
                }
                #expect(try await fixture.texts(inbox) == ["one"])
                #expect(logged.withLock { $0.contains { $0.hasPrefix("CRITICAL") } })
            }
            try await withStore(path) { store in
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append(["two"], to: inbox)
                #expect(try await fixture.texts(inbox) == ["one", "two"])
                try await fixture.expectSound()
            }
        }
    }

    @Test("bodies are synced before they are acknowledged; callers share syncs")
    func groupCommit() async throws {
        let disk = FaultyDisk()
        try await withStorePath { path in
            try await withStore(path, options: disk.options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append([String(repeating: "x", count: 1_100_000)], to: inbox)
                #expect(disk.state.withLock { $0.dirty.isEmpty })
                disk.state.withLock { $0.syncs = 0 }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<200 {
                        group.addTask { try await fixture.append(["\(number)"], to: inbox) }
                    }
                    try await group.waitForAll()
                }
                #expect(disk.state.withLock { $0.dirty.isEmpty })
                #expect(disk.state.withLock { $0.syncs } < 150)
            }
        }
    }

    @Test("the database syncs every commit")
    func synchronousIsFull() async throws {
        try await withStorePath { path in
            try await withStore(path) { store in
                let mode = try store.pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
                #expect(mode == 2)
            }
        }
    }

    @Test("one caller's failure is one caller's, before and after it has written")
    func failuresAreIsolated() async throws {
        try await withStorePath { path in
            try await withStore(path) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                let failures = await withTaskGroup(of: Bool.self) { group in
                    for number in 0..<60 {
                        group.addTask { await fails(number, fixture, inbox) }
                    }
                    return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(failures == 40)
                #expect(try await fixture.texts(inbox).sorted() == (0..<20).map { "\($0 * 3)" }.sorted())
                #expect(try await store.subscriptions(of: fixture.account.id).count == 6)
                try await fixture.expectSound()
            }
        }
    }

    private struct Refusal: Error {}

    private func fails(_ number: Int, _ fixture: StoreFixture, _ inbox: MailboxID) async -> Bool {
        guard let store = fixture.store as? SQLiteStore else { return false }
        do {
            switch number % 3 {
            case 0: try await fixture.append(["\(number)"], to: inbox)
            case 1: try await fixture.append(["\(number)"], to: MailboxID(999_999))
            case _:
                let account = fixture.account.id
                try await store.committer.commit { transaction, _ in
                    try transaction.setSubscribed(true, StoreFixture.name("written\(number)"), of: account)
                    throw Refusal()
                }
            }
            return false
        } catch {
            return true
        }
    }
}
