import MailStore
import MailVocabulary
import SASL
import SMTPSyntax
import WireFraming

// AUTH (RFC 4954 §4). Refused before anything secret is invited: the command table sees to TLS and state.
extension SubmissionSession {
    /// What the client has shown of itself by now.
    private var authenticationContext: AuthenticationContext {
        AuthenticationContext(
            service: "submission", context, tls: context.tls, clientName: client?.text)
    }

    /// The mechanisms of AUTH as things are.
    var mechanisms: [SASLMechanism] { authenticator?.mechanisms(for: authenticationContext) ?? [] }

    mutating func serveAuth(_ arguments: Span<UInt8>, hasInputBehind: Bool, _ output: inout SessionOutput) -> Step {
        guard let command = try? AuthCommand(parsing: arguments) else { return refuse(.badArgument, &output) }
        guard let authenticator, let mechanism = SASLMechanism(name: command.mechanism),
            mechanisms.contains(mechanism)
        else { return refuse(.unknownMechanism, &output) }
        let exchange = authenticator.exchange(mechanism, authenticationContext)
        switch command.initialResponse {
        case .none:
            hasInputBehindAuth = hasInputBehind
            return respond(exchange, nil)
        case .empty: return respond(exchange, Secret([]))
        case .encoded(let range):
            guard let response = Base64.decode(arguments.extracting(range)) else { return refuse(.notBase64, &output) }
            return respond(exchange, Secret(response))
        }
    }

    private mutating func respond(_ exchange: any AuthenticationExchange, _ response: Secret?) -> Step {
        mode = .commands
        self.exchange = exchange
        return .perform(.authenticate(exchange, response))
    }

    /// A line of the exchange.
    mutating func receiveResponse(
        _ input: Span<UInt8>, _ consumed: inout Int, _ output: inout SessionOutput
    ) -> Step {
        let (found, step) = takeLine(
            input, &consumed, limit: SASLLimits.encodedResponse, tooLong: .responseTooLong, &output)
        guard let found else { return step }
        let line = input.extracting(found)
        switch Swift.exchange(&mode, with: .commands) {
        case .rejecting(let refusal): return deny(refusal, &output)
        case .exchange(let exchange):
            if line.count == 1, line[0] == UInt8(ascii: "*") { return refuse(.authenticationCancelled, &output) }
            guard let response = Base64.decode(line) else { return refuse(.notBase64, &output) }
            return respond(exchange, Secret(response))
        case .commands, .message, .chunk, .skipping, .closed: return .close
        }
    }

    mutating func finishAuthentication(_ step: AuthenticationStep, _ output: inout SessionOutput) -> Step {
        guard let exchange = Swift.exchange(&self.exchange, with: nil) else { return .close }
        let mechanism = exchange.mechanism
        let hadInputBehind = Swift.exchange(&hasInputBehindAuth, with: false)
        if hadInputBehind, !step.asksForResponse {
            // It was to be the response, and must not be read as commands.
            output.events.append(.violation("input behind a refused AUTH"))
            return close(.inputBehindRefused, &output)
        }
        switch step {
        case .challenge(let challenge): return send(challenge, then: .exchange(exchange), &output)
        case .success(let user):
            (login, self.mechanism) = (user.account, mechanism)
            output.events.append(
                .authenticated(login: user.account.address.description, mechanism: mechanism.rawValue))
            return answer(.authenticated, &output)
        case .failure(let refusal):
            note(refusal, mechanism, &output)
            return deny(refusal, &output)
        case .rejection(let message, let refusal):
            note(refusal, mechanism, &output)
            return send(message, then: .rejecting(refusal), &output)
        case .unavailable(let reason):
            output.events.append(.notice("authentication unavailable: \(reason)"))
            // Counted, so that a flood gains nothing from being too much.
            return countFailure(.authenticationUnavailable, &output)
        case .malformed:
            return refuse(.malformedResponse, &output)
        }
    }

    // continue-req = "334" SP [base64] CRLF
    private mutating func send(_ challenge: [UInt8], then next: Mode, _ output: inout SessionOutput) -> Step {
        mode = next
        output.bytes.append("334 ")
        output.bytes.append(Base64.encode(challenge))
        output.bytes.appendLineEnd()
        return .ready
    }

    private func note(
        _ refusal: AuthenticationRefusal, _ mechanism: SASLMechanism, _ output: inout SessionOutput
    ) {
        output.events.append(
            .authenticationFailed(
                login: printable(refusal.login), mechanism: mechanism.rawValue, reason: refusal.reason))
    }

    private mutating func deny(_ refusal: AuthenticationRefusal, _ output: inout SessionOutput) -> Step {
        switch refusal.kind {
        case .credentials: countFailure(.authenticationFailed, &output)
        case .policy: countFailure(.notPermitted, &output)
        case .encryptionNeeded: countFailure(.encryptionNeeded, &output)
        case .expired: countFailure(.passwordExpired, &output)
        }
    }

    private mutating func countFailure(_ reply: SMTPReply, _ output: inout SessionOutput) -> Step {
        nuisance.authenticationFailures += 1
        reply.write(to: &output.bytes)
        guard nuisance.authenticationFailures < SubmissionLimits.authenticationFailures else {
            return close(.tooManyFailures, &output)
        }
        return .ready
    }

    /// What a client calls itself, fit for a log.
    private func printable(_ name: String) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.map { $0.properties.generalCategory.isControl ? "?" : $0 }))
    }
}

extension AuthenticationStep {
    fileprivate var asksForResponse: Bool {
        switch self {
        case .challenge, .rejection: true
        case .success, .failure, .unavailable, .malformed: false
        }
    }
}

extension ClientName {
    /// For the record.
    fileprivate var text: String? {
        switch self {
        case .domain(let name): name
        case .literal(let literal): "\(literal)"
        case .malformed: nil
        }
    }
}

extension Unicode.GeneralCategory {
    fileprivate var isControl: Bool {
        switch self {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: true
        case _: false
        }
    }
}
