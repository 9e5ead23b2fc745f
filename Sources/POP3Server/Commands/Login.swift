import MailStore
import MailVocabulary
import POP3Syntax
import SASL
import WireFraming

// USER and PASS (RFC 1939 §7), AUTH (RFC 5034). The table lets none of them through without TLS.
extension POP3Session {
    // "USER" SP name
    /// Any name is accepted: whether there is such an account is not told before a password is right.
    mutating func identify(_ name: String, _ output: inout SessionOutput) -> Step {
        guard case .authorization(var client) = takeState() else { return .close }
        client.user = name
        state = .authorization(client)
        output.bytes.ok("send PASS")
        return .ready
    }

    /// What the client has shown of itself by now.
    private var authenticationContext: AuthenticationContext {
        AuthenticationContext(service: "pop3", context, tls: tls)
    }

    /// The mechanisms of AUTH as things are.
    var mechanisms: [SASLMechanism] { authenticator.mechanisms(for: authenticationContext) }

    // "PASS" SP string
    mutating func enter(_ password: Secret, _ output: inout SessionOutput) -> Step {
        guard case .authorization(var client) = takeState() else { return .close }
        let named = exchange(&client.user, with: nil)
        state = .authorization(client)
        guard let name = named else { return mistake("send USER first", &output) }
        let credentials = PasswordCredentials(authenticationIdentity: name, password: password)
        return open(.logIn(credentials, authenticationContext), LoginAttempt())
    }

    // "AUTH" [SP sasl-mech [SP initial-response]]
    mutating func authenticate(_ authentication: POP3Authentication?, _ output: inout SessionOutput) -> Step {
        guard let authentication else { return listMechanisms(&output) }
        guard let mechanism = SASLMechanism(name: authentication.mechanism), mechanisms.contains(mechanism) else {
            return mistake("mechanism not supported", &output)
        }
        let exchange = authenticator.exchange(mechanism, authenticationContext)
        guard let response = authentication.initialResponse else { return respond(exchange, nil) }
        return response.withBytes { bytes in
            // "=" is an initial response of no octets (RFC 5034 §4).
            let isEmpty = bytes.count == 1 && bytes[0] == UInt8(ascii: "=")
            return take(bytes.extracting(0..<(isEmpty ? 0 : bytes.count)), exchange, &output)
        }
    }

    private func listMechanisms(_ output: inout SessionOutput) -> Step {
        output.bytes.ok("mechanisms follow")
        for mechanism in mechanisms { output.bytes.appendLine(mechanism.rawValue) }
        output.bytes.appendTerminator()
        return .ready
    }

    // base64 / "*"
    /// A line of the exchange that AUTH began.
    mutating func respond(_ line: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        switch takeState() {
        case .exchange(let exchange, let client):
            state = .authorization(client)
            guard !(line.count == 1 && line[0] == UInt8(ascii: "*")) else {
                return mistake("authentication cancelled", &output)
            }
            return take(line, exchange, &output)
        case .rejecting(let refusal, let client): return deny(refusal, client, &output)
        case .authorization, .handshaking, .opening, .transaction, .fetching, .sending, .updating, .closed:
            return .close
        }
    }

    private mutating func take(
        _ base64: Span<UInt8>, _ exchange: any AuthenticationExchange, _ output: inout SessionOutput
    ) -> Step {
        guard let response = Base64.decode(base64) else { return mistake("not base64", &output) }
        return respond(exchange, Secret(response))
    }

    private mutating func respond(_ exchange: any AuthenticationExchange, _ response: Secret?) -> Step {
        open(.authenticate(exchange, response), LoginAttempt(exchange: exchange))
    }

    /// Every way in leads through here.
    private mutating func open(_ work: POP3Work, _ attempt: LoginAttempt) -> Step {
        guard tls != nil, case .authorization(let client) = takeState() else {
            state = .closed
            return .close
        }
        state = .opening(attempt, client)
        return .perform(work)
    }

    /// The answer to `POP3Work.authenticate` and `.logIn`.
    mutating func opened(
        _ outcome: POP3Outcome, _ attempt: LoginAttempt, _ client: Authorization, _ output: inout SessionOutput
    ) -> Step {
        switch outcome {
        case .opened(let user, let messages, let lock):
            let maildrop = Maildrop(user.account, messages, lock, isUTF8: client.isUTF8)
            state = .transaction(maildrop)
            output.events.append(
                .authenticated(login: user.account.address.description, mechanism: attempt.mechanism))
            output.bytes.okMaildrop(count: maildrop.count, octets: maildrop.octets)
            return .ready
        case .answered(let step): return proceed(step, attempt, client, &output)
        case .inUse(let account):
            return postpone(
                .inUse, "the maildrop is in use", "maildrop of \(account.address) in use", client, &output)
        case .unavailable(let reason):
            return postpone(.temporary, Self.tryLater, reason, client, &output)
        case .bytes, .bodies, .bodyGone, .readFailed, .removed, .removalFailed:
            return .close
        }
    }

    private mutating func proceed(
        _ step: AuthenticationStep, _ attempt: LoginAttempt, _ client: Authorization, _ output: inout SessionOutput
    ) -> Step {
        switch step {
        case .challenge(let challenge):
            guard let exchange = attempt.exchange else { return .close }
            state = .exchange(exchange, client)
            output.bytes.continuation(Base64.encode(challenge))
            return .ready
        case .rejection(let message, let refusal):
            note(refusal, attempt, &output)
            state = .rejecting(refusal, client)
            output.bytes.continuation(Base64.encode(message))
            return .ready
        case .failure(let refusal):
            note(refusal, attempt, &output)
            return deny(refusal, client, &output)
        case .unavailable(let reason):
            // Counted, so that a flood gains nothing from being too much.
            _ = postpone(.temporary, Self.tryLater, reason, client, &output)
            return countFailure(client)
        case .malformed:
            state = .authorization(client)
            return mistake("the response does not fit the mechanism", &output)
        // Has opened the maildrop.
        case .success: return .close
        }
    }

    private func note(_ refusal: AuthenticationRefusal, _ attempt: LoginAttempt, _ output: inout SessionOutput) {
        output.events.append(
            .authenticationFailed(login: refusal.login, mechanism: attempt.mechanism, reason: refusal.reason))
    }

    /// RFC 3206's codes; there are two.
    private mutating func deny(
        _ refusal: AuthenticationRefusal, _ client: Authorization, _ output: inout SessionOutput
    ) -> Step {
        switch refusal.kind {
        case .credentials: output.bytes.error("authentication failed", code: .authentication)
        case .expired: output.bytes.error("choose a new password", code: .authentication)
        case .policy: output.bytes.error("not permitted from here", code: .permanent)
        case .encryptionNeeded: output.bytes.error("the connection needs better protection", code: .permanent)
        }
        return countFailure(client)
    }

    private static var tryLater: StaticString { "cannot log in now, try again later" }

    /// No wrong password was given.
    /// - Parameter reason: for the log only.
    private mutating func postpone(
        _ code: POP3ResponseCode, _ text: StaticString, _ reason: String, _ client: Authorization,
        _ output: inout SessionOutput
    ) -> Step {
        output.bytes.error(text, code: code)
        output.events.append(.notice("login not possible now: \(reason)"))
        state = .authorization(client)
        return .ready
    }

    private mutating func countFailure(_ client: Authorization) -> Step {
        failedLogins += 1
        guard failedLogins < Self.maximumFailedLogins else {
            state = .closed
            return .close
        }
        state = .authorization(client)
        return .ready
    }
}
