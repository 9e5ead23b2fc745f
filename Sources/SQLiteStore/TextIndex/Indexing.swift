import GRDB
import MailStore
import MailVocabulary
import MessageFormat

// A mailbox is read from the UID where reading ended, some messages at a time, each batch one transaction of the index:
// after a crash it goes on there. What it has not come to is scanned by searches.

extension SQLiteStore {
    /// Messages and mailboxes of one batch, and octets of those that are read whole: what may be in memory at a time.
    private static let messagesAtOnce = 256
    private static let mailboxesAtOnce = 64
    private static let octetsAtOnce = 1 << 20
    /// A message with more octets of text than this may contain anything: reading it would take much memory.
    private static let indexedOctets = 8 << 20

    func startIndexing(every interval: Duration) {
        textIndexer?.housekeeping.start(every: interval) { [weak self] in
            guard let self else { return false }
            if textIndexer?.isDue == true { await indexingTurn() }
            return true
        }
    }

    private func indexingTurn() async {
        do {
            try await updateTextIndex()
        } catch is CancellationError {
        } catch  where Task.isCancelled {
        } catch {
            textIndexer?.pause()
            if isFault(ofIndex: error) {
                await discardTextIndex(error)
            } else {
                log("indexing texts: \(StoreError(anyError: error))")
            }
        }
    }

    /// Errors of the mail's own database come as `StoreError`: those, and a full disk, are no reason to begin anew.
    func isFault(ofIndex error: any Error) -> Bool {
        if error is StoreError { return false }
        guard let error = error as? DatabaseError else { return true }
        return ![.SQLITE_FULL, .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_NOMEM].contains(error.resultCode)
    }

    /// Reads all that is not indexed yet, and takes out what is expunged if it is time to.
    package func updateTextIndex() async throws {
        guard let indexer = textIndexer else { return }
        let file = try await openTextIndex(indexer)
        var queue = indexer.takeDirty()[...]
        do {
            while !queue.isEmpty {
                try await pacing(indexer) {
                    queue = queue.dropFirst(try await index(queue.prefix(Self.mailboxesAtOnce), file, indexer))
                }
            }
        } catch {
            indexer.note(queue)
            throw error
        }
        if indexer.takeTidying() { try await tidy(file, indexer) }
    }

    func pacing(_ indexer: TextIndexer, _ work: () async throws -> Void) async throws {
        try Task.checkCancellation()
        let start = ContinuousClock.now
        try await work()
        if indexer.limits.rest > 0 { try await Task.sleep(for: (ContinuousClock.now - start) * indexer.limits.rest) }
    }

    /// Opens it, or makes it anew; then every mailbox that it is behind of is looked at.
    private func openTextIndex(_ indexer: TextIndexer) async throws -> TextIndexFile {
        if let file = indexer.file { return file }
        let nextBody = try await read { db in try RowReader.nextBody(db) }
        let (file, marks) = try await indexer.pool.run {
            do {
                let file = try TextIndexFile(indexer.path, nextBody: nextBody)
                return (file, try file.marks())
            } catch {
                TextIndexFile.remove(indexer.path)
                return (try TextIndexFile(indexer.path, nextBody: nextBody), [:])
            }
        }
        let behind = try await read { db in
            var behind: [MailboxID] = []
            try db.forEachRecord("SELECT id, uidnext FROM mailbox", []) { record in
                if record.number(1) - 1 > marks[record.number(0)] ?? 0 { behind.append(MailboxID(record.number(0))) }
            }
            return behind
        }
        indexer.note(behind)
        indexer.use(file)
        return file
    }

    /// Searches scan until it is built anew.
    func discardTextIndex(_ error: any Error) async {
        guard let indexer = textIndexer else { return }
        let reason = (error as? TextIndexFile.Unusable)?.reason ?? "\(StoreError(anyError: error))"
        log("the index of texts is built anew: \(reason)")
        let file = indexer.file
        indexer.use(nil)
        _ = try? await indexer.pool.run {
            file?.close()
            TextIndexFile.remove(indexer.path)
        }
    }
}

// One batch

/// Messages of a mailbox that are to be read.
private struct Stretch: Sendable {
    var mailbox: MailboxID
    /// Nil when it is gone.
    var account: Int64?
    var rows: [MessageRow]
    /// Whether nothing is left behind them.
    var isLast: Bool
}

extension SQLiteStore {
    /// Indexes some messages; returns how many of the mailboxes, from the first, are done.
    private func index(
        _ mailboxes: ArraySlice<MailboxID>, _ file: TextIndexFile, _ indexer: TextIndexer
    ) async throws -> Int {
        let marks = try await indexer.pool.run { try mailboxes.map { try file.mark(of: $0.value) } }
        let stretches = try await read { db in try SQLiteStore.stretches(of: mailboxes, after: marks, db) }
        let unknown = try await indexer.pool.run {
            try stretches.map { stretch -> [MessageRow] in
                let known = try file.known(stretch.rows.map(\.body.value).sorted(), in: stretch.account ?? 0)
                return stretch.rows.filter { !known.contains($0.body.value) }
            }
        }
        let signatures = try await signatures(of: unknown.flatMap { $0 }, indexer.pool)
        let additions = zip(stretches, unknown).compactMap { stretch, rows -> TextIndexFile.Addition? in
            guard let account = stretch.account, let last = stretch.rows.last else { return nil }
            return TextIndexFile.Addition(
                mailbox: stretch.mailbox.value, account: account, uid: Int64(last.uid.value),
                signatures: rows.compactMap { row in
                    signatures[row.body].map { TextIndexFile.Signature(body: row.body.value, columns: $0) }
                })
        }
        let now = Int64(now())
        try await indexer.pool.run { try file.add(additions, now: now) }
        return stretches.prefix { $0.isLast }.count
    }

    /// As many as make a batch, from the first mailbox on.
    private static func stretches(
        of mailboxes: ArraySlice<MailboxID>, after marks: [Int64], _ db: Database
    ) throws -> [Stretch] {
        var stretches: [Stretch] = []
        var (messages, octets) = (0, 0)
        for (mailbox, mark) in zip(mailboxes, marks) {
            var account: Int64?
            try db.forEachRecord("SELECT account FROM mailbox WHERE id = ?", [mailbox.value]) { account = $0.number(0) }
            var stretch = Stretch(mailbox: mailbox, account: account, rows: [], isLast: true)
            if account != nil {
                let limit = messagesAtOnce - messages
                let rows = try RowReader.rows(of: mailbox, from: mark + 1, limit: limit, db)
                stretch.rows = Array(
                    rows.prefix { row in
                        // The first in any case.
                        guard octets < octetsAtOnce else { return false }
                        octets += min(Int(row.size), SearchLimits.wholeBody)
                        return true
                    })
                stretch.isLast = stretch.rows.count < limit && stretch.rows.count == rows.count
                messages += stretch.rows.count
            }
            stretches.append(stretch)
            guard stretch.isLast, octets < octetsAtOnce else { break }
        }
        return stretches
    }

    /// Of those that can be read: what is damaged, or gone, is left to be scanned.
    private func signatures(of rows: [MessageRow], _ pool: WorkPool) async throws -> [BodyID: [UInt64]] {
        var seen: Set<BodyID> = []
        let rows = rows.filter { seen.insert($0.body).inserted }
        let summaries = try await summariesOfSound(rows.map(\.body))
        let small = rows.filter { Int($0.size) <= SearchLimits.wholeBody }
        let wholes = try await wholesOfSound(small.map(\.body))
        var signatures = try await pool.run {
            var signatures: [BodyID: [UInt64]] = [:]
            for (row, whole) in zip(small, wholes) {
                guard let whole, let summary = summaries[row.body],
                    let root = BodyPart(encodedSummary: summary.span)
                else { continue }
                signatures[row.body] = SQLiteStore.signature(of: SearchedText(of: root, in: whole), summary)
            }
            return signatures
        }
        for row in rows where Int(row.size) > SearchLimits.wholeBody {
            guard let summary = summaries[row.body] else { continue }
            signatures[row.body] = try await signature(ofLarge: row.body, summary, pool)
        }
        return signatures
    }

    private static func signature(of text: SearchedText, _ summary: [UInt8]) -> [UInt64] {
        var builder = SignatureBuilder()
        text.forEachIndexedText(encodedSummary: summary) { builder.add($0) }
        return builder.finish()
    }

    /// Nil when it cannot be read.
    private func signature(ofLarge body: BodyID, _ summary: [UInt8], _ pool: WorkPool) async throws -> [UInt64]? {
        guard let root = BodyPart(encodedSummary: summary.span) else { return nil }
        let pieces = root.searchedPieces
        guard pieces.reduce(0, { $0 + $1.range.count }) <= Self.indexedOctets else { return SignatureBuilder.anything }
        var text = SearchedText()
        do {
            for piece in pieces { text.append(try await read(body, piece.range)[...], piece.kind) }
        } catch StoreError.damaged, StoreError.noSuchBody {
            return nil
        }
        return try await pool.run { [text] in SQLiteStore.signature(of: text, summary) }
    }

    private func summariesOfSound(_ bodies: [BodyID]) async throws -> [BodyID: [UInt8]] {
        var summaries: [BodyID: [UInt8]] = [:]
        do {
            for (body, summary) in zip(bodies, try await self.summaries(bodies)) { summaries[body] = summary }
        } catch StoreError.damaged {
            for body in bodies { summaries[body] = (try? await self.summaries([body]))?.first ?? nil }
        }
        return summaries
    }

    private func wholesOfSound(_ bodies: [BodyID]) async throws -> [[UInt8]?] {
        do {
            return try await read(bodies)
        } catch StoreError.damaged {
            var wholes: [[UInt8]?] = []
            for body in bodies { wholes.append((try? await read([body]))?.first ?? nil) }
            return wholes
        }
    }
}

extension RowReader {
    /// The first number that no body has.
    static func nextBody(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT value FROM meta WHERE key = 'next_body'") ?? 1
    }
}
