import GRDB
import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import SQLiteStore

@Suite("What is shared with someone is found by indexes")
struct AccessPlanTests {
    @Test("no table is walked") func plan() async throws {
        try await withStorePath { path in
            try await withStore(path) { store in
                let joe = try await StoreFixture(store)
                for query in [SQLiteStore.shared, SQLiteStore.rightsOnMailbox, SQLiteStore.inferiors] {
                    let steps = try await store.read { db in
                        try Row.fetchAll(
                            db, sql: "EXPLAIN QUERY PLAN " + query,
                            arguments: StatementArguments(
                                [joe.account.id.value, 1].prefix(query.contains("?2") ? 2 : 1))
                        )
                        .map { try $0.value(3) as String }
                    }
                    #expect(!steps.isEmpty)
                    #expect(!steps.contains { $0.hasPrefix("SCAN") }, "\(steps)")
                }
            }
        }
    }
}
