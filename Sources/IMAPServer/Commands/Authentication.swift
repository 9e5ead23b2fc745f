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

    /// What a client has shown of itself by now.
    var authenticationContext: AuthenticationContext {
        AuthenticationContext(service: "imap", context, tls: tls, clientName: clientName)
    }

    /// RFC 3501 §6.2.3.
    mutating func login(
        _ tag: String, _ user: String, _ password: Secret, _ output: inout SessionOutput
    ) -> Step {
        let authenticationContext = authenticationContext
        guard authenticator.acceptsPasswordCommands(authenticationContext) else {
            return refuse(tag, Refusal(status: .no, code: .cannot, text: "LOGIN is disabled"), &output)
        }
        let credentials = PasswordCredentials(authenticationIdentity: user, password: password)
        return perform(.logIn(credentials, authenticationContext)) { session, outcome, output in
            session.conclude(outcome, tag, nil, &output)
        }
    }

    /// RFC 3501 §6.2.2, RFC 4959.
    mutating func authenticate(
        _ tag: String, _ mechanism: String, _ initialResponse: Secret?, _ output: inout SessionOutput
    ) -> Step {
        let authenticationContext = authenticationContext
        // Only what CAPABILITY offers.
        let offered = authenticator.mechanisms(for: authenticationContext)
        guard let mechanism = SASLMechanism(name: mechanism), offered.contains(mechanism) else {
            let text = offered.isEmpty ? "No mechanism is offered" : "Mechanisms: \(offered.wireNames)"
            return refuse(tag, Refusal(status: .no, code: .cannot, text: text), &output)
        }
        return respond(tag, authenticator.exchange(mechanism, authenticationContext), initialResponse, &output)
    }

    /// A line of base64, or `*`, which cancels.
    mutating func readSASLResponse(
        _ input: Span<UInt8>, _ consumed: inout Int, _ output: inout SessionOutput
    ) -> Step {
        switch reader.nextLine(input, limit: SASLLimits.encodedResponse) {
        case .incomplete: return .needInput
        case .tooLong:
            output.events.append(.violation("a SASL response that is too long"))
            return farewell("The response is too long", &output)
        case .line(let length, let size, let endsWithCRLF):
            consumed += size
            let line = endsWithCRLF ? AuthenticateResponse(line: input.extracting(0..<length)) : .malformed
            switch Swift.exchange(&activity, with: .commands) {
            case .authenticating(let tag, let exchange): return takeResponse(line, tag, exchange, &output)
            case .rejecting(let tag, let refusal): return refuseLogin(tag, refusal, &output)
            case .commands, .appending, .idling: return .ready
            }
        }
    }

    private mutating func takeResponse(
        _ line: AuthenticateResponse, _ tag: String, _ exchange: any AuthenticationExchange,
        _ output: inout SessionOutput
    ) -> Step {
        switch line {
        case .cancel: refuse(tag, Refusal(status: .bad, text: "Cancelled"), &output)
        case .malformed: refuse(tag, Refusal(status: .bad, text: "Not a line of base64"), &output)
        case .response(let response): respond(tag, exchange, response, &output)
        }
    }

    private mutating func respond(
        _ tag: String, _ exchange: any AuthenticationExchange, _ response: Secret?, _ output: inout SessionOutput
    ) -> Step {
        perform(.authenticate(exchange, response)) { session, outcome, output in
            session.conclude(outcome, tag, exchange, &output)
        }
    }

    /// RFC 8437 §3. What a connection's next user must not inherit cannot be listed: a fresh session has none of it.
    /// Failed logins count on: otherwise whoever has an account could guess at others' for as long as he likes.
    mutating func unauthenticate(_ tag: String, _ output: inout SessionOutput) -> Step {
        guard settings.offersUnauthenticate else {
            return refuse(tag, Refusal(status: .bad, text: "Unknown command"), &output)
        }
        output.events.append(.unauthenticated)
        var fresh = IMAPSession(context: context, settings: settings, store: store, authenticator: authenticator)
        fresh.tls = tls
        fresh.isFirstLine = false
        fresh.failedLogins = failedLogins
        // RFC 8437 §4.1: compression ends behind the OK.
        if isCompressed { fresh.ending = .stopCompression }
        self = fresh
        return conclude(tag, .ok, "Log in again", &output)
    }

    /// - Parameter exchange: nil for LOGIN.
    private mutating func conclude(
        _ outcome: IMAPOutcome, _ tag: String, _ exchange: (any AuthenticationExchange)?, _ output: inout SessionOutput
    ) -> Step {
        guard case .authentication(let step) = outcome else {
            return conclude(tag, .no, .unavailable, "Try again later", &output)
        }
        let mechanism = exchange?.mechanism.rawValue ?? "LOGIN"
        switch step {
        case .challenge(let challenge):
            guard let exchange else { return conclude(tag, .no, .unavailable, "Try again later", &output) }
            return send(challenge, then: .authenticating(tag: tag, exchange), &output)
        case .success(let user):
            output.events.append(.authenticated(login: user.account.address.description, mechanism: mechanism))
            state = .authenticated(user.account)
            reader.commandLimit = IMAPLimits.command
            return conclude(tag, .ok, .capability(capabilities), "Logged in", &output)
        case .failure(let refusal):
            note(refusal, mechanism, &output)
            return refuseLogin(tag, refusal, &output)
        case .rejection(let message, let refusal):
            note(refusal, mechanism, &output)
            return send(message, then: .rejecting(tag: tag, refusal), &output)
        case .unavailable(let reason):
            output.events.append(.notice("authentication unavailable: \(reason)"))
            return refuseLogin(tag, .unavailable, "Try again later", &output)
        case .malformed(let text):
            return refuse(tag, Refusal(status: .bad, text: text), &output)
        }
    }

    private mutating func send(_ challenge: [UInt8], then next: Activity, _ output: inout SessionOutput) -> Step {
        activity = next
        output.bytes.append("+ ")
        output.bytes.append(Base64.encode(challenge))
        output.bytes.appendLineEnd()
        return .ready
    }

    private func note(_ refusal: AuthenticationRefusal, _ mechanism: String, _ output: inout SessionOutput) {
        output.events.append(
            .authenticationFailed(login: refusal.login, mechanism: mechanism, reason: refusal.reason))
    }

    /// RFC 5530's codes.
    private mutating func refuseLogin(
        _ tag: String, _ refusal: AuthenticationRefusal, _ output: inout SessionOutput
    ) -> Step {
        switch refusal.kind {
        case .credentials: refuseLogin(tag, .authenticationFailed, "Wrong name or password", &output)
        case .policy: refuseLogin(tag, .authorizationFailed, "Not permitted from here", &output)
        case .encryptionNeeded: refuseLogin(tag, .privacyRequired, "The connection needs better protection", &output)
        case .expired: refuseLogin(tag, .expired, "Choose a new password", &output)
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

extension [SASLMechanism] {
    /// As in a list for people.
    fileprivate var wireNames: String { map(\.rawValue).joined(separator: " ") }
}
