import GRDB
package import MailStore
import MailVocabulary

// What `verify` holds against what. It reports and changes nothing, but for derived data: what of that is damaged is
// dropped without a word, since nothing is lost by it.

extension SQLiteStore {
    /// Reported at most: a lost segment has as many victims as bodies.
    private static let damageLimit = 10_000

    package func verify(_ progress: @escaping @Sendable (VerifyProgress) -> Void) async throws -> [Damage] {
        try await dropDamagedDerived()
        // On a thread of its own: it takes long, and readers have few.
        return try await WorkPool("store.verify", width: 1).run { [self] in
            do {
                // One transaction: what is compared belongs together although writing goes on.
                var (damage, total) = try pool.read { db in
                    let rows = try RowVerifier(db, directory).verify()
                    return (rows, try Int.fetchOne(db, sql: "SELECT count(*) FROM body") ?? 0)
                }
                try verifyBodies(&damage) { progress(VerifyProgress(checked: $0, total: total)) }
                return Array(damage.prefix(SQLiteStore.damageLimit))
            } catch {
                throw StoreError(anyError: error)
            }
        }
    }

    private func verifyBodies(_ damage: inout [Damage], _ progress: (Int) -> Void) throws {
        var (last, checked) = (Int64.min, 0)
        while damage.count < SQLiteStore.damageLimit {
            let next = try pool.read { db in
                let ids = try Int64.fetchAll(
                    db, sql: "SELECT id FROM body WHERE id > ? ORDER BY id LIMIT 256", arguments: [last]
                )
                let bodies = ids.map { BodyID($0) }
                for body in bodies {
                    do {
                        _ = try RowReader.summaries([body], upTo: .max, db)
                    } catch StoreError.damaged(let problem) {
                        damage.append(Damage(place: "body \(body.value)", problem: problem))
                    }
                }
                return zip(ids, try RowReader.found(bodies, db)).map { (id: $0, found: $1) }
            }
            guard let newLast = next.last else { break }
            last = newLast.id
            for (id, found) in next {
                do {
                    if let found, (try? segments.body(BodyID(id), found)) != nil { continue }
                    // A second look: it may have been moved or expunged (nil) meanwhile.
                    _ = try SQLiteStore.locating(BodyID(id), in: pool) { try segments.body(BodyID(id), $0) }
                } catch StoreError.damaged(let problem) {
                    damage.append(Damage(place: "body \(id)", problem: problem))
                }
            }
            checked += next.count
            progress(checked)
        }
    }
}

/// The rows against each other, in one transaction.
struct RowVerifier {
    private let db: Database
    private let directory: StoreDirectory

    init(_ db: Database, _ directory: StoreDirectory) {
        self.db = db
        self.directory = directory
    }

    func verify() throws -> [Damage] {
        try quickCheck() + mailboxes() + list(Self.checks) + list(Self.queueChecks)
    }

    private func quickCheck() throws -> [Damage] {
        try String.fetchAll(db, sql: "PRAGMA quick_check").filter { $0 != "ok" }
            .map { Damage(place: "database", problem: $0) }
    }

    /// Each query lists places where something is wrong.
    private static let checks: [(problem: String, sql: String)] = [
        (
            "its body is missing",
            """
            SELECT 'mailbox ' || m.mailbox || ', UID ' || m.uid FROM message m
            LEFT JOIN body b ON b.id = m.body WHERE b.id IS NULL
            """
        ),
        (
            "its size is not its body's length",
            """
            SELECT 'mailbox ' || m.mailbox || ', UID ' || m.uid FROM message m
            JOIN body b ON b.id = m.body WHERE b.length <> m.size
            """
        ),
        (
            "it belongs to no mailbox",
            """
            SELECT 'mailbox ' || mailbox || ', UID ' || uid FROM message
            WHERE mailbox NOT IN (SELECT id FROM mailbox)
            AND mailbox NOT IN (SELECT id FROM doomed WHERE kind = 'mailbox')
            """
        ),
        (
            "it is not referred to as often as counted",
            """
            SELECT 'body ' || b.id FROM body b
            LEFT JOIN (SELECT body, count(*) AS n FROM message GROUP BY body) m ON m.body = b.id
            LEFT JOIN (SELECT body, count(*) AS n FROM queue_message GROUP BY body) q ON q.body = b.id
            WHERE b.refs <> ifnull(m.n, 0) + ifnull(q.n, 0)
            """
        ),
        (
            "its live octets are not as counted",
            """
            SELECT 'segment ' || s.id FROM segment s
            LEFT JOIN (SELECT segment, sum(length + \(SegmentHeader.size)) AS n FROM body GROUP BY segment) b
            ON b.segment = s.id WHERE s.live <> ifnull(b.n, 0)
            """
        ),
        (
            "its segment is not known",
            "SELECT 'body ' || id FROM body WHERE segment <> 0 AND segment NOT IN (SELECT id FROM segment)"
        ),
        (
            "its octets wait for a segment, but no body does",
            "SELECT 'parked body ' || id FROM parked WHERE id NOT IN (SELECT id FROM body WHERE segment = 0)"
        ),
        (
            "it belongs to no mailbox",
            """
            SELECT 'flag change ' || modseq || ' of mailbox ' || mailbox FROM flag_change
            WHERE mailbox NOT IN (SELECT id FROM mailbox)
            UNION ALL SELECT 'removal ' || modseq || ' from mailbox ' || mailbox FROM expunged
            WHERE mailbox NOT IN (SELECT id FROM mailbox)
            UNION ALL SELECT 'index file of mailbox ' || mailbox FROM index_file
            WHERE mailbox NOT IN (SELECT id FROM mailbox)
            """
        ),
        (
            "it is about a mailbox or an account that is not there",
            """
            SELECT 'access to mailbox ' || mailbox FROM access WHERE mailbox NOT IN (SELECT id FROM mailbox)
            OR (account <> 0 AND account NOT IN (SELECT id FROM account))
            """
        ),
        (
            "it is of a mailbox or an account that is not there",
            """
            SELECT 'annotation ' || name || ' of mailbox ' || mailbox FROM annotation
            WHERE (mailbox <> 0 AND mailbox NOT IN (SELECT id FROM mailbox))
            OR payer NOT IN (SELECT id FROM account)
            """
        ),
        (
            "it belongs to no account",
            "SELECT 'mailbox ' || id FROM mailbox WHERE account NOT IN (SELECT id FROM account)"
        ),
        (
            "it has no INBOX",
            """
            SELECT 'account ' || id FROM account
            WHERE id NOT IN (SELECT account FROM mailbox WHERE name = 'INBOX')
            """
        ),
        (
            "what it holds is not as counted",
            """
            SELECT 'account ' || a.id FROM account a
            LEFT JOIN (SELECT account, sum(size) AS s, sum(messages) AS n FROM mailbox GROUP BY account) m
            ON m.account = a.id WHERE a.size <> ifnull(m.s, 0) OR a.messages <> ifnull(m.n, 0)
            """
        ),
        (
            "its account is not known",
            """
            SELECT DISTINCT 'threads of account ' || account FROM thread
            WHERE account NOT IN (SELECT id FROM account)
            AND account NOT IN (SELECT id FROM doomed WHERE kind = 'threads')
            """
        ),
        (
            "it has no credentials",
            "SELECT 'account ' || id FROM account WHERE id NOT IN (SELECT account FROM credentials)"
        ),
    ]

    private func list(_ checks: [(problem: String, sql: String)]) throws -> [Damage] {
        try checks.flatMap { problem, sql in
            try String.fetchAll(db, sql: sql).map { Damage(place: $0, problem: problem) }
        }
    }

    // Counters

    private func mailboxes() throws -> [Damage] {
        let ids = try Int64.fetchAll(db, sql: "SELECT id FROM mailbox ORDER BY id")
        return try ids.flatMap { try mailbox(MailboxID($0)) }
    }

    private func mailbox(_ id: MailboxID) throws -> [Damage] {
        let state: MailboxState
        do {
            state = try RowReader.state(id, db)
        } catch StoreError.damaged(let problem) {
            return [Damage(place: "mailbox \(id.value)", problem: problem)]
        }
        do {
            return try laws(of: state).filter { !$0.holds }.map {
                Damage(place: "mailbox \(id.value)", problem: $0.problem)
            }
        } catch StoreError.damaged(let problem) {
            return [Damage(place: "mailbox \(id.value)", problem: problem)]
        }
    }

    /// Counters against rows, with the flag changes that rows do not show yet; the index file against both.
    private func laws(of state: MailboxState) throws -> [(holds: Bool, problem: String)] {
        let snapshot = try RowReader.snapshot(state, db)
        let (record, known) = (
            state.record, state.keywords.bits(state.keywords.keywords.map(Flag.keyword)).union(.system)
        )
        var (counters, lastModSeq, used) = (CounterChange(), ModSeq(0), FlagBits())
        snapshot.forEach { _, row in
            counters.add(row)
            lastModSeq = max(lastModSeq, row.modSeq)
            used.formUnion(row.flags)
        }
        let lastUID = snapshot.isEmpty ? 0 : UInt64(snapshot[snapshot.count - 1].uid.value)
        var removed = NumberSet()
        for removal in try RowReader.removals(in: record.id, since: ModSeq(0), db) {
            removed = removed.union(removal.uids ?? NumberSet())
        }
        return [
            (counters.messages == record.messageCount, "messages are not as counted"),
            (counters.unseen == record.unseenCount, "unseen messages are not as counted"),
            (counters.deleted == record.deletedCount, "deleted messages are not as counted"),
            (counters.size == Int(clamping: record.size), "octets are not as counted"),
            (counters.deletedSize == Int(clamping: record.deletedSize), "octets to be expunged are not as counted"),
            (lastUID < record.uidNext, "a UID is not below UIDNEXT"),
            (lastModSeq <= record.highestModSeq, "a MODSEQ is above the highest"),
            (used.isSubset(of: known), "a message has a keyword that is not known"),
            (snapshot.positions(ofUIDs: removed).isEmpty, "a message is there that is listed as expunged"),
            (try isIndexRight(state, snapshot), "its index file is not what was written; it is built anew when needed"),
        ]
    }

    /// True also when it has none, or it is gone: a newer one may have taken its place meanwhile.
    private func isIndexRight(_ state: MailboxState, _ rows: MailboxSnapshot) throws -> Bool {
        guard let file = try RowReader.indexFile(of: state.record.id, db),
            fileSize(directory.index(state.record.id, file.modSeq)) != nil
        else { return true }
        guard let (kept, _) = try RowReader.kept(state, directory, db), kept.count == rows.count else { return false }
        var isRight = true
        kept.forEach { position, row in isRight = isRight && row == rows[position] }
        return isRight
    }
}
