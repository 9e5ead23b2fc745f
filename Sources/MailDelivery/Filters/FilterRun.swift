package import MailStore
package import SMTPSyntax

/// One message's way through all filters, in order. When it is dropped, wherever that happens, the filters are told
/// that the message is done with.
package final class FilterRun: Sendable {
    private let transactions: [any FilterTransaction]

    package init(_ filters: [any MessageFilter], _ client: FilteredClient) async {
        var begun: [any FilterTransaction] = []
        for filter in filters { begun.append(await filter.begin(client)) }
        transactions = begun
    }

    deinit {
        let transactions = transactions
        Task { for transaction in transactions { await transaction.finish() } }
    }

    /// The first verdict that is not `accept`.
    package func sender(_ envelope: SMTPEnvelope) async -> FilterVerdict {
        for transaction in transactions {
            let verdict = await transaction.sender(envelope)
            if verdict != .accept { return verdict }
        }
        return .accept
    }

    package func recipient(_ recipient: SMTPRecipient) async -> FilterVerdict {
        for transaction in transactions {
            let verdict = await transaction.recipient(recipient)
            if verdict != .accept { return verdict }
        }
        return .accept
    }

    /// Each filter gets the message as the one before left it.
    package func message(
        _ body: any StagedBody, identifier: String, writer: @escaping @Sendable () -> any BodyWriter
    ) async -> FilteredMessage {
        var whole = FilteredMessage(.accept)
        for transaction in transactions {
            let part = await transaction.message(whole.body ?? body, identifier: identifier, writer: writer)
            whole.body = part.body ?? whole.body
            whole.sender = part.sender ?? whole.sender
            whole.addedRecipients.removeAll { part.removedRecipients.contains($0.mailbox) }
            whole.addedRecipients += part.addedRecipients
            whole.removedRecipients += part.removedRecipients
            whole.quarantine = whole.quarantine ?? part.quarantine
            whole.verdict = part.verdict
            if part.verdict != .accept { break }
        }
        return whole
    }
}
