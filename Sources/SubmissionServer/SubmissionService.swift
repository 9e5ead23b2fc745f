package import MailDelivery
package import MailStore
import MailVocabulary
import SASL
import SMTPSyntax
package import WireFraming

/// Does the asynchronous work of submission and LMTP sessions: passwords, senders, recipients, bodies, delivery.
package final class SubmissionService: SessionService {
    package let name: String
    /// No ALPN identifier is registered for SMTP submission.
    package let applicationProtocols: [String] = []

    private let acceptance: Acceptance
    private let store: any MailStore
    /// Nil for LMTP, where nobody logs in.
    private let authenticator: (any Authenticator)?
    private let settings: SubmissionSettings
    private let urls: (any AuthorisedURLs)?

    /// - Parameter urls: what BURL asks; nil when it is not offered.
    package init(
        acceptance: Acceptance, store: any MailStore, authenticator: (any Authenticator)?,
        settings: SubmissionSettings, urls: (any AuthorisedURLs)? = nil
    ) {
        name = settings.role == .lmtp ? "lmtp" : "submission"
        self.acceptance = acceptance
        self.store = store
        self.authenticator = authenticator
        self.settings = settings
        self.urls = urls
    }

    /// A connection's session.
    package func session(_ context: SessionContext) -> SubmissionSession {
        SubmissionSession(
            context, settings: settings, acceptance: acceptance, authenticator: authenticator, offersURLs: urls != nil)
    }

    package func isBrief(_ work: SubmissionWork) -> Bool {
        switch work {
        case .authenticate, .time, .begin, .resolve, .beginMessage, .authorise, .openURL, .readURL, .spill: true
        case .deliver(let message): message.writer.count <= briefMessage
        }
    }

    package func perform(
        _ work: SubmissionWork, notify: @escaping @Sendable () -> Void
    ) async -> SubmissionOutcome {
        switch work {
        case .authenticate(let exchange, let response):
            return .authentication(await authenticate(exchange, response))
        case .time: return .time(acceptance.now())
        case .begin(let request): return .begun(await begin(request))
        case .resolve(let request): return .recipient(await resolve(request))
        case .beginMessage: return .messageBegun(beginMessage())
        case .authorise(let senders, let account):
            return .standing(await acceptance.authority.standing(of: senders, for: account))
        case .openURL(let url, let account, let host):
            return .openedURL(try? await urls?.content(of: url, for: account, at: host))
        case .readURL(let octets, let range): return .readURL(await read(octets, range))
        case .spill(let writer):
            do {
                try await writer.spill()
                return .spilled(nil)
            } catch {
                return .spilled(DeliveryFailure(error))
            }
        case .deliver(let message): return .delivered(await acceptance.accept(message))
        }
    }

    private func authenticate(
        _ exchange: any AuthenticationExchange, _ response: Secret?
    ) async -> AuthenticationStep {
        let step = await exchange.respond(response)
        if case .success(let user) = step, user.account.isDisabled {
            return .failure(AuthenticationRefusal(login: user.loginName, reason: "account is disabled"))
        }
        return step
    }

    private func beginMessage() -> MessageStart {
        let date = acceptance.now()
        return MessageStart(
            writer: acceptance.bodyWriter(), identifier: acceptance.newIdentifier(at: date), date: date)
    }

    private func read(_ octets: URLOctets, _ range: Range<Int>) async -> [UInt8]? {
        switch octets {
        case .held(let bytes): return Array(bytes[range.clamped(to: bytes.indices)])
        case .stored(let body, let whole):
            let start = whole.lowerBound + range.lowerBound
            let asked = start..<min(start + range.count, whole.upperBound)
            guard let bytes = try? await store.read(body, asked), bytes.count == asked.count else { return nil }
            return bytes
        }
    }

    // Transactions

    private func begin(_ request: TransactionRequest) async -> TransactionStart {
        let arrival = acceptance.now().seconds
        let command = request.command
        if let account = request.account {
            if let sender = command.reversePath.address {
                switch await acceptance.authority.standing(of: sender, for: account) {
                case .own, .granted: break
                case .refused: return .notOwn
                case .unavailable(let reason): return .unavailable(reason: reason)
                }
            } else if command.reversePath != .null {
                return .notOwn
            }
            if acceptance.rates.excess(of: account.id, recipients: 0, at: arrival) != nil {
                return .refused(.tooManyMessages)
            }
        }
        var envelope = SMTPEnvelope(command, maximumPriority: settings.maximumPriority)
        envelope.deadline = command.deliverBy?.deadline(from: arrival)
        let notBefore = command.release?.time(from: arrival)
        if let refusal = refusal(notBefore, envelope.deadline, arrival) { return .refused(refusal) }
        guard let filters = await acceptance.beginFilters(request.client) else {
            return .accepted(envelope, notBefore: notBefore, filters: nil, isDiscarded: false)
        }
        switch await filters.sender(envelope) {
        case .accept: return .accepted(envelope, notBefore: notBefore, filters: filters, isDiscarded: false)
        case .discard: return .accepted(envelope, notBefore: notBefore, filters: filters, isDiscarded: true)
        case .refuse(let reply): return .refused(reply)
        }
    }

    private func refusal(_ notBefore: Int64?, _ deadline: DeliveryDeadline?, _ arrival: Int64) -> SMTPReply? {
        if let notBefore {
            guard notBefore >= arrival, notBefore - arrival <= settings.maximumHold ?? 0 else { return .badRelease }
            // RFC 4865 §4: who must have it before it may go will not get it.
            if let deadline, deadline.time < notBefore { return .badRelease }
        }
        if let deadline, deadline.mode == .returned, deadline.time - arrival < settings.minimumDeliverBy {
            return .cannotDeliverBy
        }
        return nil
    }

    private func resolve(_ request: RecipientRequest) async -> RecipientAnswer {
        if let account = request.account,
            let excess = acceptance.rates.excess(
                of: account.id, recipients: request.recipients + 1, at: acceptance.now().seconds)
        {
            return .refused(DeliveryFailure.tooMuch(excess).reply)
        }
        let path = request.command.forwardPath
        let resolution = await acceptance.resolver.resolve(
            path, declaredSize: request.declaredSize, onlyLocal: settings.role == .lmtp)
        guard case .accepted = resolution, let filters = request.filters,
            let recipient = SMTPRecipient(request.command, resolution)
        else { return .resolved(resolution) }
        switch await filters.recipient(recipient) {
        case .accept: return .resolved(resolution)
        case .discard: return .discarded(resolution)
        case .refuse(let reply): return .refused(reply)
        }
    }
}

extension SMTPEnvelope {
    /// Without what needs a clock.
    init(_ command: MailCommand, maximumPriority: Int) {
        self.init(reversePath: command.reversePath)
        isInternationalized = command.isInternationalized
        body = command.body
        identifier = command.identifier
        returned = command.returned
        requiresTLS = command.requiresTLS
        priority = min(command.priority ?? 0, maximumPriority)
    }
}

extension SMTPRecipient {
    /// `<Postmaster>` gets the address that it stands for.
    init?(_ command: RcptCommand, _ resolution: RecipientResolution) {
        let mailbox: SMTPMailbox
        switch command.forwardPath {
        case .mailbox(let given): mailbox = given
        case .postmaster:
            guard case .accepted(let destinations) = resolution else { return nil }
            switch destinations.first {
            case .account(let account): mailbox = SMTPMailbox(account.address)
            case .elsewhere(let other): mailbox = other
            case nil: return nil
            }
        }
        self.init(mailbox: mailbox, original: command.original, notifications: command.notifications)
    }
}
