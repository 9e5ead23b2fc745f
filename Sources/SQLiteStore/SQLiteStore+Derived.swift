import GRDB
import Glibc
package import MailStore
import MailVocabulary

// Derived data: a file for each piece, as it was given. The database names it by its checksum, so that a file which is
// torn, damaged, or of another history (of a database that was put back from a backup) is none. Files are not synced.
//
// What is gone must not be kept for ever in what was made from it: a file that was written more than a day ago and is
// about a message that has been removed since then is dropped.

/// A file of derived data, as the database names it.
struct DerivedFile: Sendable {
    var mailbox: MailboxID
    var name: String
    var modSeq: ModSeq
    var through: UInt32
    var checksum: UInt64

    func path(in directory: StoreDirectory) -> String { directory.derived(mailbox, name, checksum) }
}

extension SQLiteStore {
    /// Octets of one file: what reading it takes of memory.
    static let derivedLimit = 128 << 20

    package func derived(_ name: DerivedName, of mailbox: MailboxID) async -> DerivedData? {
        try? await readers.run { [pool, directory] in
            let found = try pool.read { db in try RowReader.derivedFile(name, of: mailbox, db) }
            guard let (file, uidValidity) = found, let octets = SQLiteStore.octets(of: file, in: directory) else {
                return nil
            }
            return DerivedData(uidValidity: uidValidity, modSeq: file.modSeq, through: file.through, octets: octets)
        }
    }

    package func keepDerived(_ data: DerivedData, as name: DerivedName, of mailbox: MailboxID) async {
        guard data.octets.count <= Self.derivedLimit else { return }
        // What cannot be written is no loss.
        guard let file = try? await upkeep.pool.run({ [self] in try write(data, as: name, of: mailbox) }) else {
            return
        }
        do {
            let old = try await committer.commit { transaction, _ in
                try transaction.adoptDerived(file, data.uidValidity)
            }
            if let old, old != file.checksum { unlink(directory.derived(mailbox, name.text, old)) }
        } catch {
            unlink(file.path(in: directory))
        }
    }

    private func write(_ data: DerivedData, as name: DerivedName, of mailbox: MailboxID) throws -> DerivedFile {
        let file = DerivedFile(
            mailbox: mailbox, name: name.text, modSeq: data.modSeq, through: data.through,
            checksum: data.octets.withUnsafeBytes { Checksum.of($0) })
        try staging.files.replace(file.path(in: directory), with: data.octets)
        return file
    }

    /// Nil when the file is not there, or not what was written.
    private static func octets(of file: DerivedFile, in directory: StoreDirectory) -> [UInt8]? {
        guard let open = try? OpenFile(file.path(in: directory), O_RDONLY), let size = try? open.size(),
            (0...derivedLimit).contains(size)
        else { return nil }
        var isWhole = false
        let octets = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            let room = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<size])
            isWhole = (try? open.read(into: room, at: 0)) == true
            count = isWhole ? size : 0
        }
        guard isWhole, octets.withUnsafeBytes({ Checksum.of($0) }) == file.checksum else { return nil }
        return octets
    }

    // Upkeep

    /// Drops what has held something of removed messages for too long.
    func dropOutdatedDerived() async throws {
        let now = Int64(now())
        let outdated = try await read { [upkeep] db in
            let age = now - Int64(upkeep.limits.outdatedAfter)
            return try RowReader.derivedFiles(writtenBefore: age, orAfter: now, db).filter { file in
                try RowReader.removals(in: file.mailbox, since: file.modSeq, db).contains { removal in
                    removal.uids.map { ($0.min ?? .max) <= file.through } ?? true
                }
            }
        }
        try await drop(outdated)
    }

    func dropDamagedDerived() async throws {
        let all = try await read { db in try RowReader.derivedFiles(db) }
        var damaged: [DerivedFile] = []
        for file in all {
            let isRight = try await readers.run { [directory] in SQLiteStore.octets(of: file, in: directory) != nil }
            if !isRight { damaged.append(file) }
        }
        try await drop(damaged)
    }

    private func drop(_ files: [DerivedFile]) async throws {
        guard !files.isEmpty else { return }
        try await committer.commit { transaction, _ in
            for file in files { try transaction.dropDerived(file) }
        }
    }

    /// What a crash left beside the files that the database knows.
    static func removeUnknownDerived(_ directory: StoreDirectory, _ pool: DatabasePool) throws {
        let names = try StoreDirectory.names(in: directory.derived)
        guard !names.isEmpty else { return }
        let known = try pool.read { db in try RowReader.derivedFiles(db).map { $0.path(in: directory) } }
        for orphan in Set(names.map { "\(directory.derived)/\($0)" }).subtracting(known) { unlink(orphan) }
    }
}

extension RowReader {
    private static let derivedColumns = "d.mailbox, d.name, d.modseq, d.through, d.checksum"

    /// Nil as well when the mailbox has not come so far, or is another by UIDVALIDITY.
    static func derivedFile(
        _ name: DerivedName, of mailbox: MailboxID, _ db: Database
    ) throws -> (DerivedFile, UIDValidity)? {
        let select = try db.cachedStatement(
            sql: """
                SELECT \(derivedColumns), d.uidvalidity FROM derived_file d JOIN mailbox m ON m.id = d.mailbox
                WHERE d.mailbox = ? AND d.name = ? AND d.uidvalidity = m.uidvalidity AND d.modseq <= m.modseq
                AND d.through < m.uidnext
                """)
        guard let row = try Row.fetchOne(select, arguments: [mailbox.value, name.text]),
            let file = derivedFile(row), let value = try? row.value(5) as Int64,
            let uidValidity = UInt32(exactly: value).flatMap(UIDValidity.init)
        else { return nil }
        return (file, uidValidity)
    }

    static func derivedFiles(_ db: Database) throws -> [DerivedFile] {
        try Row.fetchAll(db, sql: "SELECT \(derivedColumns) FROM derived_file d").compactMap(derivedFile)
    }

    /// Of mailboxes that have lost messages since. A clock may have been wrong when they were written.
    static func derivedFiles(writtenBefore old: Int64, orAfter now: Int64, _ db: Database) throws -> [DerivedFile] {
        let select = try db.cachedStatement(
            sql: """
                SELECT \(derivedColumns) FROM derived_file d WHERE NOT d.written BETWEEN ? AND ?
                AND EXISTS (SELECT 1 FROM expunged e WHERE e.mailbox = d.mailbox AND e.modseq > d.modseq)
                """)
        return try Row.fetchAll(select, arguments: [old, now]).compactMap(derivedFile)
    }

    /// What is damaged is none.
    private static func derivedFile(_ row: Row) -> DerivedFile? {
        guard let mailbox = try? row.value(0) as Int64, let name = try? row.value(1) as String,
            let modSeq = try? row.value(2) as Int64, let through = try? row.value(3) as Int64,
            let checksum = try? row.value(4) as Int64, DerivedName(name) != nil
        else { return nil }
        return DerivedFile(
            mailbox: MailboxID(mailbox), name: name, modSeq: ModSeq(UInt64(clamping: modSeq)),
            through: UInt32(clamping: through), checksum: UInt64(bitPattern: checksum))
    }
}

extension WriteTransaction {
    /// The file belongs to the mailbox from now on. Returns the checksum of the one that did. Throws `noSuchMailbox`,
    /// also when the mailbox has got another UIDVALIDITY.
    func adoptDerived(_ file: DerivedFile, _ uidValidity: UIDValidity) throws -> UInt64? {
        guard try draft(file.mailbox).state.record.uidValidity == uidValidity else { throw StoreError.noSuchMailbox }
        let select = try db.cachedStatement(sql: "SELECT checksum FROM derived_file WHERE mailbox = ? AND name = ?")
        let old = try Row.fetchOne(select, arguments: [file.mailbox.value, file.name]).flatMap { row in
            (try? row.value(0) as Int64).map { UInt64(bitPattern: $0) }
        }
        try execute(
            """
            INSERT OR REPLACE INTO derived_file (mailbox, name, uidvalidity, modseq, through, checksum, written)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                file.mailbox.value, file.name, Int64(uidValidity.value), Int64(clamping: file.modSeq.value),
                Int64(file.through), Int64(bitPattern: file.checksum), Int64(rules.now()),
            ])
        return old
    }

    /// Unless another has taken its place.
    func dropDerived(_ file: DerivedFile) throws {
        try execute(
            "DELETE FROM derived_file WHERE mailbox = ? AND name = ? AND checksum = ?",
            [file.mailbox.value, file.name, Int64(bitPattern: file.checksum)])
        if db.changesCount > 0 { pending.deadFiles.append(file.path(in: directory)) }
    }

    /// All of a mailbox's.
    func dropDerived(of mailbox: MailboxID) throws {
        let select = try db.cachedStatement(sql: "SELECT name, checksum FROM derived_file WHERE mailbox = ?")
        for row in try Row.fetchAll(select, arguments: [mailbox.value]) {
            guard let name = try? row.value(0) as String, DerivedName(name) != nil,
                let checksum = try? row.value(1) as Int64
            else { continue }
            pending.deadFiles.append(directory.derived(mailbox, name, UInt64(bitPattern: checksum)))
        }
        try execute("DELETE FROM derived_file WHERE mailbox = ?", [mailbox.value])
    }
}
