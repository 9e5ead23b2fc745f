import GRDB

extension RowVerifier {
    /// Each query lists places where something is wrong.
    static let queueChecks: [(problem: String, sql: String)] = [
        (
            "its body is missing, or of another length",
            """
            SELECT 'queued message ' || q.id FROM queue_message q
            LEFT JOIN body b ON b.id = q.body WHERE b.length IS NOT q.size
            """
        ),
        (
            "it has no recipients",
            """
            SELECT 'queued message ' || id FROM queue_message
            WHERE id NOT IN (SELECT message FROM queue_recipient)
            """
        ),
        (
            "its message is not there",
            """
            SELECT 'queued recipient ' || number || ' of message ' || message FROM queue_recipient
            WHERE message NOT IN (SELECT id FROM queue_message)
            UNION ALL SELECT 'delivery of queued message ' || message || ' to ' || destination FROM queue_entry
            WHERE message NOT IN (SELECT id FROM queue_message)
            """
        ),
        (
            "it waits for no delivery",
            """
            SELECT 'queued recipient ' || r.number || ' of message ' || r.message FROM queue_recipient r
            LEFT JOIN queue_entry e ON e.message = r.message AND e.destination = r.destination
            WHERE r.state <= 2 AND e.message IS NULL
            """
        ),
        (
            "nobody waits for it",
            """
            SELECT 'delivery of queued message ' || e.message || ' to ' || e.destination FROM queue_entry e
            WHERE NOT EXISTS (SELECT 1 FROM queue_recipient r
            WHERE r.message = e.message AND r.destination = e.destination AND r.state <= 2)
            """
        ),
        (
            "it is not held as its message says",
            """
            SELECT 'delivery of queued message ' || e.message || ' to ' || e.destination FROM queue_entry e
            JOIN queue_message m ON m.id = e.message WHERE (e.state = 2) <> (m.hold IS NOT NULL)
            """
        ),
        (
            "its first delivery is not as noted",
            """
            SELECT 'destination ' || d.name FROM queue_destination d
            WHERE (d.rank, d.turn) IS NOT (SELECT rank, turn FROM queue_entry e
            WHERE e.destination = d.name AND e.state = 1 ORDER BY rank, turn, message LIMIT 1)
            """
        ),
        (
            "it is not known as it should be",
            """
            SELECT DISTINCT 'destination ' || destination FROM queue_entry
            WHERE destination NOT IN (SELECT name FROM queue_destination)
            UNION ALL SELECT 'destination ' || name FROM queue_destination
            WHERE name NOT IN (SELECT destination FROM queue_entry)
            """
        ),
    ]
}
