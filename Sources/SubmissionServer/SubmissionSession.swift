import MailStore
import MailVocabulary
import SASL
import SMTPSyntax
package import TLSPolicy
package import WireFraming

/// One client's submission session (RFC 6409): RFC 5321 with STARTTLS, AUTH and PIPELINING, for the server's own users.
///
/// Invariants: no MAIL without TLS and AUTH; a message ends only at CRLF "." CRLF; 250 only after the store has it.
package struct SubmissionSession: ProtocolSession, ~Copyable {
    package typealias Step = SessionStep<SubmissionWork>

    /// What the next input is.
    enum Mode {
        case commands
        /// Responses of a SASL exchange.
        case exchange
        case message
        /// The rest of a line that was too long: octets of it seen.
        case skipping(Int)
        case closed
    }

    struct Transaction {
        var command: MailCommand
        var recipients: [Account] = []
        /// As the client wrote it, of the first recipient.
        var firstPath: ForwardPath?
    }

    /// Counted over the whole connection, STARTTLS or not: limits on nuisance, not knowledge of the client.
    struct Nuisance {
        var badCommands = 0
        var authenticationFailures = 0
        var commandsBeforeAuthentication = 0
        var refusedRecipients = 0
    }

    let settings: SubmissionSettings
    var context: SessionContext
    var mode = Mode.commands
    var client: ClientName?
    /// EHLO rather than HELO.
    var isExtended = false
    var login: Account?
    var transaction: Transaction?
    var exchange: SASLServerExchange?
    /// Who is being verified: for the log.
    var attempt: (login: String, mechanism: SASLMechanism)?
    /// Its sender's domain is being looked up.
    var pendingMail: MailCommand?
    /// The recipient being looked up.
    var pendingPath: ForwardPath?
    var reception: MessageReception?
    var nuisance = Nuisance()
    /// How far the buffered input was searched for a line end.
    private var searched = 0

    package init(_ context: SessionContext, settings: SubmissionSettings) {
        self.context = context
        self.settings = settings
    }

    var stage: SubmissionStage {
        guard client != nil else { return .connected }
        guard login != nil else { return isExtended ? .greeted : .basic }
        guard let transaction else { return .authenticated }
        return transaction.recipients.isEmpty ? .sender : .recipients
    }

    var isSecured: Bool { context.tls != nil }

    package var isAuthenticated: Bool { login != nil }

    package var patience: Duration {
        isAuthenticated ? SubmissionLimits.patience : SubmissionLimits.patienceBeforeAuthentication
    }

    package mutating func connected(_ output: inout SessionOutput) -> Step {
        SMTPReply.greeting(context.hostname).write(to: &output.bytes)
        return .needInput
    }

    package mutating func received(
        _ input: Span<UInt8>, consumed: inout Int, _ output: inout SessionOutput
    ) -> Step {
        switch mode {
        case .commands: return receiveCommand(input, &consumed, &output)
        case .exchange: return receiveResponse(input, &consumed, &output)
        case .message: return receiveMessage(input, &consumed, &output)
        case .skipping(let seen): return skipLine(input, &consumed, seen: seen, &output)
        case .closed: return .close
        }
    }

    package mutating func completed(_ outcome: SubmissionOutcome, _ output: inout SessionOutput) -> Step {
        switch outcome {
        case .authentication(let result): return finishAuthentication(result, &output)
        case .domain(let lookup): return finishSender(lookup, &output)
        case .recipient(let resolution): return finishRecipient(resolution, &output)
        case .messageBegun(let start): return startMessage(start, &output)
        case .spilled(let failure):
            if let failure { reception?.refuse(.store(failure)) }
            return .ready
        case .delivered(let failure): return finishDelivery(failure, &output)
        }
    }

    package mutating func produce(_ output: inout SessionOutput) -> Step { .needInput }

    /// RFC 3207 §4.2: back to the state after the greeting, without another one.
    package mutating func secured(_ tls: TLSDescription, _ output: inout SessionOutput) -> Step {
        context.tls = tls
        client = nil
        isExtended = false
        login = nil
        transaction = nil
        exchange = nil
        attempt = nil
        pendingMail = nil
        pendingPath = nil
        reception = nil
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

    // Lines

    /// A line, taken from the input; nil, with the step to return, when there is none to be had.
    mutating func takeLine(
        _ input: Span<UInt8>, _ consumed: inout Int, limit: Int, tooLong: SMTPReply, _ output: inout SessionOutput
    ) -> (line: Range<Int>?, step: Step) {
        switch frameLine(input, limit: limit, searched: &searched) {
        case .incomplete:
            return (nil, .needInput)
        case .tooLong:
            searched = 0
            guard case .ready = refuse(tooLong, &output) else { return (nil, .close) }
            return (nil, skipLine(input, &consumed, seen: 0, &output))
        case .line(let length, let end, let endsWithCRLF):
            searched = 0
            consumed = end
            guard endsWithCRLF else {
                output.events.append(.violation("line ended by LF alone"))
                return (nil, close(.bareLF, &output))
            }
            return (0..<length, .ready)
        }
    }

    private mutating func skipLine(
        _ input: Span<UInt8>, _ consumed: inout Int, seen: Int, _ output: inout SessionOutput
    ) -> Step {
        guard !input.isEmpty else { return .needInput }
        var index = 0
        while index < input.count, input[index] != 0x0A { index += 1 }
        guard index == input.count else {
            consumed = index + 1
            mode = .commands
            return .ready
        }
        consumed = index
        guard seen + index <= SubmissionLimits.skippedLine else {
            output.events.append(.violation("line without end"))
            return close(.tooManyErrors, &output)
        }
        mode = .skipping(seen + index)
        return .needInput
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
