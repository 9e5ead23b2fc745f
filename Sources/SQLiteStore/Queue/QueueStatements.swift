/// What the scheduler asks again and again: each is answered from an index, so far as it is read.
enum QueueStatements {
    static let destinations = """
        SELECT name, failures FROM queue_destination WHERE rank IS NOT NULL AND retry = 0
        ORDER BY rank, turn, name LIMIT ?
        """
    static let entries = """
        SELECT message, rank, turn FROM queue_entry WHERE destination = ? AND state = 1
        ORDER BY rank, turn, message LIMIT ?
        """
    static let overdue = """
        SELECT message, destination FROM queue_entry WHERE state < 2 AND review <= ?
        ORDER BY review, message LIMIT ?
        """
    static let promoted = """
        SELECT message, destination, submitter, rank FROM queue_entry WHERE state = 0 AND due <= ?
        ORDER BY due, message LIMIT ?
        """
    static let nextTimes = [
        "SELECT due FROM queue_entry WHERE state = 0 AND due > ? ORDER BY due LIMIT 1",
        "SELECT review FROM queue_entry WHERE state < 2 AND review > ? ORDER BY review LIMIT 1",
        "SELECT retry FROM queue_destination WHERE retry > 0 AND retry > ? ORDER BY retry LIMIT 1",
    ]
    static let owing = """
        SELECT DISTINCT message FROM queue_recipient WHERE state >= 2 AND message > ?
        ORDER BY message LIMIT ?
        """
    static let lastTurn = """
        SELECT turn FROM queue_entry WHERE submitter = ? AND rank = ? AND state = 1 ORDER BY turn DESC LIMIT 1
        """

    static let all =
        [destinations, entries, overdue, promoted, owing, lastTurn] + nextTimes
}
