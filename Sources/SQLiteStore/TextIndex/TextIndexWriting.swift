import GRDB
import MailStore

// Writing: one caller at a time.

extension TextIndexFile {
    struct Signature: Sendable {
        var body: Int64
        /// `TextSignature.wordCount` words for each column.
        var columns: [UInt64]
    }

    /// What has been read of a mailbox.
    struct Addition: Sendable {
        var mailbox: Int64
        var account: Int64
        /// The UID up to which it has been.
        var uid: Int64
        var signatures: [Signature]
    }

    /// - Parameter now: seconds since 1970.
    func add(_ additions: [Addition], now: Int64) throws {
        try pool.write { db in
            for addition in additions {
                try db.write(
                    "INSERT INTO account (id, loose, erased) VALUES (?, 0, ?) ON CONFLICT (id) DO NOTHING",
                    [addition.account, now])
                try Self.addLoose(addition.signatures, addition.account, db)
                try db.write(
                    "INSERT OR REPLACE INTO mark (mailbox, uid) VALUES (?, ?)", [addition.mailbox, addition.uid])
            }
            if let highest = additions.lazy.flatMap(\.signatures).map(\.body).max() {
                try db.write(
                    """
                    INSERT INTO meta (value, key) VALUES (?, 'highest')
                    ON CONFLICT (key) DO UPDATE SET value = max(value, excluded.value)
                    """, [highest])
            }
            for account in Set(additions.map(\.account)) {
                while try Self.looseColumns(of: account, db) >= TextPack.width { try Self.pack(account, db) }
            }
        }
    }

    private static func addLoose(_ signatures: [Signature], _ account: Int64, _ db: Database) throws {
        var columns = 0
        for signature in signatures {
            try signature.columns.withUnsafeBytes { octets in
                try db.write(
                    "INSERT OR IGNORE INTO loose (account, body, checksum, columns) VALUES (?, ?, ?, ?)",
                    [account, signature.body, checksum(octets, account, signature.body)], octets)
            }
            if db.changesCount > 0 { columns += signature.columns.count / TextSignature.wordCount }
        }
        try count(columns, account, db)
    }

    private static func count(_ columns: Int, _ account: Int64, _ db: Database) throws {
        try db.write("UPDATE account SET loose = loose + ?1 WHERE id = ?2", [Int64(columns), account])
    }

    private static func looseColumns(of account: Int64, _ db: Database) throws -> Int {
        var columns = 0
        try db.forEachRecord("SELECT loose FROM account WHERE id = ?", [account]) { columns = Int($0.number(0)) }
        return columns
    }

    /// Packs as many of the account's loose bodies, lowest first, as a pack takes.
    private static func pack(_ account: Int64, _ db: Database) throws {
        var (entries, columns): ([PackDirectory.Entry], [UInt64]) = ([], [])
        columns.reserveCapacity(TextPack.width * TextSignature.wordCount)
        var isFull = false
        try forEachLoose(of: account, .min ... .max, limit: TextPack.width, db) { body, added in
            let words = added.count * TextSignature.wordCount
            isFull = isFull || columns.count + words > TextPack.width * TextSignature.wordCount
            guard !isFull else { return }
            entries.append(PackDirectory.Entry(body: body, columns: added.count))
            for column in added { columns += column }
        }
        guard let low = entries.first?.body, let high = entries.last?.body else {
            throw Unusable(reason: "signatures are not as counted")
        }
        try db.write(
            "INSERT INTO pack (account, low, high, bodies, checksum, directory) VALUES (?, ?, ?, 0, 0, x'')",
            [account, low, high])
        let directory = PackDirectory(number: db.lastInsertedRowID, entries: entries)
        try write(directory, account, db)
        try writeSlices(TextPack.rows(of: columns), directory, db)
        try db.write("DELETE FROM loose WHERE account = ? AND body BETWEEN ? AND ?", [account, low, high])
        try count(-directory.columnCount, account, db)
    }

    private static func write(_ directory: PackDirectory, _ account: Int64, _ db: Database) throws {
        try directory.encoded.withUnsafeBytes { octets in
            let checksum = checksum(octets, directory.number, account)
            try db.write(
                "UPDATE pack SET bodies = ?1, checksum = ?2, directory = ?4 WHERE number = ?3",
                [Int64(directory.liveBodies), checksum, directory.number], octets)
        }
    }

    private static func writeSlices(_ rows: [UInt64], _ directory: PackDirectory, _ db: Database) throws {
        let words = TextPack.wordsPerRow(directory.columnCount)
        try rows.map { $0.littleEndian }.withUnsafeBytes { octets in
            for row in 0..<TextSignature.rowCount {
                let id = directory.number * Int64(TextSignature.rowCount) + Int64(row)
                let slice = UnsafeRawBufferPointer(rebasing: octets[row * words * 8..<(row + 1) * words * 8])
                try db.write(
                    "INSERT OR REPLACE INTO slice (id, checksum, bits) VALUES (?, ?, ?)",
                    [id, checksum(slice, id, 0)], slice)
            }
        }
    }
}

// Erasing

extension TextIndexFile {
    /// Accounts, and when what was expunged was last taken out of each, in seconds since 1970.
    func accounts() throws -> [Int64: Int64] {
        try pool.read { db in
            var accounts: [Int64: Int64] = [:]
            try db.forEachRecord("SELECT id, erased FROM account", []) { accounts[$0.number(0)] = $0.number(1) }
            return accounts
        }
    }

    func packs(of account: Int64) throws -> [Int64] {
        try pool.read { db in
            var packs: [Int64] = []
            try db.forEachRecord("SELECT number FROM pack WHERE account = ?", [account]) { packs.append($0.number(0)) }
            return packs
        }
    }

    /// Takes loose bodies out that are not among these, which are ascending.
    func eraseLoose(of account: Int64, except alive: [Int64]) throws {
        try pool.write { db in
            var (dead, columns): ([Int64], Int) = ([], 0)
            try Self.forEachLoose(of: account, .min ... .max, db) { body, added in
                guard !alive.containsAscending(body) else { return }
                dead.append(body)
                columns += added.count
            }
            for body in dead { try db.write("DELETE FROM loose WHERE account = ? AND body = ?", [account, body]) }
            if columns > 0 { try Self.count(-columns, account, db) }
        }
    }

    /// The same for a pack. When less than half of it is left, that becomes loose again.
    func erase(_ pack: Int64, of account: Int64, except alive: [Int64]) throws {
        try pool.write { db in
            var directory = try Self.directory(pack, of: account, db)
            let live = directory.liveBodies
            for index in directory.entries.indices
            where directory.entries[index].body != 0 && !alive.containsAscending(directory.entries[index].body) {
                directory.entries[index].body = 0
            }
            guard directory.liveBodies < live else { return }
            let rows = try Self.rows(of: directory, db)
            if directory.liveColumns * 2 < directory.columnCount {
                try Self.unpack(directory, rows, account, db)
            } else {
                try Self.write(directory, account, db)
                try Self.writeSlices(rows, directory, db)
            }
        }
    }

    /// All rows, without the columns of what was erased.
    private static func rows(of directory: PackDirectory, _ db: Database) throws -> [UInt64] {
        let mask = directory.liveMask
        var rows: [UInt64] = []
        rows.reserveCapacity(TextSignature.rowCount * mask.count)
        for row in 0..<TextSignature.rowCount {
            try withSlice(directory.number, row, words: mask.count, db) { slice in
                for index in mask.indices { rows.append(UInt64(littleEndian: slice[index]) & mask[index]) }
            }
        }
        return rows
    }

    private static func unpack(
        _ directory: PackDirectory, _ rows: [UInt64], _ account: Int64, _ db: Database
    ) throws {
        let columns = TextPack.columns(of: rows, count: directory.columnCount)
        var signatures: [Signature] = []
        directory.forEachEntry { entry, range in
            guard entry.body != 0 else { return }
            let words = range.lowerBound * TextSignature.wordCount..<range.upperBound * TextSignature.wordCount
            signatures.append(Signature(body: entry.body, columns: Array(columns[words])))
        }
        try delete(directory.number, db)
        try addLoose(signatures, account, db)
    }

    private static func delete(_ pack: Int64, _ db: Database) throws {
        let first = pack * Int64(TextSignature.rowCount)
        try db.write("DELETE FROM slice WHERE id BETWEEN ? AND ?", [first, first + Int64(TextSignature.rowCount) - 1])
        try db.write("DELETE FROM pack WHERE number = ?", [pack])
    }

    func setErased(_ account: Int64, at time: Int64) throws {
        try pool.write { db in try db.write("UPDATE account SET erased = ?2 WHERE id = ?1", [account, time]) }
    }

    /// Forgets an account that is no more.
    func removeAccount(_ account: Int64) throws {
        for pack in try packs(of: account) { try pool.write { db in try Self.delete(pack, db) } }
        try pool.write { db in
            try db.write("DELETE FROM loose WHERE account = ?", [account])
            try db.write("DELETE FROM account WHERE id = ?", [account])
        }
    }

    /// Forgets mailboxes that are no more.
    func removeMarks(_ mailboxes: [Int64]) throws {
        guard !mailboxes.isEmpty else { return }
        try pool.write { db in
            for mailbox in mailboxes { try db.write("DELETE FROM mark WHERE mailbox = ?", [mailbox]) }
        }
    }

    /// What was overwritten goes from the write-ahead log, too.
    func checkpoint() throws { try pool.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) } }
}
