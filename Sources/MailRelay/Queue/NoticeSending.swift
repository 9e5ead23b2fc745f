import Logging
import MailStore
import MailVocabulary
import MessageFormat
import SMTPSyntax

/// Tells senders what became of their mail: each once, since the notice is taken in by the commit that notes it as told.
struct NoticeSending: Sendable {
    private let store: any MailStore
    private let router: any NoticeRouter
    private let policy: QueuePolicy
    /// This host's name.
    private let host: String
    private let clock: any QueueClock
    private let logger: Logger

    init(
        store: any MailStore, router: any NoticeRouter, policy: QueuePolicy, host: String, clock: any QueueClock,
        logger: Logger
    ) {
        self.store = store
        self.router = router
        self.policy = policy
        self.host = host
        self.clock = clock
        self.logger = logger
    }

    /// Sends what a message's sender is owed, a notice for each kind. Throws what keeps it from being sent now.
    /// Returns what was sent.
    func send(_ id: QueueID) async throws -> [DeliveryReport.Action] {
        guard let detail = try await store.queuedMessage(id) else { return [] }
        var sent: [DeliveryReport.Action] = []
        for (state, action) in Self.actions {
            let recipients = detail.recipients.filter { $0.state == state }
            guard !recipients.isEmpty else { continue }
            if try await send(action, state, of: detail.message, recipients) { sent.append(action) }
        }
        return sent
    }

    private static let actions: [(QueuedRecipient.State, DeliveryReport.Action)] = [
        (.owesFailure, .failed), (.owesDelay, .delayed), (.owesRelay, .relayed), (.owesDelivery, .delivered),
        (.owesExpansion, .expanded),
    ]

    private func send(
        _ action: DeliveryReport.Action, _ state: QueuedRecipient.State, of message: QueuedMessage,
        _ recipients: [QueuedRecipient]
    ) async throws -> Bool {
        let told = QueueSettlement(
            message: message.id,
            recipients: recipients.map { QueueSettlement.Recipient($0.number, .told(state)) })
        var audiences: [Audience] = []
        if case .mailbox(let sender) = message.envelope.reversePath { audiences.append(.sender(sender)) }
        if action == .failed, policy.tellsPostmaster { audiences.append(.postmaster) }
        for audience in audiences {
            let route = try await route(audience)
            guard !route.isEmpty, !isLoop(audience, route, recipients) else { continue }
            var report = try await report(action, on: message, recipients, to: audience)
            let (mailboxes, queue) = place(&report, of: message, route)
            do {
                guard try await store.settle(told, adding: mailboxes, queue: queue) else { return false }
                log(message, action, audience.outcome)
                return true
            } catch let error as StoreError where error == .overQuota || error == .noSuchMailbox {
                // It has no sender itself (RFC 5321 §4.5.5): if anybody can be told, it is who comes next.
                log(message, action, "not to be placed: \(error)")
            }
        }
        _ = try await store.settle(told, adding: [], queue: [])
        log(message, action, "dropped: nobody can be told")
        return false
    }

    /// Who is told.
    private enum Audience {
        case sender(SMTPMailbox)
        /// Of what failed, when no sender can be told of it.
        case postmaster

        var outcome: String {
            switch self {
            case .sender: "sent"
            case .postmaster: "sent to the postmaster"
            }
        }
    }

    private func route(_ audience: Audience) async throws -> NoticeRoute {
        switch audience {
        case .sender(let mailbox): try await router.route(mailbox)
        case .postmaster: try await router.routeToPostmaster()
        }
    }

    /// What failed was to go where postmasters' mail goes: to tell of that would go on forever.
    private func isLoop(_ audience: Audience, _ route: NoticeRoute, _ recipients: [QueuedRecipient]) -> Bool {
        guard case .postmaster = audience else { return false }
        return !Set(route.recipients).isDisjoint(with: recipients.map(\.recipient.mailbox))
    }

    private func log(_ message: QueuedMessage, _ action: DeliveryReport.Action, _ outcome: String) {
        logger.info(
            "notice",
            metadata: ["message": "\(message.identifier)", "action": "\(action.rawValue)", "outcome": "\(outcome)"])
    }

    // What it says

    private func report(
        _ action: DeliveryReport.Action, on message: QueuedMessage, _ recipients: [QueuedRecipient],
        to audience: Audience
    ) async throws -> DeliveryReport {
        let zone = message.arrival.zoneMinutes
        let now = Timestamp(seconds: clock.now(), zoneMinutes: zone)
        let returnsAll = action == .failed && wantsAll(message)
        let limit = returnsAll ? message.size : min(message.size, policy.returnedHeader)
        let returned = try await store.read(message.body, 0..<limit)
        let name = identifier()
        let addressee: String
        switch audience {
        case .sender(let sender): addressee = sender.description
        case .postmaster: addressee = "postmaster@\(host)"
        }
        var report = DeliveryReport(
            action, host: host, sender: addressee,
            recipients: recipients.map { recipient in
                DeliveryReport.Recipient(
                    address: recipient.recipient.mailbox.description, original: recipient.recipient.original,
                    status: status(action, recipient.last), diagnostic: recipient.last?.diagnostic,
                    remoteHost: recipient.last?.remoteHost,
                    lastAttempt: recipient.last.map { Timestamp(seconds: $0.time, zoneMinutes: zone) })
            },
            date: now, messageID: "\(name)@\(host)", boundary: "=_\(identifier())", arrival: message.arrival,
            returned: returned)
        report.returnsAll = returnsAll
        if case .postmaster = audience { report.isForPostmaster = true }
        report.envelopeIdentifier = message.envelope.identifier
        report.retryUntil = Timestamp(
            seconds: message.arrival.seconds &+ policy.expiry, zoneMinutes: zone)
        return report
    }

    /// RFC 3461 §6.2: a large message need not be; RFC 8689 §5: one that requires TLS must not be.
    private func wantsAll(_ message: QueuedMessage) -> Bool {
        message.envelope.returned != .headers && !message.envelope.requiresTLS && message.size <= policy.returnedMessage
    }

    /// Its class is what the action is (RFC 3463 §2).
    private func status(_ action: DeliveryReport.Action, _ last: AttemptRecord?) -> String {
        switch action {
        case .relayed, .delivered, .expanded: last.flatMap { $0.status.hasPrefix("2.") ? $0.status : nil } ?? "2.0.0"
        case .delayed: last.flatMap { $0.status.hasPrefix("4.") ? $0.status : nil } ?? "4.4.7"
        case .failed: last?.status ?? "5.0.0"
        }
    }

    private func identifier() -> String {
        String(max(clock.now(), 0), radix: 36, uppercase: true) + "-"
            + String(UInt64.random(in: 0 ... .max), radix: 36, uppercase: true)
    }

    // Where it goes

    private func place(
        _ report: inout DeliveryReport, of message: QueuedMessage, _ route: NoticeRoute
    ) -> ([(mailbox: MailboxID, messages: [NewMessage])], [NewQueuedMessage]) {
        var mailboxes: [(mailbox: MailboxID, messages: [NewMessage])] = []
        if !route.mailboxes.isEmpty {
            report.allowsEightBit = true
            let bytes = Array("Return-Path: <>\r\n".utf8) + report.encoded()
            let summary = MessageSummary(parsing: bytes.span)
            let local = NewMessage(
                body: InMemoryBody(bytes), internalDate: report.date, summary: summary.encoded(),
                threadKeys: summary.threadMessageIDs.map { ThreadKey(messageID: $0) })
            mailboxes = route.mailboxes.map { ($0, [local]) }
        }
        guard !route.recipients.isEmpty else { return (mailboxes, []) }
        report.allowsEightBit = false
        var envelope = SMTPEnvelope(reversePath: .null)
        envelope.isInternationalized = report.isInternationalized
        // RFC 8689 §5: a notice is as worth protecting as the message.
        envelope.requiresTLS = message.envelope.requiresTLS
        envelope.priority = message.envelope.priority
        // RFC 3461 §6.1: no notice of a notice.
        let recipients = route.recipients.map { SMTPRecipient(mailbox: $0, notifications: []) }
        let queued = NewQueuedMessage(
            body: InMemoryBody(report.encoded()), envelope: envelope, recipients: recipients,
            identifier: String(report.messageID.prefix { $0 != "@" }), submitter: nil, arrival: report.date)
        return (mailboxes, [queued])
    }
}
