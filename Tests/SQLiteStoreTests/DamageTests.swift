import Foundation
import GRDB
import MailStore
import MailTestSupport
import MailVocabulary
import Synchronization
import Testing

@testable import SQLiteStore

@Suite("Damage is found and reported, never repaired")
struct DamageTests {
    private var inSegments: SQLiteStore.Options {
        var options = SQLiteStore.Options()
        options.parkedOctets = 0
        return options
    }

    /// Three messages in one segment, and where their octets are.
    private func withMail(_ body: (SQLiteStore, StoreFixture, MailboxID, String, [BodyPlace]) async throws -> Void)
        async throws
    {
        try await withStorePath { path in
            try await withStore(path, options: inSegments) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append(["one", "two two", "three"], to: inbox)
                let snapshot = try await store.open(inbox)
                let places = try await store.read { db in
                    try (0..<3).compactMap { try RowReader.place(snapshot[$0].body, db) }
                }
                try #require(places.count == 3)
                try await body(store, fixture, inbox, store.directory.segment(places[1].segment), places)
            }
        }
    }

    private func overwrite(_ file: String, at offset: Int, _ change: (UInt8) -> UInt8) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
        try handle.seek(toOffset: UInt64(offset))
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: [change(byte)])
        try handle.close()
    }

    @Test("one octet of a body", arguments: [0, 3, 6])
    func body(_ offset: Int) async throws {
        try await withMail { store, fixture, inbox, file, places in
            try overwrite(file, at: places[1].offset + SegmentHeader.size + offset) { $0 ^ 0x10 }
            let body = try await store.open(inbox)[1].body
            #expect(try await store.verify { _ in }.map(\.place) == ["body \(body.value)"])
            await expectDamaged { try await store.read(body, 0..<7) }
            await expectDamaged { try await store.read([body]) }
            #expect(try await store.read([store.open(inbox)[0].body]) == [Array("one".utf8)])
        }
    }

    @Test("one octet of a record's header", arguments: Array(stride(from: 0, to: SegmentHeader.size, by: 3)))
    func header(_ offset: Int) async throws {
        try await withMail { store, fixture, inbox, file, places in
            try overwrite(file, at: places[1].offset + offset) { $0 ^ 0x80 }
            let body = try await store.open(inbox)[1].body
            #expect(try await store.verify { _ in }.map(\.place) == ["body \(body.value)"])
            await expectDamaged { try await store.read(body, 0..<2) }
        }
    }

    @Test("a segment that ends early, and one that is gone")
    func segment() async throws {
        try await withMail { store, fixture, inbox, file, places in
            #expect(truncate(file, off_t(places[2].offset + SegmentHeader.size + 2)) == 0)
            let last = try await store.open(inbox)[2].body
            #expect(try await store.verify { _ in }.map(\.place) == ["body \(last.value)"])
            await expectDamaged { try await store.read(last, 0..<5) }
        }
        try await withStorePath { path in
            try await withStore(path, options: inSegments) { store in
                let fixture = try await StoreFixture(store)
                try await fixture.append(["one", "two"], to: fixture.mailbox("INBOX").id)
            }
            for name in try segmentFiles(path) { unlink("\(path)/segments/\(name)") }
            let logged = Mutex<[String]>([])
            var options = SQLiteStore.Options()
            options.log = { message in logged.withLock { $0.append(message) } }
            try await withStore(path, options: options) { store in
                #expect(logged.withLock { $0.contains { $0.contains("missing") } })
                #expect(try await store.verify { _ in }.count == 2)
                let fixture = try await store.firstFixture()
                #expect(try await fixture.append(["three"], to: fixture.mailbox("INBOX").id) == [3])
            }
        }
    }

    @Test(
        "rows that contradict each other",
        arguments: [
            ("UPDATE mailbox SET messages = messages + 1 WHERE name = 'INBOX'", "messages are not as counted"),
            ("UPDATE mailbox SET unseen = 0 WHERE name = 'INBOX'", "unseen messages are not as counted"),
            ("UPDATE mailbox SET deleted = 1 WHERE name = 'INBOX'", "deleted messages are not as counted"),
            ("UPDATE mailbox SET size = 1 WHERE name = 'INBOX'", "octets are not as counted"),
            ("UPDATE mailbox SET uidnext = 3 WHERE name = 'INBOX'", "a UID is not below UIDNEXT"),
            ("UPDATE mailbox SET modseq = 1 WHERE name = 'INBOX'", "a MODSEQ is above the highest"),
            ("UPDATE message SET flags = 1 << 63 WHERE uid = 2", "a message has a keyword that is not known"),
            ("UPDATE message SET size = 99 WHERE uid = 2", "its size is not its body's length"),
            ("UPDATE body SET refs = 2", "it is not referred to as often as counted"),
            ("DELETE FROM message WHERE uid = 1", "it is not referred to as often as counted"),
            ("DELETE FROM body WHERE length = 3", "its body is missing"),
            ("UPDATE body SET length = -1 WHERE length = 3", "body"),
            ("UPDATE body SET length = 1 << 40, position = 1 << 62", "body"),
            ("UPDATE body SET position = 7 WHERE length = 3", "header"),
            ("UPDATE body SET summary = x'00' WHERE length = 3", "its summary"),
            ("UPDATE body SET summary_checksum = 1", "its summary"),
            ("UPDATE segment SET live = live - 1", "its live octets are not as counted"),
            ("DELETE FROM segment", "its segment is not known"),
            ("DELETE FROM credentials", "it has no credentials"),
            ("DELETE FROM account", "it belongs to no account"),
            ("DELETE FROM mailbox WHERE name = 'INBOX'", "it belongs to no mailbox"),
            ("UPDATE mailbox SET messages = -5 WHERE name = 'INBOX'", "messages are not as counted"),
            ("UPDATE mailbox SET uidvalidity = 1 << 40 WHERE name = 'INBOX'", "mailbox"),
            ("UPDATE mailbox SET uidvalidity = 0 WHERE name = 'INBOX'", "mailbox"),
        ])
    func rows(_ sql: String, _ problem: String) async throws {
        try await withMail { store, _, _, _, _ in
            #expect(try await store.verify { _ in } == [])
            try store.tamper(sql)
            #expect(try await store.verify { _ in }.contains { $0.description.contains(problem) })
        }
    }

    /// What a damaged page can hold: no constraint was asked.
    @Test(
        "values of another type, or far out of range, are errors",
        arguments: [
            "UPDATE mailbox SET messages = 'x', uidnext = x'00', modseq = 'y' WHERE name = 'INBOX'",
            "UPDATE mailbox SET uidvalidity = 'x'", "UPDATE mailbox SET name = x'ff' WHERE name = 'INBOX'",
            "UPDATE mailbox SET account = 'x'", "UPDATE mailbox SET special_use = x'ff01'",
            "UPDATE mailbox SET size = 1e300, recent = 'x', first_recent = 'x'",
            "UPDATE mailbox SET messages = 9223372036854775807, unseen = 9223372036854775807",
            "UPDATE mailbox SET size = 9223372036854775807, recent = 9223372036854775807",
            "UPDATE mailbox SET modseq = 9223372036854775807", "UPDATE mailbox SET first_recent = 1 << 62",
            "UPDATE mailbox SET uidnext = 9223372036854775807", "UPDATE mailbox SET deleted = 1 << 63",
            "UPDATE message SET flags = 'x', size = 'y', date = 'z', zone = x'00', body = 'b'",
            "UPDATE message SET size = 9223372036854775807", "UPDATE message SET size = 1e300",
            "UPDATE body SET segment = 'x'", "UPDATE body SET position = 'x', length = 'y'",
            "UPDATE body SET checksum = x'00'", "UPDATE body SET length = 9223372036854775807",
            "UPDATE body SET refs = 'x'",
            "UPDATE body SET summary = 5", "UPDATE segment SET live = 'x'", "UPDATE segment SET live = 1 << 63",
            "UPDATE segment SET sealed = 1, live = 'x'", "UPDATE segment SET sealed = 1, live = 9223372036854775807",
            "UPDATE account SET local = x'ff', disabled = 'x'", "UPDATE account SET domain = 5",
            "UPDATE credentials SET argon2id = x'ff', scram_iterations = 'x', scram_salt = 5",
            "UPDATE subscription SET name = x'ff' WHERE name = 'Sent'", "UPDATE domain SET name = x'ff'",
            "INSERT INTO keyword SELECT id, 'x', x'ff' FROM mailbox",
            "UPDATE meta SET value = 9223372036854775807", "UPDATE meta SET value = 'x'",
        ])
    func types(_ sql: String) async throws {
        try await withStorePath { path in
            let options = inSegments
            let account = try await withStore(path, options: options) { store in
                let fixture = try await StoreFixture(store)
                try await fixture.append(["one", "two two", "three"], to: fixture.mailbox("INBOX").id)
                try store.tamper(sql)
                return fixture.account
            }
            // It does not open, and says why; or it goes on serving what is whole.
            do {
                try await withStore(path, options: options) { store in
                    try await useAll(StoreFixture(store, account))
                    #expect(try await store.read { try Int.fetchOne($0, sql: "SELECT 1") } == 1)
                }
            } catch StoreError.damaged(let problem) {
                #expect(!problem.isEmpty)
            }
        }
    }

    /// Everything that reads rows, whatever it answers.
    private func useAll(_ fixture: StoreFixture) async throws {
        let (store, account) = (fixture.store, fixture.account)
        _ = try? await store.domains()
        _ = try? await store.accounts()
        _ = try? await store.account(account.address)
        _ = try? await store.credentials(of: account.id)
        _ = try? await store.mailboxes(of: account.id)
        _ = try? await store.subscriptions(of: account.id)
        _ = try? await fixture.create("new")
        _ = try? await fixture.rename("Sent", "gone")
        for number in Int64(1)...2 {
            let mailbox = MailboxID(number)
            if let snapshot = try? await store.open(mailbox), snapshot.count > 0 {
                _ = try? await store.read(snapshot[0].body, 0..<3)
                _ = try? await store.read([snapshot[0].body, snapshot[snapshot.count - 1].body])
                _ = try? await store.summaries([snapshot[0].body])
            }
            _ = try? await store.claimRecent(mailbox)
            _ = try? await fixture.append(["four"], to: mailbox)
            _ = try? await store.changeFlags(mailbox, uids(1...2), .add([.deleted]), unchangedSince: nil)
            _ = try? await store.copy(uids(1...2), from: mailbox, to: MailboxID(3))
            _ = try? await store.remove(uids(1...2), from: mailbox, onlyDeleted: false)
        }
        _ = try? await (store as? SQLiteStore)?.compact()
        _ = try? await store.verify { _ in }
    }

    @Test("progress ends at the total")
    func progress() async throws {
        try await withMail { store, _, _, _, _ in
            let last = Mutex<VerifyProgress?>(nil)
            _ = try await store.verify { progress in last.withLock { $0 = progress } }
            let end = try #require(last.withLock { $0 })
            #expect((end.checked, end.total) == (3, 3))
        }
    }

    private func expectDamaged<R>(_ body: () async throws -> R) async {
        await #expect {
            _ = try await body()
        } throws: { error in
            guard case StoreError.damaged = error else { return false }
            return true
        }
    }
}
