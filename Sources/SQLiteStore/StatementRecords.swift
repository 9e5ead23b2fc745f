import GRDB
import GRDBSQLite

// SQLite's own functions, for statements that are run thousands of times: boxing rows and arguments took longer than
// reading them.

/// The row that a statement stands on; valid during the visit.
struct StatementRecord {
    fileprivate let statement: OpaquePointer

    func number(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

    func octets(_ column: Int32) -> UnsafeRawBufferPointer {
        let start = sqlite3_column_blob(statement, column)
        return UnsafeRawBufferPointer(
            start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(statement, column)))
    }
}

extension Database {
    func forEachRecord(_ sql: String, _ numbers: [Int64], _ visit: (StatementRecord) throws -> Void) throws {
        let statement = try cachedStatement(sql: sql).sqliteStatement
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, number) in numbers.enumerated() { sqlite3_bind_int64(statement, Int32(index + 1), number) }
        var code = sqlite3_step(statement)
        while code == SQLITE_ROW {
            try visit(StatementRecord(statement: statement))
            code = sqlite3_step(statement)
        }
        guard code == SQLITE_DONE else { throw lastFailure() }
    }

    /// Binds the numbers in order, then the octets, and runs to the end. The statement returns no rows.
    func write(_ sql: String, _ numbers: [Int64], _ octets: UnsafeRawBufferPointer? = nil) throws {
        let statement = try cachedStatement(sql: sql).sqliteStatement
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, number) in numbers.enumerated() { sqlite3_bind_int64(statement, Int32(index + 1), number) }
        if let octets {
            let place = Int32(numbers.count + 1)
            // They stay where they are until the statement has run; no octets are an empty blob, not NULL.
            if let start = octets.baseAddress, !octets.isEmpty {
                sqlite3_bind_blob64(statement, place, start, UInt64(octets.count), nil)
            } else {
                sqlite3_bind_zeroblob(statement, place, 0)
            }
        }
        guard sqlite3_step(statement) == SQLITE_DONE else { throw lastFailure() }
    }

    private func lastFailure() -> DatabaseError {
        DatabaseError(
            resultCode: ResultCode(rawValue: sqlite3_extended_errcode(sqliteConnection)),
            message: sqlite3_errmsg(sqliteConnection).map { String(cString: $0) })
    }
}
