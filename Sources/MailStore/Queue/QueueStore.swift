/// Mail that is on its way elsewhere. What is in it survives whatever a message in a mailbox survives.
package protocol QueueStore: Sendable {
    /// Takes mail in: into mailboxes and into the queue, all or none, in one commit. Throws as `append` does.
    func accept(
        _ messages: [(mailbox: MailboxID, messages: [NewMessage])], queue: [NewQueuedMessage]
    ) async throws -> (delivered: [AppendResult], queued: [QueueID])
}
