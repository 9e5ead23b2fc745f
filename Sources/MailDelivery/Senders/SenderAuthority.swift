package import MailStore
package import MailVocabulary

/// What an account may say about who sends.
package enum SenderStanding: Sendable, Equatable {
    /// One of its own addresses: its name, with a detail or not, or an alias that leads to it alone.
    case own
    /// The operator said so.
    case granted
    case refused
    case unavailable(reason: String)
}

/// Decides under which addresses an account may send (RFC 6409 §6.1, §8.1).
package struct SenderAuthority: Sendable {
    private let store: any MailStore
    private let resolver: RecipientResolver

    package init(store: any MailStore, settings: DeliverySettings) {
        self.store = store
        resolver = RecipientResolver(store: store, settings: settings)
    }

    package func standing(of sender: Address, for account: Account) async -> SenderStanding {
        let sender = sender.canonical
        if sender == account.address { return .own }
        do {
            // Whose name it is decides before what was granted: a `Sender` field is not due for one's own.
            if try await store.domains().contains(sender.domain),
                try await resolver.leads(sender, onlyTo: account)
            {
                return .own
            }
            return try await store.senderGrants(of: account.id).contains { $0.matches(sender) } ? .granted : .refused
        } catch {
            return .unavailable(reason: "\(error)")
        }
    }

    /// Of all of them: the worst.
    package func standing(of senders: [Address], for account: Account) async -> SenderStanding {
        var result = SenderStanding.own
        for sender in senders {
            switch await standing(of: sender, for: account) {
            case .own: continue
            case .granted: result = .granted
            case .refused: return .refused
            case .unavailable(let reason): return .unavailable(reason: reason)
            }
        }
        return result
    }
}
