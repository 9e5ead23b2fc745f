import Foundation
import GRDB
import Glibc
import MailStore
import MailTestSupport
import MailVocabulary
import SMTPSyntax
import Testing

@testable import SQLiteStore

@Suite("The queue on a disk")
struct QueueTests {
    @Test("is there after a restart, with its turns; numbers are not given twice")
    func reopening() async throws {
        try await withStorePath { path in
            let ids = try await withStore(path) { store in
                let fixture = try await StoreFixture(store)
                for number in 0..<5 {
                    try await fixture.enqueue(fixture.queued("a\(number)", to: "x@one.net", submitter: AccountID(7)))
                }
                let ids = try await fixture.enqueue(fixture.queued("gone", to: "x@two.net"))
                try await fixture.settle(ids[0], at: "two.net", [0: .finished])
                #expect(try await fixture.due(3) == ["a0 one.net", "a1 one.net", "a2 one.net"])
                return ids
            }
            try await withStore(path) { store in
                let fixture = try await store.firstFixture()
                let next = try await fixture.enqueue(fixture.queued("b", to: "x@one.net", submitter: AccountID(8)))
                #expect(next[0] > ids[0])
                #expect(try await fixture.due(3) == ["a0 one.net", "a1 one.net", "b one.net"])
                try await fixture.expectSound()
            }
        }
    }

    @Test("bodies that only the queue refers to are settled, moved and freed as any")
    func bodies() async throws {
        try await withStorePath { path in
            var options = SQLiteStore.Options()
            options.segmentSize = 50_000
            options.parkedOctets = 3000
            options.compactionInterval = nil
            try await withStore(path, options: options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                var ids: [QueueID] = []
                for number in 0..<60 {
                    let text = "\(number) " + String(repeating: "x", count: 3000)
                    ids += try await fixture.enqueue(fixture.queued(text, to: "x@one.net"))
                    try await fixture.append([text], to: inbox)
                }
                try await fixture.expectSound()
                for id in ids where id.value % 4 != 0 { try await fixture.settle(id, at: "one.net", [0: .finished]) }
                _ = try await store.remove(uids(1...60), from: inbox, onlyDeleted: false)
                let before = try segmentFiles(path).count
                #expect(try await store.compact() > 0)
                #expect(try segmentFiles(path).count < before)
                try await fixture.expectSound()
                for detail in try await store.queuedMessages(QueueFilter(), after: nil, limit: 100) {
                    let body = try await store.read(detail.message.body, 0..<5000)
                    #expect(String(decoding: body, as: UTF8.self) == detail.message.identifier)
                }
                _ = try await store.changeQueue(ids, .drop)
                #expect(try await store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM body") } == 0)
                #expect(try await store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM parked") } == 0)
                try await fixture.expectSound()
            }
        }
    }

    @Test("on a full disk nothing is taken in, what is done is still noted, and notices wait")
    func fullDisk() async throws {
        try await withStorePath { path in
            let ids = try await withStore(path) { store in
                let fixture = try await StoreFixture(store)
                return try await fixture.enqueue(
                    fixture.queued("one", to: "a@one.net"), fixture.queued("two", to: "a@two.net"))
            }
            var options = SQLiteStore.Options()
            options.parkedOctets = 0
            options.files = .full
            options.log = { _ in }
            try await withStore(path, options: options) { store in
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                let message = try await fixture.message("in")
                await #expect(throws: StoreError.noSpace) {
                    try await store.accept(
                        [(inbox, [message])], queue: [fixture.queued(message.body, name: "in", to: ["a@one.net"])])
                }
                #expect(try await fixture.queueNames() == ["one", "two"])
                #expect(try await fixture.rows(inbox).isEmpty)
                try await fixture.settle(ids[0], at: "one.net", [0: .finished])
                try await fixture.settle(ids[1], at: "two.net", [0: .owes(.owesFailure)])
                let told = QueueSettlement(message: ids[1], recipients: [.init(0, .told(.owesFailure))])
                let notice = try await fixture.message("notice")
                await #expect(throws: StoreError.noSpace) {
                    try await store.settle(told, adding: [(inbox, [notice])], queue: [])
                }
                #expect(try await store.messagesOwingNotices(after: nil, limit: 9) == [ids[1]])
                try await fixture.expectSound()
            }
            try await withStore(path) { store in
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                let told = QueueSettlement(message: ids[1], recipients: [.init(0, .told(.owesFailure))])
                let notice = try await fixture.message("notice")
                #expect(try await store.settle(told, adding: [(inbox, [notice])], queue: []))
                #expect(try await fixture.texts(inbox) == ["notice"])
                #expect(try await store.queueCounts() == QueueCounts())
                try await fixture.expectSound()
            }
        }
    }

    @Test("what the scheduler asks is answered from indexes")
    func plans() async throws {
        try await withStorePath { path in
            try await withStore(path) { store in
                for query in QueueStatements.all {
                    let steps = try await store.read { db in
                        let arguments = [Int](repeating: 1, count: query.count { $0 == "?" })
                        return try Row.fetchAll(
                            db, sql: "EXPLAIN QUERY PLAN " + query, arguments: StatementArguments(arguments)
                        ).map { try $0.value(3) as String }
                    }
                    #expect(!steps.isEmpty)
                    #expect(steps.allSatisfy { $0.contains("INDEX queue_") }, "\(query): \(steps)")
                }
            }
        }
    }

    @Test(
        "damage is found",
        arguments: [
            "UPDATE queue_message SET body = 999", "UPDATE queue_message SET size = 1", "DELETE FROM queue_recipient",
            "DELETE FROM queue_message", "DELETE FROM queue_entry", "UPDATE queue_destination SET turn = 77",
            "DELETE FROM queue_destination", "UPDATE queue_entry SET state = 2", "UPDATE queue_recipient SET state = 3",
            "UPDATE queue_message SET hold = 'why'",
        ])
    func damage(_ sql: String) async throws {
        try await withStorePath { path in
            try await withStore(path) { store in
                let fixture = try await StoreFixture(store)
                try await fixture.enqueue(fixture.queued("one", to: "a@one.net", "b@two.net"))
                #expect(try await store.verify { _ in }.isEmpty)
                try store.tamper(sql)
                #expect(try await !store.verify { _ in }.isEmpty)
            }
        }
    }

    @Test(
        "values of another type, or far out of range, are errors",
        arguments: [
            "UPDATE queue_message SET sender_host = 'a b'", "UPDATE queue_message SET arrival = 'x', zone = 'y'",
            "UPDATE queue_message SET priority = 9223372036854775807, flags = 'x'",
            "UPDATE queue_message SET size = 'x'",
            "UPDATE queue_message SET deadline = 1, deadline_mode = 5, body_type = 'x', ret = 'y'",
            "UPDATE queue_recipient SET host = ''", "UPDATE queue_recipient SET state = 99",
            "UPDATE queue_recipient SET state = 'x'", "UPDATE queue_recipient SET notify = 300",
            "UPDATE queue_recipient SET last = 9223372036854775807", "UPDATE queue_entry SET due = 'x'",
            "UPDATE queue_entry SET turn = 9223372036854775807, rank = 'x'", "UPDATE queue_entry SET attempts = 1e300",
            "UPDATE queue_destination SET rank = 'x', turn = 'y'",
            "UPDATE queue_destination SET failures = 'x', retry = 0",
            "UPDATE queue_message SET identifier = x'ff'", "UPDATE queue_entry SET review = -9223372036854775808",
            "UPDATE queue_entry SET turn = 9223372036854775807; UPDATE queue_destination SET turn = 9223372036854775807",
        ])
    func wrongTypes(_ sql: String) async throws {
        try await withStorePath { path in
            try await withStore(path) { store in
                let fixture = try await StoreFixture(store)
                try await fixture.enqueue(fixture.queued("one", to: "a@one.net", "b@two.net"))
                try store.tamper(sql)
                await use(store, fixture)
            }
            let store = try? SQLiteStore(path: path)
            if let store { try await use(store, store.firstFixture()) }
            try await store?.close()
        }
    }

    /// Everything, whatever is thrown: only the process must not end.
    private func use(_ store: SQLiteStore, _ fixture: StoreFixture) async {
        _ = try? await fixture.due(now: .max)
        _ = try? await fixture.overdue(now: .max)
        _ = try? await store.nextQueueTime(after: 0)
        _ = try? await store.queueCounts()
        let all = try? await store.queuedMessages(QueueFilter(), after: nil, limit: 10)
        _ = try? await fixture.settle(QueueID(1), at: "one.net", [0: .stays], due: 1_000_300)
        _ = try? await fixture.enqueue(fixture.queued("two", to: "a@one.net"))
        _ = try? await store.changeQueue([QueueID(1)], .retry(now: .max))
        _ = try? await store.changeQueue([QueueID(1)], .drop)
        #expect((try? await store.verify { _ in }) != nil || all == nil || all?.isEmpty == false)
    }
}
