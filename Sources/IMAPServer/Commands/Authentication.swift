import IMAPSyntax
import MailStore
import MailVocabulary
import SASL
import WireFraming

// STARTTLS, LOGIN, AUTHENTICATE: the way in. UNAUTHENTICATE: the way back. That passwords are accepted inside TLS only is the command table's rule.

extension IMAPSession {
    /// RFC 3501 §6.2.1. That nothing follows in the same batch was seen to before.
    mutating func startTLS(_ tag: String, _ output: inout SessionOutput) -> Step {
        guard tls == nil else { return refuse(tag, Refusal(status: .bad, text: "TLS is active"), &output) }
        guard context.canStartTLS else {
            return refuse(tag, Refusal(status: .bad, text: "TLS is not offered"), &output)
        }
        ending = .startTLS
        return conclude(tag, .ok, "Begin TLS", &output)
    }

    /// RFC 3501 §6.2.3.
    mutating func login(
        _ tag: String, _ user: String, _ password: Secret, _ output: inout SessionOutput
    ) -> Step {
        verify(
            tag, PasswordCredentials(authenticationIdentity: user, password: password), mechanism: "LOGIN", &output)
    }

    /// RFC 3501 §6.2.2, RFC 4959.
    mutating func authenticate(
        _ tag: String, _ mechanism: String, _ initialResponse: Secret?, _ output: inout SessionOutput
    ) -> Step {
        // Only what CAPABILITY offers: the obsolete LOGIN mechanism is none of IMAP's, which has a command for it.
        guard SASLMechanism(name: mechanism) == .plain else {
            return refuse(tag, Refusal(status: .no, code: .cannot, text: "Mechanisms: PLAIN"), &output)
        }
        var exchange = SASLServerExchange(.plain)
        let step = initialResponse.map { secret in secret.withBytes { exchange.respond($0) } } ?? exchange.start()
        return follow(step, tag, exchange, &output)
    }

    /// A line of base64, or `*`, which cancels.
    mutating func readSASLResponse(
        _ tag: String, _ exchange: SASLServerExchange, _ input: Span<UInt8>, _ consumed: inout Int,
        _ output: inout SessionOutput
    ) -> Step {
        switch reader.nextLine(input, limit: SASLServerExchange.maximumEncodedLength) {
        case .incomplete: return .needInput
        case .tooLong:
            output.events.append(.violation("a SASL response that is too long"))
            return farewell("The response is too long", &output)
        case .line(let length, let size, let endsWithCRLF):
            consumed += size
            activity = .commands
            switch endsWithCRLF ? AuthenticateResponse(line: input.extracting(0..<length)) : .malformed {
            case .cancel: return refuse(tag, Refusal(status: .bad, text: "Cancelled"), &output)
            case .malformed: return refuse(tag, Refusal(status: .bad, text: "Not a line of base64"), &output)
            case .response(let response):
                var exchange = exchange
                let step = response.withBytes { exchange.respond($0) }
                return follow(step, tag, exchange, &output)
            }
        }
    }

    private mutating func follow(
        _ step: SASLServerStep, _ tag: String, _ exchange: SASLServerExchange, _ output: inout SessionOutput
    ) -> Step {
        switch step {
        case .challenge(let challenge):
            activity = .authenticating(tag: tag, exchange)
            output.bytes.append("+ ")
            output.bytes.append(Base64.encode(challenge))
            output.bytes.appendLineEnd()
            return .ready
        case .verify(let credentials):
            return verify(tag, credentials, mechanism: exchange.mechanism.rawValue, &output)
        case .malformed(let text):
            return refuse(tag, Refusal(status: .bad, text: text), &output)
        }
    }

    /// RFC 8437 §3. What a connection's next user must not inherit cannot be listed: a fresh session has none of it.
    /// Failed logins count on: otherwise whoever has an account could guess at others' for as long as he likes.
    mutating func unauthenticate(_ tag: String, _ output: inout SessionOutput) -> Step {
        guard settings.offersUnauthenticate else {
            return refuse(tag, Refusal(status: .bad, text: "Unknown command"), &output)
        }
        output.events.append(.unauthenticated)
        var fresh = IMAPSession(context: context, settings: settings, store: store)
        fresh.tls = tls
        fresh.isFirstLine = false
        fresh.failedLogins = failedLogins
        // RFC 8437 §4.1: compression ends behind the OK.
        if isCompressed { fresh.ending = .stopCompression }
        self = fresh
        return conclude(tag, .ok, "Log in again", &output)
    }

    private mutating func verify(
        _ tag: String, _ credentials: PasswordCredentials, mechanism: String, _ output: inout SessionOutput
    ) -> Step {
        let login = credentials.authenticationIdentity
        return perform(.authenticate(credentials, from: context.peer)) { session, outcome, output in
            switch outcome {
            case .authentication(.success(let account)):
                output.events.append(.authenticated(login: account.address.description, mechanism: mechanism))
                session.state = .authenticated(account)
                session.reader.commandLimit = IMAPLimits.command
                return session.conclude(tag, .ok, .capability(session.capabilities), "Logged in", &output)
            case .authentication(.failure(let reason)):
                output.events.append(.authenticationFailed(login: login, mechanism: mechanism, reason: reason))
                return session.refuseLogin(tag, .authenticationFailed, "Wrong name or password", &output)
            case .authentication(.unavailable(let reason)):
                output.events.append(.notice("authentication unavailable: \(reason)"))
                return session.refuseLogin(tag, .unavailable, "Try again later", &output)
            case _:
                return session.conclude(tag, .no, .unavailable, "Try again later", &output)
            }
        }
    }

    /// One answer for every wrong name or password (RFC 5530), so that nothing can be learnt from it.
    private mutating func refuseLogin(
        _ tag: String, _ code: ResponseCode, _ text: String, _ output: inout SessionOutput
    ) -> Step {
        failedLogins += 1
        output.bytes.append(status: .no, tag: tag, code: code, text)
        guard failedLogins >= IMAPSettings.maximumFailedLogins else { return .ready }
        return farewell("Too many failed logins", &output)
    }
}
