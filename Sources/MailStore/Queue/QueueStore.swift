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

    // For the scheduler

    /// What can be tried now, whose turn it is first. It is nobody's until the query of another call says so.
    func dueDeliveries(_ query: DeliveryQuery) async throws -> [DueDelivery]
    /// What is to be looked at, tried or not, the longest due first; nothing that is held, or in flight.
    func overdueDeliveries(_ query: DeliveryQuery) async throws -> [DueDelivery]
    /// The first second after `time` from which on there may be more that is due or overdue.
    func nextQueueTime(after time: Int64) async throws -> Int64?
    /// Messages whose senders are to be told of something, with higher numbers than `after`, ascending.
    func messagesOwingNotices(after: QueueID?, limit: Int) async throws -> [QueueID]
    /// Writes what became of a message's recipients, and takes in the mail that results from it, all or none, in one
    /// commit. Who does not wait any more and owes nothing goes, and with the last one the message. False, and nothing
    /// changed, when a sender has been told already of what he is now told.
    func settle(
        _ settlement: QueueSettlement, adding messages: [(mailbox: MailboxID, messages: [NewMessage])],
        queue: [NewQueuedMessage]
    ) async throws -> Bool

    // For the operator

    /// Returns how many of the messages were changed by it.
    func changeQueue(_ ids: [QueueID], _ change: QueueChange) async throws -> Int

    func queueCounts() async throws -> QueueCounts
    /// Messages that a filter lets pass, with higher numbers than `after`, ascending; at most `limit`.
    func queuedMessages(
        _ filter: QueueFilter, after: QueueID?, limit: Int
    ) async throws -> [QueuedMessageDetail]
    /// Nil when it is gone.
    func queuedMessage(_ id: QueueID) async throws -> QueuedMessageDetail?
}
