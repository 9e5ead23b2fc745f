package import MailDelivery
package import MailStore
import MailVocabulary
import SASL
import SMTPSyntax
package import TLSPolicy
package import WireFraming

/// One client's session of submission (RFC 6409) or LMTP (RFC 2033): RFC 5321 with its extensions.
///
/// Invariants: no MAIL without TLS and AUTH, but by LMTP; a message ends only at CRLF "." CRLF, or where its last chunk
/// does; 250 only after the store has it.
package struct SubmissionSession: ProtocolSession, ~Copyable {
    package typealias Step = SessionStep<SubmissionWork>

    /// What the next input is.
    enum Mode {
        case commands
        /// The response to a challenge.
        case exchange(any AuthenticationExchange)
        /// AUTH is refused, and the client was told why; what it says to that is answered so.
        case rejecting(AuthenticationRefusal)
        case message
        case chunk(ChunkProgress)
        /// The rest of a line that was too long: octets of it seen.
        case skipping(Int)
        case closed
    }

    /// Counted over the whole connection, STARTTLS or not: limits on nuisance, not knowledge of the client.
    struct Nuisance {
        var badCommands = 0
        var authenticationFailures = 0
        var commandsBeforeAuthentication = 0
        var refusedRecipients = 0
    }

    let settings: SubmissionSettings
    let acceptance: Acceptance
    /// For what may be offered; deciding is work. Nil for LMTP, where nobody logs in.
    let authenticator: (any Authenticator)?
    let offersURLs: Bool
    var context: SessionContext
    var mode = Mode.commands
    var client: ClientName?
    /// EHLO rather than HELO.
    var isExtended = false
    var login: Account?
    /// How the login was proved.
    var mechanism: SASLMechanism?
    var transaction: Transaction?
    /// Whose response is being judged.
    var exchange: (any AuthenticationExchange)?
    /// Whether input came behind the AUTH that is being judged: the response to a challenge, if one follows.
    var hasInputBehindAuth = false
    /// Its sender is being looked up.
    var pendingMail: MailCommand?
    /// The recipient being looked up.
    var pendingRecipient: RcptCommand?
    /// What of BDAT or BURL waits for the message to begin.
    var pendingPart: MessagePart?
    var reception: MessageReception?
    /// What BURL is adding, and whether it is the message's end.
    var url: URLProgress?
    var urlIsLast = false
    /// A header that is being judged.
    var pendingHeader: MessageHeader?
    var nuisance = Nuisance()
    /// How far the buffered input was searched for a line end.
    var searched = 0

    /// - Parameter offersURLs: BURL.
    package init(
        _ context: SessionContext, settings: SubmissionSettings, acceptance: Acceptance,
        authenticator: (any Authenticator)?, offersURLs: Bool = false
    ) {
        self.context = context
        self.settings = settings
        self.acceptance = acceptance
        self.authenticator = authenticator
        self.offersURLs = offersURLs
    }

    var stage: SubmissionStage {
        guard client != nil else { return .connected }
        guard isTrusted else { return isExtended ? .greeted : .basic }
        guard let transaction else { return .authenticated }
        if transaction.isInParts { return .parts }
        return transaction.recipients.isEmpty ? .sender : .recipients
    }

    var isSecured: Bool { context.tls != nil }
    var isLMTP: Bool { settings.role == .lmtp }
    /// May hand in mail: a user who has logged in, or whoever reaches an LMTP listener.
    var isTrusted: Bool { isLMTP || login != nil }

    package var isAuthenticated: Bool { isTrusted }

    package var patience: Duration {
        isAuthenticated ? SubmissionLimits.patience : SubmissionLimits.patienceBeforeAuthentication
    }

    package mutating func connected(_ output: inout SessionOutput) -> Step {
        SMTPReply.greeting(context.hostname, settings.role).write(to: &output.bytes)
        return .needInput
    }

    package mutating func received(
        _ input: Span<UInt8>, consumed: inout Int, _ output: inout SessionOutput
    ) -> Step {
        switch mode {
        case .commands: return receiveCommand(input, &consumed, &output)
        case .exchange, .rejecting: return receiveResponse(input, &consumed, &output)
        case .message: return receiveMessage(input, &consumed, &output)
        case .chunk(let progress): return receiveChunk(progress, input, &consumed, &output)
        case .skipping(let seen): return skipLine(input, &consumed, seen: seen, &output)
        case .closed: return .close
        }
    }

    package mutating func completed(_ outcome: SubmissionOutcome, _ output: inout SessionOutput) -> Step {
        switch outcome {
        case .authentication(let result): return finishAuthentication(result, &output)
        case .time(let time): return answer(greeting(at: time), &output)
        case .begun(let start): return finishMail(start, &output)
        case .recipient(let answer): return finishRecipient(answer, &output)
        case .messageBegun(let start): return startMessage(start, &output)
        case .standing(let standing): return finishHeader(standing, &output)
        case .openedURL(let octets): return startURL(octets, &output)
        case .readURL(let octets): return receiveURL(octets, &output)
        case .spilled(let failure):
            if let failure { reception?.refuse(.delivery(failure)) }
            return continueAfterSpill(&output)
        case .delivered(let result): return finishDelivery(result, &output)
        }
    }

    package mutating func produce(_ output: inout SessionOutput) -> Step { .needInput }

    /// RFC 3207 §4.2: back to the state after the greeting, without another one.
    package mutating func secured(_ tls: TLSDescription, _ output: inout SessionOutput) -> Step {
        context.tls = tls
        client = nil
        isExtended = false
        (login, mechanism, exchange) = (nil, nil, nil)
        (transaction, reception) = (nil, nil)
        (pendingMail, pendingRecipient, pendingPart, pendingHeader) = (nil, nil, nil, nil)
        (url, urlIsLast) = (nil, false)
        searched = 0
        mode = .commands
        return .needInput
    }

    package mutating func changed(_ output: inout SessionOutput) -> Step { .needInput }

    package mutating func timedOut(_ output: inout SessionOutput) {
        mode = .closed
        SMTPReply.timeout.write(to: &output.bytes)
    }

    package mutating func stopping(_ output: inout SessionOutput) {
        mode = .closed
        SMTPReply.stopping.write(to: &output.bytes)
    }

    // Replies

    func answer(_ reply: SMTPReply, _ output: inout SessionOutput) -> Step {
        reply.write(to: &output.bytes)
        return .ready
    }

    mutating func close(_ reply: SMTPReply, _ output: inout SessionOutput) -> Step {
        mode = .closed
        reply.write(to: &output.bytes)
        return .close
    }

    /// Answers what the client did wrong, and closes when it did too much.
    mutating func refuse(_ reply: SMTPReply, _ output: inout SessionOutput) -> Step {
        nuisance.badCommands += 1
        guard nuisance.badCommands < SubmissionLimits.badCommands else {
            output.events.append(.violation("too many bad commands"))
            return close(.tooManyErrors, &output)
        }
        return answer(reply, &output)
    }
}
