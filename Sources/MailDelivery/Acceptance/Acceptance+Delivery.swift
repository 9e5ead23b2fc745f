import MailStore
import MailVocabulary
import MessageFormat
import SMTPSyntax
import WireFraming

// From what is known of a message to the store's one commit.

extension Acceptance {
    typealias Addition = (mailbox: MailboxID, messages: [NewMessage])

    func deliver(_ plan: DeliveryPlan) async throws -> AcceptanceResult {
        let (accounts, outgoing, expanded) = split(plan)
        var additions: [Addition] = []
        if !accounts.isEmpty {
            let body = plan.message.hasReturnPath ? plan.body : try await withReturnPath(plan)
            let isSpam =
                try plan.message.hasJudgedHeader
                && body.withBytes { isMarkedAsSpam($0, settings.spamMarks) }
            let new = try newMessage(body, plan)
            for account in accounts {
                additions.append((try await mailbox(of: account, isSpam: isSpam), [new]))
            }
        }
        if let sent = try await sentCopy(plan) { additions.append(sent) }
        let queued = outgoing.isEmpty && expanded.isEmpty ? [] : [queuedMessage(plan, outgoing, expanded)]
        guard plan.message.isPerRecipient else {
            try await commit(additions, queued)
            return .taken(failures: [:])
        }
        return .taken(failures: try await commitApart(additions, accounts, plan))
    }

    /// Accounts whose mailboxes get the message, and recipients whose mail goes into the queue; each once.
    private func split(
        _ plan: DeliveryPlan
    ) -> (accounts: [AccountID], outgoing: [SMTPRecipient], expanded: [SMTPRecipient]) {
        let holdsAll = plan.holdReason != nil || plan.message.notBefore != nil
        var accounts: [AccountID] = []
        var outgoing: [SMTPRecipient] = []
        var expanded: [SMTPRecipient] = []
        var seen: Set<AccountID> = []
        var seenMailboxes: Set<SMTPMailbox> = []
        for accepted in plan.message.recipients.map({ expansion($0, &expanded) }) {
            for destination in accepted.destinations {
                let mailbox: SMTPMailbox
                switch destination {
                case .account(let account):
                    guard holdsAll && hasQueue || mustQueue(accepted) else {
                        if seen.insert(account.id).inserted { accounts.append(account.id) }
                        continue
                    }
                    mailbox = SMTPMailbox(account.address)
                case .elsewhere(let other): mailbox = other
                }
                guard seenMailboxes.insert(mailbox.canonical).inserted else { continue }
                var recipient = accepted.recipient
                if recipient.original == nil, mailbox.canonical != recipient.mailbox.canonical {
                    recipient.original = "\(recipient.mailbox.isASCII ? "rfc822" : "utf-8");\(recipient.mailbox)"
                }
                recipient.mailbox = mailbox
                outgoing.append(recipient)
            }
        }
        return (accounts, outgoing, expanded)
    }

    /// An alias of several addresses: that it went on is told once, and of each delivery no more (RFC 3461 §5.2.7.3 c).
    private func expansion(
        _ accepted: AcceptedRecipient, _ expanded: inout [SMTPRecipient]
    ) -> AcceptedRecipient {
        guard accepted.destinations.count > 1, mustQueue(accepted) else { return accepted }
        expanded.append(accepted.recipient)
        var silent = accepted
        silent.recipient.notifications?.remove(.success)
        return silent
    }

    private func queuedMessage(
        _ plan: DeliveryPlan, _ recipients: [SMTPRecipient], _ expanded: [SMTPRecipient]
    ) -> NewQueuedMessage {
        var queued = NewQueuedMessage(
            body: plan.body, envelope: plan.message.envelope, recipients: recipients,
            identifier: plan.message.identifier, submitter: plan.message.submitter?.id, arrival: plan.message.arrival,
            notBefore: plan.message.notBefore, holdReason: plan.holdReason)
        queued.expanded = expanded
        return queued
    }

    private func commit(_ additions: [Addition], _ queued: [NewQueuedMessage]) async throws {
        guard !queued.isEmpty else {
            if !additions.isEmpty { _ = try await store.append(additions) }
            return
        }
        guard let queue else { throw DeliveryFailure.unavailable(reason: "there is no queue") }
        _ = try await queue.accept(additions, queue: queued)
    }

    /// All at once; when one has no room, each alone.
    private func commitApart(
        _ additions: [Addition], _ accounts: [AccountID], _ plan: DeliveryPlan
    ) async throws -> [Int: DeliveryFailure] {
        do {
            try await commit(additions, [])
            return [:]
        } catch StoreError.overQuota where additions.count > 1 {
        } catch {
            let failure = DeliveryFailure(error)
            return Dictionary(uniqueKeysWithValues: plan.message.recipients.indices.map { ($0, failure) })
        }
        var failures: [AccountID: DeliveryFailure] = [:]
        for (account, addition) in zip(accounts, additions) {
            do {
                try await commit([addition], [])
            } catch {
                failures[account] = DeliveryFailure(error)
            }
        }
        var result: [Int: DeliveryFailure] = [:]
        for (index, recipient) in plan.message.recipients.enumerated() {
            let found = recipient.destinations.map { destination -> DeliveryFailure? in
                if case .account(let account) = destination { failures[account.id] } else { nil }
            }
            // Whoever got it got it: sent again, it would come twice.
            if let first = found.first, found.allSatisfy({ $0 != nil }) { result[index] = first }
        }
        return result
    }

    func newMessage(_ body: any StagedBody, _ plan: DeliveryPlan, flags: [Flag] = []) throws -> NewMessage {
        let summary = try body.withBytes { MessageSummary(parsing: $0) }
        return NewMessage(
            body: body, flags: flags, internalDate: plan.message.arrival, summary: summary.encoded(),
            threadKeys: summary.threadMessageIDs.map { ThreadKey(messageID: $0) })
    }

    func mailbox(of account: AccountID, isSpam: Bool) async throws -> MailboxID {
        if isSpam, let junk = try await mailbox(.junk, of: account) { return junk }
        guard let inbox = try await store.mailbox(.inbox, of: account) else { throw StoreError.noSuchMailbox }
        return inbox.id
    }

    private func mailbox(_ use: SpecialUse, of account: AccountID) async throws -> MailboxID? {
        try await store.mailboxes(of: account).first { $0.specialUse == use }?.id
    }

    private func sentCopy(_ plan: DeliveryPlan) async throws -> Addition? {
        guard settings.keepsSentCopy, let submitter = plan.message.submitter,
            let mailbox = try await mailbox(.sent, of: submitter.id)
        else { return nil }
        let body = plan.message.envelope.body == .binaryMIME ? try await inLines(plan.body, after: "") : plan.body
        return (mailbox, [try newMessage(body, plan, flags: [.seen])])
    }

    private func withReturnPath(_ plan: DeliveryPlan) async throws -> any StagedBody {
        let field = plan.message.envelope.reversePath.returnPathField
        if plan.message.envelope.body == .binaryMIME { return try await inLines(plan.body, after: field) }
        return try await prefixed(plan.body, field)
    }

    private func prefixed(_ body: any StagedBody, _ prefix: String) async throws -> any StagedBody {
        let writer = store.bodyWriter()
        writer.write(Array(prefix.utf8).span)
        for piece in pieces(of: body.count) {
            try body.withBytes { writer.write($0.extracting(piece)) }
            if writer.needsSpill { try await writer.spill() }
        }
        return try await writer.finish()
    }
}

extension ReversePath {
    // Return-path-line = "Return-Path:" FWS Reverse-path <CRLF>         RFC 5321 §4.4
    package var returnPathField: String { "Return-Path: \(text)\r\n" }
}
