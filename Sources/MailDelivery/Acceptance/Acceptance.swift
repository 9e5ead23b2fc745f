package import MailStore
package import MailVocabulary
import MessageFormat
package import SMTPSyntax
import Synchronization
import WireFraming

/// Takes mail in: through the filters, then into mailboxes and the queue in one commit.
package final class Acceptance: Sendable {
    /// Octets that are copied at a time.
    static let copiedAtOnce = 128 * 1024

    package let settings: DeliverySettings
    package let resolver: RecipientResolver
    package let authority: SenderAuthority
    package let rates: SubmissionRates
    let store: any MailStore
    /// Nil: nothing goes elsewhere.
    let queue: (any QueueStore)?
    let filters: [any MessageFilter]
    package let now: @Sendable () -> Timestamp
    private let messageCount = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - queue: needed when `settings.relaysElsewhere`.
    ///   - filters: in order.
    ///   - now: the clock, in the zone that trace fields are to show.
    package init(
        store: any MailStore, queue: (any QueueStore)? = nil, filters: [any MessageFilter] = [],
        settings: DeliverySettings, now: @escaping @Sendable () -> Timestamp
    ) {
        var settings = settings
        if queue == nil { settings.relaysElsewhere = false }
        self.settings = settings
        self.store = store
        self.queue = queue
        self.filters = filters
        self.now = now
        resolver = RecipientResolver(store: store, settings: settings)
        authority = SenderAuthority(store: store, settings: settings)
        rates = SubmissionRates(settings.rates)
    }

    /// Whether mail can wait and go elsewhere.
    package var hasQueue: Bool { queue != nil }
    package var hasFilters: Bool { !filters.isEmpty }

    /// Nil when there are no filters.
    package func beginFilters(_ client: FilteredClient) async -> FilterRun? {
        filters.isEmpty ? nil : await FilterRun(filters, client)
    }

    package func bodyWriter() -> any BodyWriter { store.bodyWriter() }

    /// A name for a message: letters, digits and "-".
    package func newIdentifier(at date: Timestamp) -> String {
        let number = messageCount.add(1, ordering: .relaxed).newValue
        // The time keeps names apart across restarts, the number within one run.
        return String(max(date.seconds, 0), radix: 36, uppercase: true) + "-"
            + String(number, radix: 36, uppercase: true)
    }

    /// Whether the message may be written with `Return-Path` at once: all of it goes into mailboxes, as it is.
    package func wantsReturnPath(
        _ envelope: SMTPEnvelope, _ recipients: [AcceptedRecipient], submitter: Account?, isHeld: Bool
    ) -> Bool {
        guard filters.isEmpty, envelope.body != .binaryMIME, !isHeld, submitter == nil || !settings.keepsSentCopy else {
            return false
        }
        return recipients.allSatisfy { recipient in
            !mustQueue(recipient)
                && recipient.destinations.allSatisfy {
                    if case .account = $0 { true } else { false }
                }
        }
    }

    /// A notice of success (RFC 3461 §5.2.3) is the queue's to send.
    func mustQueue(_ accepted: AcceptedRecipient) -> Bool {
        hasQueue && accepted.recipient.notifications?.contains(.success) == true
    }

    /// Returns when the message is durable, or nothing of it is kept.
    package func accept(_ message: IncomingMessage) async -> AcceptanceResult {
        if let submitter = message.submitter,
            let excess = rates.count(
                submitter.id, recipients: message.recipients.count, at: message.arrival.seconds)
        {
            return .failed(.tooMuch(excess))
        }
        do {
            var plan = DeliveryPlan(message, body: try await message.writer.finish())
            if let filters = message.filters {
                let verdict = try await apply(filters, to: &plan)
                switch verdict {
                case .accept: break
                case .discard: return .discarded
                case .refuse(let reply): return .refused(reply)
                }
            }
            return try await deliver(plan)
        } catch is ConversionRefused {
            return .refused(ConversionRefused.reply)
        } catch {
            return .failed(DeliveryFailure(error))
        }
    }

    private func apply(_ filters: FilterRun, to plan: inout DeliveryPlan) async throws -> FilterVerdict {
        let found = await filters.message(plan.body, identifier: plan.message.identifier) { [store] in
            store.bodyWriter()
        }
        guard found.verdict == .accept else { return found.verdict }
        if let body = found.body { plan.body = body }
        if let sender = found.sender { plan.message.take(sender, canWait: hasQueue) }
        plan.message.hasJudgedHeader = true
        let removed = Set(found.removedRecipients.map(\.canonical))
        plan.message.recipients.removeAll { removed.contains($0.recipient.mailbox.canonical) }
        for recipient in found.addedRecipients {
            // Room is not asked for: what a filter adds must not refuse the others' mail.
            guard case .accepted(let destinations) = await resolver.resolve(.mailbox(recipient.mailbox)) else {
                continue
            }
            plan.message.recipients.append(AcceptedRecipient(recipient, destinations))
        }
        guard !plan.message.recipients.isEmpty else { return .discard }
        if let reason = found.quarantine {
            guard hasQueue else { throw DeliveryFailure.unavailable(reason: "quarantine needs a queue: \(reason)") }
            plan.holdReason = reason
        }
        return .accept
    }

    /// This server's own mail goes the way of all mail. Recipients that cannot be reached are passed over. Throws
    /// `DeliveryFailure`.
    package func submit(_ own: OwnMessage) async throws(DeliveryFailure) {
        let arrival = now()
        var recipients: [AcceptedRecipient] = []
        for recipient in own.recipients {
            switch await resolver.resolve(.mailbox(recipient.mailbox)) {
            case .accepted(let destinations): recipients.append(AcceptedRecipient(recipient, destinations))
            case .full: throw .overQuota
            case .unavailable(let reason): throw .unavailable(reason: reason)
            case .noSuchUser, .disabled, .notLocal, .badAlias: continue
            }
        }
        guard !recipients.isEmpty else { return }
        let writer = store.bodyWriter()
        writer.write(own.content.span)
        var message = IncomingMessage(
            writer: writer, identifier: newIdentifier(at: arrival), arrival: arrival, envelope: own.envelope,
            recipients: recipients)
        message.filters = await beginFilters(FilteredClient(name: "localhost", peer: "", hostname: "localhost"))
        if let filters = message.filters {
            _ = await filters.sender(own.envelope)
            for recipient in recipients { _ = await filters.recipient(recipient.recipient) }
        }
        switch await accept(message) {
        case .taken, .discarded: return
        case .refused(let reply):
            throw .unavailable(reason: "a filter refused: \(reply.code) \(reply.lines.joined(separator: " "))")
        case .failed(let failure): throw failure
        }
    }
}

/// What is done with a message.
struct DeliveryPlan: Sendable {
    var message: IncomingMessage
    var body: any StagedBody
    /// It waits until an operator releases it; why.
    var holdReason: String?

    init(_ message: IncomingMessage, body: any StagedBody) {
        self.message = message
        self.body = body
    }
}

extension SMTPMailbox {
    /// For comparison.
    var canonical: SMTPMailbox { address.map { SMTPMailbox($0.canonical) } ?? self }
}
