import MailStore
import MailVocabulary
import SASL
import SMTPSyntax
import WireFraming

// AUTH (RFC 4954 §4). Refused before anything secret is invited: the command table sees to TLS and state.
extension SubmissionSession {
    mutating func serveAuth(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        guard let command = try? AuthCommand(parsing: arguments) else { return refuse(.badArgument, &output) }
        guard let mechanism = SASLMechanism(name: command.mechanism) else {
            return refuse(.unknownMechanism, &output)
        }
        var exchange = SASLServerExchange(mechanism)
        switch command.initialResponse {
        case .none:
            let first = exchange.start()
            self.exchange = exchange
            return proceed(first, &output)
        case .empty:
            self.exchange = exchange
            return respond([], &output)
        case .encoded(let range):
            self.exchange = exchange
            return respond(Base64.decode(arguments.extracting(range)), &output)
        }
    }

    /// A line of the exchange.
    mutating func receiveResponse(
        _ input: Span<UInt8>, _ consumed: inout Int, _ output: inout SessionOutput
    ) -> Step {
        let (found, step) = takeLine(
            input, &consumed, limit: SASLServerExchange.maximumEncodedLength, tooLong: .responseTooLong, &output)
        guard let found else {
            if case .exchange = mode { return step }
            exchange = nil
            return step
        }
        let line = input.extracting(found)
        if line.count == 1, line[0] == UInt8(ascii: "*") { return endExchange(.authenticationCancelled, &output) }
        return respond(Base64.decode(line), &output)
    }

    private mutating func respond(_ response: [UInt8]?, _ output: inout SessionOutput) -> Step {
        guard let response else { return endExchange(.notBase64, &output) }
        guard let step = exchange?.respond(response.span) else { return endExchange(.malformedResponse, &output) }
        return proceed(step, &output)
    }

    private mutating func proceed(_ step: SASLServerStep, _ output: inout SessionOutput) -> Step {
        switch step {
        case .challenge(let challenge):
            // continue-req = "334" SP [base64] CRLF
            mode = .exchange
            output.bytes.append("334 ")
            output.bytes.append(Base64.encode(challenge))
            output.bytes.appendLineEnd()
            return .ready
        case .verify(let credentials):
            attempt = exchange.map { (credentials.authenticationIdentity, $0.mechanism) }
            exchange = nil
            mode = .commands
            return .perform(.authenticate(credentials, from: context.peer))
        case .malformed:
            return endExchange(.malformedResponse, &output)
        }
    }

    private mutating func endExchange(_ reply: SMTPReply, _ output: inout SessionOutput) -> Step {
        exchange = nil
        mode = .commands
        return refuse(reply, &output)
    }

    mutating func finishAuthentication(_ result: AuthenticationResult, _ output: inout SessionOutput) -> Step {
        let (name, mechanism) = attempt ?? ("", .plain)
        attempt = nil
        switch result {
        case .success(let account):
            (login, self.mechanism) = (account, mechanism)
            output.events.append(
                .authenticated(login: account.address.description, mechanism: mechanism.rawValue))
            return answer(.authenticated, &output)
        case .failure(let reason):
            output.events.append(
                .authenticationFailed(login: printable(name), mechanism: mechanism.rawValue, reason: reason))
            return countFailure(.authenticationFailed, &output)
        case .unavailable(let reason):
            output.events.append(.notice("authentication unavailable: \(reason)"))
            // Counted, so that a flood gains nothing from being too much.
            return countFailure(.authenticationUnavailable, &output)
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

extension Unicode.GeneralCategory {
    fileprivate var isControl: Bool {
        switch self {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: true
        case _: false
        }
    }
}
