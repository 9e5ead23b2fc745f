import GRDB
import GRDBSQLite
import MailStore
import MailVocabulary

// Rows as values. Hot ones are read by column number.

struct FoundBody: Sendable {
    var place: BodyPlace
    var content: [UInt8]?
}

extension Row {
    /// A damaged database may have text where a number was: GRDB's own subscripts would end the process.
    func value<T: DatabaseValueConvertible & StatementColumnConvertible>(_ column: Int) throws -> T {
        try decode(T.self, atIndex: column)
    }
}

enum RowReader {
    static let mailboxColumns = """
        mailbox.id, mailbox.account, mailbox.name, uidvalidity, special_use, uidnext, modseq, messages, unseen, \
        deleted, mailbox.size, recent, first_recent, deleted_size
        """

    static func mailbox(_ row: Row, isSubscribed: Bool = false) throws -> Mailbox {
        let name: String = try row.value(2)
        let uidValidity = UInt32(exactly: try row.value(3) as Int64)
        let use: String? = try row.value(4)
        guard let name = MailboxName(name), let uidValidity = uidValidity.flatMap(UIDValidity.init) else {
            throw StoreError.damaged("mailbox \(try row.value(0) as Int64): its name or UIDVALIDITY is none")
        }
        return Mailbox(
            id: MailboxID(try row.value(0)), account: AccountID(try row.value(1)), name: name, uidValidity: uidValidity,
            specialUse: use.flatMap(SpecialUse.init(rawValue:)), isSubscribed: isSubscribed,
            uidNext: UInt64(clamping: try row.value(5) as Int64),
            highestModSeq: ModSeq(UInt64(clamping: try row.value(6) as Int64)),
            messageCount: try row.value(7), unseenCount: try row.value(8), deletedCount: try row.value(9),
            recentCount: try row.value(11),
            size: UInt64(clamping: try row.value(10) as Int64),
            deletedSize: UInt64(clamping: try row.value(13) as Int64))
    }

    /// Without rows. Throws `noSuchMailbox`.
    static func state(_ id: MailboxID, _ db: Database) throws -> MailboxState {
        let select = try db.cachedStatement(sql: "SELECT \(mailboxColumns) FROM mailbox WHERE id = ?")
        guard let row = try Row.fetchOne(select, arguments: [id.value]) else { throw StoreError.noSuchMailbox }
        let keywords = try db.cachedStatement(sql: "SELECT name FROM keyword WHERE mailbox = ? ORDER BY number")
        let names = try String.fetchAll(keywords, arguments: [id.value]).map { name in
            guard let keyword = Keyword(name) else { throw StoreError.damaged("mailbox \(id.value): a keyword") }
            return keyword
        }
        return MailboxState(
            record: try mailbox(row), keywords: KeywordTable(names),
            firstRecent: UInt64(clamping: try row.value(12) as Int64))
    }

    /// As they are in the database, from a UID on: flag changes that are still to be folded into them are missing.
    /// Stepped by SQLite's own functions: a hundred thousand rows are read while someone waits for SELECT.
    static func rows(
        of mailbox: MailboxID, from uid: Int64, limit: Int = .max, expecting count: Int = 0, _ db: Database
    ) throws -> [MessageRow] {
        let select = try db.cachedStatement(
            sql: """
                SELECT uid, flags, modseq, size, date, zone, saved, body, thread FROM message
                WHERE mailbox = ? AND uid >= ? ORDER BY uid LIMIT ?
                """)
        try select.setArguments([mailbox.value, uid, limit])
        var rows: [MessageRow] = []
        // A counter may be damaged; rows are what counts.
        rows.reserveCapacity(min(max(count, 0), 1 << 20))
        let statement = select.sqliteStatement
        defer { sqlite3_reset(statement) }
        var code = sqlite3_step(statement)
        while code == SQLITE_ROW {
            guard let row = message(statement) else {
                throw StoreError.damaged("mailbox \(mailbox.value): a UID is none")
            }
            rows.append(row)
            code = sqlite3_step(statement)
        }
        guard code == SQLITE_DONE else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
        return rows
    }

    private static func message(_ statement: OpaquePointer) -> MessageRow? {
        guard let uid = UInt32(exactly: sqlite3_column_int64(statement, 0)).flatMap({ UID($0) }) else { return nil }
        return MessageRow(
            uid: uid, flags: FlagBits(rawValue: UInt64(bitPattern: sqlite3_column_int64(statement, 1))),
            modSeq: ModSeq(UInt64(bitPattern: sqlite3_column_int64(statement, 2))),
            size: UInt32(truncatingIfNeeded: sqlite3_column_int64(statement, 3)),
            internalDate: Timestamp(
                seconds: sqlite3_column_int64(statement, 4),
                zoneMinutes: Int16(truncatingIfNeeded: sqlite3_column_int(statement, 5))),
            savedDate: UInt32(truncatingIfNeeded: sqlite3_column_int64(statement, 6)),
            body: BodyID(sqlite3_column_int64(statement, 7)), thread: ThreadID(sqlite3_column_int64(statement, 8)))
    }

    static func place(_ body: BodyID, _ db: Database) throws -> BodyPlace? {
        let select = try db.cachedStatement(
            sql: "SELECT segment, position, length, checksum FROM body WHERE id = ?")
        return try Row.fetchOne(select, arguments: [body.value]).map { row in
            BodyPlace(
                stored: try row.value(0), try row.value(1), try row.value(2), try row.value(3))
        }
    }

    /// With its octets, when they are in the database.
    static func found(_ body: BodyID, _ db: Database) throws -> FoundBody? {
        guard let place = try place(body, db) else { return nil }
        let content = place.segment == BodyPlace.parked ? try ParkedBodies.content(body, db) : nil
        return FoundBody(place: place, content: content)
    }

    /// The same for many, a run of numbers at once. Nil for those that are gone.
    static func found(_ bodies: [BodyID], _ db: Database) throws -> [FoundBody?] {
        guard bodies.count > 1 else { return try bodies.map { try found($0, db) } }
        let select = try db.cachedStatement(
            sql: "SELECT id, segment, position, length, checksum FROM body WHERE id BETWEEN ? AND ?")
        var known: [BodyID: FoundBody] = [:]
        known.reserveCapacity(bodies.count)
        try BodyRuns.forEach(bodies) { run in
            let cursor = try Row.fetchCursor(select, arguments: [run.lowerBound, run.upperBound])
            while let row = try cursor.next() {
                let id = BodyID(try row.value(0))
                let place = BodyPlace(
                    stored: try row.value(1), try row.value(2), try row.value(3), try row.value(4))
                let content = place.segment == BodyPlace.parked ? try ParkedBodies.content(id, db) : nil
                known[id] = FoundBody(place: place, content: content)
            }
        }
        return bodies.map { known[$0] }
    }

    /// In the order asked, nil for those that are gone, until `limit` octets have come. A stretch of neighbours is one
    /// query, stepped by SQLite's own functions: ENVELOPE and SEARCH ask for every message of a mailbox.
    static func summaries(_ bodies: [BodyID], upTo limit: Int, _ db: Database) throws -> PackedSummaries {
        let select = try db.cachedStatement(
            sql: "SELECT id, summary, summary_checksum FROM body WHERE id BETWEEN ? AND ? ORDER BY id")
        var summaries = PackedSummaries()
        summaries.reserveCapacity(bodies.count)
        while summaries.count < bodies.count, summaries.octetCount < limit {
            let start = summaries.count
            let first = bodies[start].value
            var end = start + 1
            while end < bodies.count, bodies[end].value == first + Int64(end - start) { end += 1 }
            let isWhole = try readSummaries(first...first + Int64(end - start - 1), select) { id, summary in
                for _ in summaries.count..<start + Int(id - first) { summaries.appendGone() }
                summaries.append(summary)
                return summaries.octetCount < limit
            }
            if isWhole { for _ in summaries.count..<end { summaries.appendGone() } }
        }
        return summaries
    }

    /// Ascending by number, until `take` says that it is enough: then the answer is false.
    private static func readSummaries(
        _ run: ClosedRange<Int64>, _ select: Statement, _ take: (Int64, UnsafeRawBufferPointer) -> Bool
    ) throws -> Bool {
        try select.setArguments([run.lowerBound, run.upperBound])
        let statement = select.sqliteStatement
        defer { sqlite3_reset(statement) }
        var code = sqlite3_step(statement)
        while code == SQLITE_ROW {
            let octets = UnsafeRawBufferPointer(
                start: sqlite3_column_blob(statement, 1), count: Int(sqlite3_column_bytes(statement, 1)))
            guard UInt64(bitPattern: sqlite3_column_int64(statement, 2)) == Checksum.of(octets) else {
                throw StoreError.damaged("body \(sqlite3_column_int64(statement, 0)): its summary")
            }
            guard take(sqlite3_column_int64(statement, 0), octets) else { return false }
            code = sqlite3_step(statement)
        }
        guard code == SQLITE_DONE else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
        return true
    }

    static func account(_ row: Row) throws -> Account {
        let domain: String = try row.value(2)
        guard let domain = Domain(domain) else {
            throw StoreError.damaged("account \(try row.value(0) as Int64): its domain")
        }
        return Account(
            id: AccountID(try row.value(0)), address: Address(localPart: try row.value(1), domain: domain),
            isDisabled: try row.value(3), isAdministrator: try row.value(4))
    }
}
