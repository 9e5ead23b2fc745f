import GRDB
import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import SQLiteStore

@Suite("Small bodies wait in the database")
struct ParkingTests {
    private func parked(_ store: SQLiteStore) async throws -> Int {
        try await store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM parked") ?? 0 }
    }

    @Test("until there are enough of them; they are read the same, before and after, and over a restart")
    func settles() async throws {
        var options = SQLiteStore.Options()
        options.parkedOctets = 10_000
        try await withStorePath { path in
            let texts = (0..<30).map { "\($0) " + String(repeating: "p", count: 900) }
            try await withStore(path, options: options) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                for (number, text) in texts.enumerated() {
                    try await fixture.append([text], to: inbox)
                    if number == 5 {
                        #expect(try await parked(store) == 6)
                        #expect(try segmentFiles(path).isEmpty)
                    }
                }
                #expect(try await (1..<15).contains(parked(store)))
                #expect(try segmentFiles(path).count == 1)
                #expect(try await fixture.texts(inbox) == texts)
                let row = try await store.open(inbox)[29]
                #expect(try await store.read(row.body, 3..<8) == Array("ppppp".utf8))
                try await fixture.expectSound()
            }
            try await withStore(path, options: options) { store in
                let fixture = try await store.firstFixture()
                let inbox = try await fixture.mailbox("INBOX").id
                #expect(try await fixture.texts(inbox) == texts)
                try await fixture.append(Array(repeating: "many", count: 20), to: inbox)
                try await fixture.append([texts[0]], to: inbox)
                try await fixture.expectSound()
            }
        }
    }

    @Test("and go with their last message")
    func released() async throws {
        try await withStorePath { path in
            try await withStore(path) { store in
                let fixture = try await StoreFixture(store)
                let (inbox, sent) = (try await fixture.mailbox("INBOX").id, try await fixture.mailbox("Sent").id)
                for text in ["one", "two", "three"] { try await fixture.append([text], to: inbox) }
                _ = try await store.copy(uids(2...2), from: inbox, to: sent)
                _ = try await store.remove(uids(1...3), from: inbox, onlyDeleted: false)
                #expect(try await parked(store) == 1)
                #expect(try await fixture.texts(sent) == ["two"])
                try await fixture.expectSound()
                _ = try await store.remove(uids(1...1), from: sent, onlyDeleted: false)
                #expect(try await parked(store) == 0)
                try await fixture.expectSound()
            }
        }
    }

    @Test(
        "damage to them is found",
        arguments: ["UPDATE parked SET content = x'00'", "DELETE FROM parked", "UPDATE parked SET id = id + 1000"])
    func damage(_ sql: String) async throws {
        try await withStorePath { path in
            try await withStore(path) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append(["one"], to: inbox)
                try store.tamper(sql)
                #expect(try await !store.verify { _ in }.isEmpty)
                let body = try await store.open(inbox)[0].body
                await #expect(throws: StoreError.self) { try await store.read(body, 0..<3) }
            }
        }
    }
}
