/// Mail that is on its way elsewhere. What is in it survives whatever a message in a mailbox survives.
///
/// Who waits for what: a message has recipients, and its recipients at one destination wait together, since one
/// transaction can take them. A destination that cannot be reached makes all that goes there wait. Whose turn it is
/// goes by priority, then round among submitters: each one's mail has turns one after the other, beginning with the
/// present one, so that a thousand messages of one delay the first of another by one.
package protocol QueueStore: Sendable {
    /// Takes mail in: into mailboxes and into the queue, all or none, in one commit. Throws as `append` does, and
    /// `unavailable` for a message without recipients.
    func accept(
        _ messages: [(mailbox: MailboxID, messages: [NewMessage])], queue: [NewQueuedMessage]
    ) async throws -> (delivered: [AppendResult], queued: [QueueID])

    /// Calls back, on no particular thread and without blocking, after each commit by which something in the queue may be
    /// due earlier than before.
    func observeQueue(_ onChange: @escaping @Sendable () -> Void) -> Observation

    // For the operator

    func queueCounts() async throws -> QueueCounts
    /// Messages that a filter lets pass, with higher numbers than `after`, ascending; at most `limit`.
    func queuedMessages(
        _ filter: QueueFilter, after: QueueID?, limit: Int
    ) async throws -> [QueuedMessageDetail]
    /// Nil when it is gone.
    func queuedMessage(_ id: QueueID) async throws -> QueuedMessageDetail?
}
