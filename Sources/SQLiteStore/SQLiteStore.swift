import GRDB
import Glibc
package import MailStore
import MailVocabulary

/// The store that keeps mail on a disk: rows in SQLite (WAL), bodies in append-only segment files.
///
/// Writing goes through one `Committer`; reading through a few threads, each with a database connection of its own;
/// mailboxes in use are served from `IndexCache` without either. See `StoreDirectory` for the files.
package final class SQLiteStore: MailStore {
    package struct Options: Sendable {
        /// Threads that read: enough to keep a disk busy, few enough to leave the processors to TLS.
        package var readers = 4
        /// Rows of mailboxes kept in memory.
        package var indexRows = IndexCache.rowLimit
        /// Octets after which a segment is closed and the next begun: compaction rewrites at most this much at once.
        package var segmentSize = 64 << 20
        /// Octets of small bodies that may wait in the database before they are written to a segment together; 0 for none.
        package var parkedOctets = 1 << 20
        /// How often the room of expunged mail is given back; nil for never.
        package var compactionInterval: Duration? = .seconds(300)
        /// What accounts may hold that have no limits of their own.
        package var quotaDefaults = QuotaDefaults()
        /// Seconds since 1970: when messages are saved.
        package var now: @Sendable () -> UInt32 = SaveClock.system
        /// How often index files are written and flag changes folded into rows; nil for never but on closing.
        package var upkeepInterval: Duration? = .seconds(60)
        package var upkeep = UpkeepLimits()
        /// Whether texts are indexed for searches.
        package var textIndex = TextIndexUse.kept
        package var textIndexing = TextIndexLimits()
        package var files = FileLayer.system
        /// Told of what an operator must know: a disk that lost data, a segment that is missing.
        package var log: @Sendable (String) -> Void = { message in
            let line = Array("store: \(message)\n".utf8)
            _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        }

        package init() {}
    }

    let directory: StoreDirectory
    let pool: DatabasePool
    let readers: WorkPool
    let cache: IndexCache
    let names = NameCache()
    let accountCache = AccountCache()
    let quotas = QuotaBook()
    let feed = ChangeFeed()
    let committer: Committer
    let segments: SegmentReader
    let staging: StagingArea
    let housekeeping = Housekeeping()
    let upkeep: Upkeep
    /// Nil when texts are not indexed.
    let textIndexer: TextIndexer?
    let now: @Sendable () -> UInt32
    let compacting = WorkPool("store.compact", width: 1)
    let log: @Sendable (String) -> Void
    let quotaDefaults: QuotaDefaults
    /// Whose turn it is in the queue.
    let turns: QueueTurns

    /// Opens the store at `path`, making it when nothing is there. Throws `unavailable` (in use by another process, no
    /// permission), `noSpace`, `damaged`.
    package init(path: String, options: Options = Options()) throws {
        do {
            directory = try StoreDirectory(path)
            pool = try SQLiteStore.openDatabase(directory, options)
            log = options.log
            upkeep = Upkeep(options.upkeep)
            quotaDefaults = options.quotaDefaults
            now = options.now
            textIndexer = try SQLiteStore.makeTextIndexer(directory, pool, options)
            readers = WorkPool("store.read", width: options.readers)
            staging = StagingArea(
                directory.staging, files: options.files, pool: WorkPool("store.stage", width: options.readers))
            cache = IndexCache(feed: feed, limit: options.indexRows)
            segments = SegmentReader(directory)
            turns = try pool.read { try QueueTurns($0) }
            committer = Committer(
                try SQLiteStore.makeCore(
                    directory, pool, segments, cache, names, accountCache, quotas, feed, textIndexer, turns, options))
        } catch {
            throw StoreError(anyError: error)
        }
        if let interval = options.compactionInterval { startHousekeeping(every: interval) }
        if let interval = options.upkeepInterval { startUpkeep(every: interval) }
        startPurging()
        if let interval = options.textIndexing.interval { startIndexing(every: interval) }
    }

    private static func openDatabase(_ directory: StoreDirectory, _ options: Options) throws -> DatabasePool {
        // SQLite makes its other files with the permissions of the first.
        _ = try OpenFile(directory.database, O_RDWR | O_CREAT)
        var configuration = Configuration()
        configuration.maximumReaderCount = options.readers + 2
        configuration.foreignKeysEnabled = false
        configuration.label = "store"
        // Other programs may look into the database: five seconds until they let go.
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            // 16 MiB of pages for each connection; temporary things never on disk.
            try db.execute(sql: "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY")
        }
        let pool = try DatabasePool(path: directory.database, configuration: configuration)
        try Schema.migrator.migrate(pool)
        try pool.writeWithoutTransaction { db in
            // DatabasePool sets NORMAL after prepareDatabase, which would lose acknowledged mail with the power.
            try db.execute(
                sql: "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 67108864"
            )
            guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2,
                try String.fetchOne(db, sql: "PRAGMA journal_mode") == "wal"
            else { throw StoreError.unavailable("the database refuses to be durable (synchronous, journal_mode)") }
        }
        try syncDirectory(directory.path)
        return pool
    }

    private static func makeCore(
        _ directory: StoreDirectory, _ pool: DatabasePool, _ readers: SegmentReader, _ cache: IndexCache,
        _ names: NameCache, _ accounts: AccountCache, _ quotas: QuotaBook, _ feed: ChangeFeed,
        _ textIndexer: TextIndexer?,
        _ turns: QueueTurns, _ options: Options
    ) throws -> CommitCore {
        let counters = try pool.read { db in
            StoredCounters(
                nextBody: try RowReader.nextBody(db),
                nextUIDValidity: try Int64.fetchOne(
                    db, sql: "SELECT value FROM meta WHERE key = 'next_uidvalidity'") ?? 1,
                parkedOctets: try ParkedBodies.octets(db))
        }
        let (known, last) = try pool.read { db in
            (
                try Set(Int64.fetchAll(db, sql: "SELECT id FROM segment")),
                try Int64.fetchOne(db, sql: "SELECT max(id) FROM segment WHERE NOT sealed")
            )
        }
        let possible = 0...Int64.max / 2
        guard possible.contains(counters.nextBody), possible.contains(known.max() ?? 0) else {
            throw StoreError.damaged("the number of the last body or segment")
        }
        try removeUnknownIndexes(directory, pool)
        try removeUnknownDerived(directory, pool)
        let present = try directory.segmentsPresent()
        for orphan in present.subtracting(known) { unlink(directory.segment(orphan)) }
        for missing in known.subtracting(present) { options.log("CRITICAL: segment \(missing) is missing") }
        // Numbers are not used again, so that nobody reads a new segment by an old place.
        let writer = try SegmentWriter(
            directory, files: options.files, rollOver: options.segmentSize,
            last: last.flatMap { present.contains($0) ? $0 : nil },
            lastID: max(known.max() ?? 0, present.max() ?? 0))
        return CommitCore(
            pool: pool, directory: directory, segments: writer, readers: readers, cache: cache, names: names,
            accounts: accounts, quotas: quotas, feed: feed, textIndexer: textIndexer,
            counters: counters, parking: options.parkedOctets,
            rules: CommitRules(
                quotaDefaults: options.quotaDefaults, purgedAtOnce: options.upkeep.purgedAtOnce, now: options.now,
                turns: turns),
            log: options.log)
    }

    /// What a crash left beside the files that the database knows.
    private static func removeUnknownIndexes(_ directory: StoreDirectory, _ pool: DatabasePool) throws {
        let names = try StoreDirectory.names(in: directory.indexes)
        guard !names.isEmpty else { return }
        let known = try pool.read { db in
            try Row.fetchAll(db, sql: "SELECT mailbox, modseq FROM index_file").compactMap { row -> String? in
                guard let mailbox = try? row.value(0) as Int64, let modSeq = try? row.value(1) as Int64 else {
                    return nil
                }
                return directory.index(MailboxID(mailbox), ModSeq(UInt64(clamping: modSeq)))
            }
        }
        for orphan in Set(names.map { "\(directory.indexes)/\($0)" }).subtracting(known) { unlink(orphan) }
    }

    /// A question of one statement, which is of one state without a transaction: beginning and ending that would take
    /// longer than the statement.
    func readOnce<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R) async throws -> R {
        try await readers.run { [pool] in
            do {
                return try pool.unsafeRead(body)
            } catch {
                throw StoreError(anyError: error)
            }
        }
    }

    /// A question to the database, on a thread that may wait.
    func read<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R) async throws -> R {
        try await readers.run { [pool] in
            do {
                return try pool.read(body)
            } catch {
                throw StoreError(anyError: error)
            }
        }
    }

    package func close() async throws {
        await housekeeping.stop()
        await upkeep.housekeeping.stop()
        await upkeep.stopPurging()
        await textIndexer?.stop()
        // What cannot be written is no loss.
        try? await saveIndexes(until: .now + Upkeep.closingLimit)
        let claimed = cache.all()
        try? await committer.commit { transaction, _ in try transaction.writeClaims(claimed) }
        await committer.close()
        // The next start writes a new log then. Writing over an old one, which the system has forgotten, would read each of
        // its pages from the disk first: a frame of the log is not as long as a page.
        try? await readers.run { [pool] in
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
        }
        do {
            try pool.close()
        } catch {
            throw StoreError(anyError: error)
        }
        directory.unlock()
    }
}

extension WriteTransaction {
    /// What sessions were told of as recent, which is otherwise written with the mailbox's next change.
    func writeClaims(_ mailboxes: [MailboxState]) throws {
        for mailbox in mailboxes {
            try execute(
                "UPDATE mailbox SET recent = ?, first_recent = ? WHERE id = ? AND first_recent < ?",
                [
                    mailbox.record.recentCount, Int64(clamping: mailbox.firstRecent), mailbox.record.id.value,
                    Int64(clamping: mailbox.firstRecent),
                ])
        }
    }
}
