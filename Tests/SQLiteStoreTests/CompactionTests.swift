import Foundation
import MailStore
import MailTestSupport
import MailVocabulary
import Synchronization
import Testing

@testable import SQLiteStore

@Suite("Dead octets are given back")
struct CompactionTests {
    private var options: SQLiteStore.Options {
        var options = SQLiteStore.Options()
        options.segmentSize = 100_000
        options.parkedOctets = 0
        options.compactionInterval = nil
        return options
    }

    private func text(_ number: UInt32) -> String {
        "\(number) " + String(repeating: "m", count: 9000 + Int(number))
    }

    @Test("segments without a live octet go at once")
    func emptySegmentsGo() async throws {
        try await withStorePath { path in
            try await withStore(path, options: options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                for number in 0..<50 { try await fixture.append([text(UInt32(number))], to: inbox) }
                #expect(try segmentFiles(path).count >= 5)
                _ = try await store.remove(uids(1...50), from: inbox, onlyDeleted: false)
                #expect(try segmentFiles(path).count == 1)
                try await fixture.append([String(repeating: "x", count: 1_100_000)], to: inbox)
                #expect(try segmentFiles(path).count == 2)
                _ = try await store.remove(uids(51...51), from: inbox, onlyDeleted: false)
                #expect(try segmentFiles(path).count == 1)
                try await fixture.expectSound()
            }
        }
    }

    @Test("a file that readers have open is given back too")
    func openSegmentsGo() async throws {
        try await withStorePath { path in
            try await withStore(path, options: options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                let large = String(repeating: "x", count: 1_100_000)
                try await fixture.append([large, large], to: inbox)
                #expect(try await fixture.texts(inbox) == [large, large])
                _ = try await store.remove(uids(1...2), from: inbox, onlyDeleted: false)
                let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
                    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
                }
                #expect(open.filter { $0.hasPrefix(path) && $0.contains(".seg") } == [])
            }
        }
    }

    @Test("sparse segments are emptied while others read and write; all survives, also opening again")
    func compacts() async throws {
        try await withStorePath { path in
            let kept = NumberSet(numbers: (1...200).filter { $0 % 10 == 0 })
            try await withStore(path, options: options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                for number in UInt32(1)...200 { try await fixture.append([text(number)], to: inbox) }
                let all = try segmentFiles(path).count
                _ = try await store.remove(
                    NumberSet(numbers: (1...200).filter { !kept.contains($0) }), from: inbox, onlyDeleted: false)
                let expected = kept.map { text($0) }
                async let reading: Void = read(fixture, inbox, expected)
                async let writing = fixture.append(["meanwhile"], to: fixture.mailbox("Sent").id)
                let copied = try await store.compact()
                _ = try await (reading, writing)
                #expect(copied > 15 * 9000)
                #expect(try segmentFiles(path).count < all / 4)
                #expect(try await fixture.texts(inbox) == expected)
                // What was the open segment is closed now, and sparse: one more time, then nothing is left to do.
                _ = try await store.compact()
                #expect(try await store.compact() == 0)
                try await fixture.expectSound()
            }
            try await withStore(path, options: options) { store in
                let fixture = try await store.firstFixture()
                #expect(try await fixture.texts(fixture.mailbox("INBOX").id) == kept.map { text($0) })
                try await fixture.expectSound()
            }
        }
    }

    /// Room is given back although nobody asks, also that of mail expunged before the store was opened.
    @Test("by the store itself, at start and while it runs", arguments: [true, false])
    func housekeeping(_ reopens: Bool) async throws {
        try await withStorePath { path in
            var housekeeping = options
            housekeeping.compactionInterval = reopens ? .seconds(1000) : .milliseconds(20)
            let kept = NumberSet(numbers: (1...100).filter { $0 % 10 == 0 })
            try await withStore(path, options: reopens ? options : housekeeping) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                for number in UInt32(1)...100 { try await fixture.append([text(number)], to: inbox) }
                _ = try await store.remove(
                    NumberSet(numbers: (1...100).filter { !kept.contains($0) }), from: inbox, onlyDeleted: false)
                if !reopens { try await expectFewSegments(path) }
            }
            try await withStore(path, options: housekeeping) { store in
                try await expectFewSegments(path)
                let fixture = try await store.firstFixture()
                #expect(try await fixture.texts(fixture.mailbox("INBOX").id) == kept.map { text($0) })
                try await fixture.expectSound()
            }
        }
    }

    /// Soon: the hundred messages filled ten segments, the ten that are left fit into two beside the open one.
    private func expectFewSegments(_ path: String) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(20)
        while try segmentFiles(path).count > 3, clock.now < deadline { try await Task.sleep(for: .milliseconds(10)) }
        #expect(try segmentFiles(path).count <= 3)
    }

    @Test("a store that is closed does nothing more by itself, and is let go")
    func housekeepingStops() async throws {
        try await withStorePath { path in
            var options = options
            options.compactionInterval = .milliseconds(1)
            let logged = Mutex(0)
            options.log = { _ in logged.withLock { $0 += 1 } }
            weak var dropped: SQLiteStore?
            try await withStore(path, options: options) { store in
                dropped = store
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(dropped == nil)
            try await Task.sleep(for: .milliseconds(20))
            #expect(logged.withLock { $0 } == 0)
        }
    }

    private func read(_ fixture: StoreFixture, _ inbox: MailboxID, _ expected: [String]) async throws {
        for _ in 0..<30 { #expect(try await fixture.texts(inbox) == expected) }
    }

    /// Octets that are no record, and a record cut short whose length leads into those written later.
    private static let torn = [
        Array("LMB1 and then the power went".utf8),
        SegmentHeader(body: 4000, length: 40_000, checksum: 5).encoded + [UInt8](repeating: 120, count: 100),
        SegmentHeader(body: 4000, length: 1 << 31, checksum: 5).encoded,
        [UInt8](repeating: 0, count: 70_000),
    ]

    @Test("what a crash left between records is passed over", arguments: torn.indices)
    func tornTail(_ number: Int) async throws {
        var options = options
        options.segmentSize = 200_000
        try await withStorePath { path in
            try await withStore(path, options: options) { store in
                let fixture = try await StoreFixture(store)
                try await fixture.append((1...4).map { text($0) }, to: fixture.mailbox("INBOX").id)
            }
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: path + "/segments/00000001.seg"))
            try file.seekToEnd()
            try file.write(contentsOf: Self.torn[number])
            try file.close()
            try await withStore(path, options: options) { store in
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                for number in UInt32(5)...40 { try await fixture.append([text(number)], to: inbox) }
                _ = try await store.remove(uids(1...4, 6...20), from: inbox, onlyDeleted: false)
                #expect(try await store.compact() > 0)
                #expect(try await fixture.texts(inbox) == ([5] + (21...40)).map { text($0) })
                #expect(try !segmentFiles(path).contains("00000001.seg"))
                try await fixture.expectSound()
            }
        }
    }
}
