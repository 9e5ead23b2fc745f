import GRDB
import GRDBSQLite
import Glibc
import MailStore
import MessageFormat

// A database of its own, `search.sqlite`, so that indexing never delays a commit. Nothing in it is needed: it can be
// deleted at any time, and is thrown away and filled anew when anything about it is wrong.
//
// What comes is kept as it is, loose; when an account has some thousand columns, they are packed.

/// Which bodies of which account have been indexed, and their signatures.
final class TextIndexFile: Sendable {
    /// Why it cannot be used as it is.
    struct Unusable: Error {
        var reason: String
    }

    /// Of the tables, signatures and packs.
    static let version = 1_000 + TextFolding.version

    private static let tables = """
        -- 'highest': the highest body that was ever indexed.
        CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

        -- How far a mailbox has been read.
        CREATE TABLE mark (mailbox INTEGER PRIMARY KEY, uid INTEGER NOT NULL);

        -- loose: its columns that are not packed. erased: when what was expunged was last taken out, in seconds since 1970.
        CREATE TABLE account (id INTEGER PRIMARY KEY, loose INTEGER NOT NULL, erased INTEGER NOT NULL);

        -- A body's columns.
        CREATE TABLE loose (
            account INTEGER NOT NULL, body INTEGER NOT NULL, checksum INTEGER NOT NULL, columns BLOB NOT NULL,
            PRIMARY KEY (account, body)) WITHOUT ROWID;

        -- See PackDirectory. low, high: the lowest and highest body in it.
        CREATE TABLE pack (
            number INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL,
            low INTEGER NOT NULL, high INTEGER NOT NULL, bodies INTEGER NOT NULL,
            checksum INTEGER NOT NULL, directory BLOB NOT NULL);
        CREATE INDEX pack_by_account ON pack (account, low, high);

        -- A row of a pack; id is the pack's number * 4096 + the row.
        CREATE TABLE slice (id INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, bits BLOB NOT NULL);
        """

    let pool: DatabasePool

    /// - Parameter nextBody: the first number that no body has. Where the index knows higher ones, the mail is an older
    ///   copy than the index, which may be about other bodies of the same numbers.
    init(_ path: String, nextBody: Int64) throws {
        var configuration = Configuration()
        configuration.maximumReaderCount = 4
        configuration.label = "store.text"
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            // What is erased is overwritten: traces of expunged mail do not stay.
            try db.execute(
                sql: """
                    PRAGMA page_size = 8192; PRAGMA cache_size = -4096; PRAGMA secure_delete = ON;
                    PRAGMA temp_store = MEMORY
                    """)
        }
        _ = try OpenFile(path, O_RDWR | O_CREAT)
        pool = try DatabasePool(path: path, configuration: configuration)
        try pool.writeWithoutTransaction { db in
            try db.execute(
                sql: """
                    PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 16777216
                    """)
            let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
            if version == 0 {
                try db.inTransaction {
                    try db.execute(sql: Self.tables)
                    try db.execute(sql: "PRAGMA user_version = \(Self.version)")
                    return .commit
                }
            } else if version != Self.version {
                throw Unusable(reason: "made by another release")
            }
            let highest = try Int64.fetchOne(db, sql: "SELECT value FROM meta WHERE key = 'highest'") ?? 0
            guard highest < nextBody else { throw Unusable(reason: "newer than the mail") }
        }
    }

    static func remove(_ path: String) {
        for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
    }

    func close() { try? pool.close() }

    /// Of a record's octets, its place and this version: a record that stands where another was written is damage, too.
    static func checksum(_ octets: UnsafeRawBufferPointer, _ first: Int64, _ second: Int64) -> Int64 {
        func mixed(_ number: Int64, _ salt: UInt64) -> UInt64 {
            var x = (UInt64(bitPattern: number) &+ salt) &* 0xBF58_476D_1CE4_E5B9
            x = (x ^ (x >> 31)) &* 0x94D0_49BB_1331_11EB
            return x ^ (x >> 29)
        }
        return Int64(
            bitPattern: Checksum.of(octets) ^ mixed(first, UInt64(Self.version)) ^ mixed(second, 0x9E37_79B9_7F4A_7C15))
    }

    // Marks

    func mark(of mailbox: Int64) throws -> Int64 {
        try pool.read { db in
            let select = try db.cachedStatement(sql: "SELECT uid FROM mark WHERE mailbox = ?")
            return try Int64.fetchOne(select, arguments: [mailbox]) ?? 0
        }
    }

    func marks() throws -> [Int64: Int64] {
        try pool.read { db in
            var marks: [Int64: Int64] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT mailbox, uid FROM mark") {
                marks[try row.value(0)] = try row.value(1)
            }
            return marks
        }
    }
}

// Reading

extension TextIndexFile {
    /// Of an account's bodies, given in ascending order, those that certainly lack one of the rows; in no order.
    /// Throws `Unusable` where something is not as it was written.
    func excluded(_ rows: [Int], account: Int64, among bodies: [Int64]) throws -> [Int64] {
        guard let low = bodies.first, let high = bodies.last else { return [] }
        return try pool.read { db in
            var excluded: [Int64] = []
            for number in try Self.packs(of: account, around: bodies, db) {
                let directory = try Self.directory(number, of: account, db)
                directory.appendExcluded(try Self.matches(rows, directory, db), to: &excluded)
            }
            try Self.forEachLoose(of: account, low...high, db) { body, columns in
                let isMatch = columns.contains { column in
                    rows.allSatisfy { column[$0 &>> 6] &>> UInt64($0 & 63) & 1 != 0 }
                }
                if !isMatch { excluded.append(body) }
            }
            return excluded
        }
    }

    /// Those that may have some of the bodies, given in ascending order.
    private static func packs(of account: Int64, around bodies: [Int64], _ db: Database) throws -> [Int64] {
        guard let low = bodies.first, let high = bodies.last else { return [] }
        let select = try db.cachedStatement(
            sql: "SELECT number, low, high FROM pack WHERE account = ? AND low <= ? AND high >= ? ORDER BY low")
        return try Row.fetchAll(select, arguments: [account, high, low]).compactMap { row in
            let (number, low, high) = (try row.value(0) as Int64, try row.value(1) as Int64, try row.value(2) as Int64)
            let next = bodies.ascendingIndex(of: low)
            return next < bodies.count && bodies[next] <= high ? number : nil
        }
    }

    static func directory(_ number: Int64, of account: Int64, _ db: Database) throws -> PackDirectory {
        var found: PackDirectory?
        try db.forEachRecord("SELECT checksum, directory FROM pack WHERE number = ?", [number]) { record in
            let octets = record.octets(1)
            guard record.number(0) == checksum(octets, number, account) else { return }
            found = PackDirectory(number: number, octets)
        }
        guard let found else { throw Unusable(reason: "the directory of pack \(number) is damaged") }
        return found
    }

    /// The columns that have all the rows, as bits.
    private static func matches(_ rows: [Int], _ directory: PackDirectory, _ db: Database) throws -> [UInt64] {
        var matches = directory.liveMask
        for row in rows {
            var any: UInt64 = 0
            try withSlice(directory.number, row, words: matches.count, db) { slice in
                for index in matches.indices {
                    matches[index] &= UInt64(littleEndian: slice[index])
                    any |= matches[index]
                }
            }
            if any == 0 { break }
        }
        return matches
    }

    /// A pack's row, little-endian.
    static func withSlice(
        _ number: Int64, _ row: Int, words: Int, _ db: Database, _ visit: (UnsafeBufferPointer<UInt64>) -> Void
    ) throws {
        let id = number * Int64(TextSignature.rowCount) + Int64(row)
        var isThere = false
        try db.forEachRecord("SELECT checksum, bits FROM slice WHERE id = ?", [id]) { record in
            let octets = record.octets(1)
            guard octets.count == words * 8, record.number(0) == checksum(octets, id, 0) else { return }
            isThere = true
            octets.withAlignedWords(visit)
        }
        guard isThere else { throw Unusable(reason: "row \(row) of pack \(number) is damaged") }
    }

    /// Visits an account's loose bodies, ascending: a body's columns, each so many words.
    static func forEachLoose(
        of account: Int64, _ bodies: ClosedRange<Int64>, limit: Int = -1, _ db: Database,
        _ visit: (Int64, [UnsafeBufferPointer<UInt64>]) throws -> Void
    ) throws {
        let sql = """
            SELECT body, checksum, columns FROM loose WHERE account = ? AND body BETWEEN ? AND ? ORDER BY body LIMIT ?
            """
        let octetsPerColumn = TextSignature.wordCount * 8
        try db.forEachRecord(sql, [account, bodies.lowerBound, bodies.upperBound, Int64(limit)]) { record in
            let (body, octets) = (record.number(0), record.octets(2))
            guard record.number(1) == checksum(octets, account, body), octets.count.isMultiple(of: octetsPerColumn),
                !octets.isEmpty
            else { throw Unusable(reason: "the signature of body \(body) is damaged") }
            try octets.withAlignedWords { words in
                try visit(
                    body,
                    stride(from: 0, to: words.count, by: TextSignature.wordCount).map {
                        UnsafeBufferPointer(rebasing: words[$0..<$0 + TextSignature.wordCount])
                    })
            }
        }
    }

    /// Of bodies, given in ascending order, those that are indexed for the account.
    func known(_ bodies: [Int64], in account: Int64) throws -> Set<Int64> {
        try pool.read { db in
            var known: Set<Int64> = []
            for body in bodies {
                let sql = "SELECT 1 FROM loose WHERE account = ? AND body = ?"
                try db.forEachRecord(sql, [account, body]) { _ in known.insert(body) }
            }
            guard known.count < bodies.count else { return known }
            let wanted = Set(bodies)
            for number in try Self.packs(of: account, around: bodies, db) {
                for entry in try Self.directory(number, of: account, db).entries where wanted.contains(entry.body) {
                    known.insert(entry.body)
                }
            }
            return known
        }
    }
}

extension [Int64] {
    /// In ascending numbers: where the first stands that is not lower.
    func ascendingIndex(of number: Int64) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Of ascending numbers.
    func containsAscending(_ number: Int64) -> Bool {
        let index = ascendingIndex(of: number)
        return index < count && self[index] == number
    }
}

extension UnsafeRawBufferPointer {
    /// SQLite aligns blobs in its own memory, but not those in a page.
    fileprivate func withAlignedWords<R>(_ visit: (UnsafeBufferPointer<UInt64>) throws -> R) rethrows -> R {
        guard let start = baseAddress, Int(bitPattern: start) % 8 != 0 else {
            return try visit(bindMemory(to: UInt64.self))
        }
        return try withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { copy in
            copy.copyMemory(from: self)
            return try visit(UnsafeBufferPointer(copy.bindMemory(to: UInt64.self)))
        }
    }
}
