import GRDB
package import MailStore
import MailVocabulary

// What `verify` holds against what. It reports and changes nothing.

extension SQLiteStore {
    /// Reported at most: a lost segment has as many victims as bodies.
    private static let damageLimit = 10_000

    package func verify(_ progress: @escaping @Sendable (VerifyProgress) -> Void) async throws -> [Damage] {
        // On a thread of its own: it takes long, and readers have few.
        try await WorkPool("store.verify", width: 1).run { [self] in
            do {
                // One transaction: what is compared belongs together although writing goes on.
                var (damage, total) = try pool.read { db in
                    let rows = try RowVerifier(db).verify()
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
                return zip(ids, try RowReader.found(ids.map { BodyID($0) }, db)).map { (id: $0, found: $1) }
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

    init(_ db: Database) { self.db = db }

    func verify() throws -> [Damage] {
        try quickCheck() + mailboxes() + list(Self.checks)
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
            """
        ),
        (
            "it is not referred to as often as counted",
            """
            SELECT 'body ' || b.id FROM body b
            LEFT JOIN (SELECT body, count(*) AS n FROM message GROUP BY body) m ON m.body = b.id
            WHERE b.refs IS NOT m.n
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
            "it is about a mailbox or an account that is not there",
            """
            SELECT 'access to mailbox ' || mailbox FROM access WHERE mailbox NOT IN (SELECT id FROM mailbox)
            OR (account <> 0 AND account NOT IN (SELECT id FROM account))
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
            "SELECT DISTINCT 'threads of account ' || account FROM thread WHERE account NOT IN (SELECT id FROM account)"
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
        let known = state.keywords.bits(state.keywords.keywords.map(Flag.keyword)).union(.system)
        let select = try db.cachedStatement(
            sql: """
                SELECT count(*), total(flags & 1 = 0), total(flags & 8 <> 0), total(size), max(uid), max(modseq),
                total((flags & ?) <> 0), min(uid), total(CASE WHEN flags & 8 THEN size ELSE 0 END) FROM message WHERE mailbox = ?
                """)
        guard
            let row = try Row.fetchOne(
                select, arguments: [Int64(bitPattern: ~known.rawValue), id.value])
        else { return [] }
        let record = state.record
        let (lastUID, lastModSeq) = try (row.value(4) as Int64? ?? 0, row.value(5) as Int64? ?? 0)
        let laws: [(Bool, String)] = try [
            (row.value(0) as Int == record.messageCount, "messages are not as counted"),
            (row.value(1) as Int == record.unseenCount, "unseen messages are not as counted"),
            (row.value(2) as Int == record.deletedCount, "deleted messages are not as counted"),
            (row.value(3) as Int == Int(clamping: record.size), "octets are not as counted"),
            (row.value(8) as Int == Int(clamping: record.deletedSize), "octets to be expunged are not as counted"),
            (lastUID < Int64(clamping: record.uidNext), "a UID is not below UIDNEXT"),
            (lastModSeq <= Int64(clamping: record.highestModSeq.value), "a MODSEQ is above the highest"),
            (row.value(6) as Int == 0, "a message has a keyword that is not known"),
            (row.value(7) as Int64? ?? 1 > 0, "a UID is not above 0"),
        ]
        return laws.filter { !$0.0 }.map { Damage(place: "mailbox \(id.value)", problem: $0.1) }
    }
}
