package import MailStore
package import MailVocabulary
import MessageFormat
import SASL
import SMTPSyntax
import Synchronization
import WireFraming

/// Does the asynchronous work of submission sessions: passwords, accounts, bodies, delivery.
package final class SubmissionService: SessionService {
    package let name = "submission"
    /// No ALPN identifier is registered for SMTP submission.
    package let applicationProtocols: [String] = []

    private let store: any MailStore
    private let authenticator: any Authenticator
    private let settings: SubmissionSettings
    private let now: @Sendable () -> Timestamp
    private let messageCount = Atomic<UInt64>(0)

    /// - Parameter now: the clock, in the zone that trace fields are to show.
    package init(
        store: any MailStore, authenticator: any Authenticator, settings: SubmissionSettings,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.store = store
        self.authenticator = authenticator
        self.settings = settings
        self.now = now
    }

    package func isBrief(_ work: SubmissionWork) -> Bool {
        switch work {
        case .authenticate, .findDomain, .resolve, .beginMessage, .spill: true
        case .deliver(let delivery): delivery.writer.count <= briefMessage
        }
    }

    package func perform(
        _ work: SubmissionWork, notify: @escaping @Sendable () -> Void
    ) async -> SubmissionOutcome {
        switch work {
        case .authenticate(let credentials, let peer):
            .authentication(await authenticate(credentials, from: peer))
        case .findDomain(let domain):
            .domain(await find(domain))
        case .resolve(let path, let declaredSize):
            .recipient(await resolve(path, declaredSize))
        case .beginMessage:
            .messageBegun(beginMessage())
        case .spill(let writer):
            .spilled(await failure { try await writer.spill() })
        case .deliver(let delivery):
            .delivered(await failure { try await deliver(delivery) })
        }
    }

    private func authenticate(_ credentials: PasswordCredentials, from peer: String) async -> AuthenticationResult {
        let result = await authenticator.authenticate(credentials, from: peer)
        if case .success(let account) = result, account.isDisabled { return .failure(reason: "account is disabled") }
        return result
    }

    // Senders and recipients

    private func find(_ domain: Domain) async -> DomainLookup {
        do {
            return try await store.domains().contains(domain) ? .local : .foreign
        } catch {
            return .unavailable(reason: "\(error)")
        }
    }

    private func resolve(_ path: ForwardPath, _ declaredSize: UInt64) async -> RecipientResolution {
        do {
            let resolution = try await lookUp(path)
            guard case .local(let account) = resolution else { return resolution }
            // The whole truth is only known when the message is there; this spares most from being sent in vain.
            let quota = try await store.quota(of: account.id)
            guard quota.canEverHold(octets: declaredSize) else { return .full(isPermanent: true) }
            return quota.hasRoom(messages: 1, octets: declaredSize) ? resolution : .full(isPermanent: false)
        } catch {
            return .unavailable(reason: "\(error)")
        }
    }

    private func lookUp(_ path: ForwardPath) async throws -> RecipientResolution {
        switch path {
        case .postmaster:
            return try await postmaster(in: try await store.domains())
        case .mailbox(let mailbox):
            guard let address = mailbox.address?.canonical, try await store.domains().contains(address.domain)
            else { return .notLocal }
            if let account = try await store.account(address) { return resolution(account) }
            guard address.localPart == "postmaster" else { return .noSuchUser }
            return try await postmaster(in: [address.domain])
        }
    }

    /// The account named postmaster in one of the domains, else the one that the operator named.
    private func postmaster(in domains: [Domain]) async throws -> RecipientResolution {
        for domain in domains {
            let address = Address(localPart: "postmaster", domain: domain)
            if let account = try await store.account(address) { return resolution(account) }
        }
        guard let named = settings.postmaster, let account = try await store.account(named.canonical) else {
            return .noSuchUser
        }
        return resolution(account)
    }

    private func resolution(_ account: Account) -> RecipientResolution {
        account.isDisabled ? .disabled : .local(account)
    }

    // Messages

    private func beginMessage() -> MessageStart {
        let date = now()
        let number = messageCount.add(1, ordering: .relaxed).newValue
        // The time keeps names apart across restarts, the number within one run.
        let identifier =
            String(max(date.seconds, 0), radix: 36, uppercase: true) + "-"
            + String(number, radix: 36, uppercase: true)
        return MessageStart(writer: store.bodyWriter(), identifier: identifier, date: date)
    }

    /// One body, in every recipient's INBOX or in none.
    private func deliver(_ delivery: SubmissionDelivery) async throws {
        let body = try await delivery.writer.finish()
        let summary = try body.withBytes { MessageSummary(parsing: $0) }
        let message = NewMessage(
            body: body, internalDate: delivery.date, summary: summary.encoded(),
            threadKeys: summary.threadMessageIDs.map { ThreadKey(messageID: $0) })
        var additions: [(mailbox: MailboxID, messages: [NewMessage])] = []
        for recipient in delivery.recipients {
            guard let inbox = try await store.mailbox(.inbox, of: recipient) else { throw StoreError.noSuchMailbox }
            additions.append((inbox.id, [message]))
        }
        _ = try await store.append(additions)
    }

    private func failure(_ work: () async throws -> Void) async -> DeliveryFailure? {
        do {
            try await work()
            return nil
        } catch StoreError.noSpace {
            return .noSpace
        } catch StoreError.overQuota {
            return .overQuota
        } catch {
            return .unavailable(reason: "\(error)")
        }
    }
}
