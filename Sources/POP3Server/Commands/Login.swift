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

    // "PASS" SP string
    mutating func enter(_ password: Secret, _ output: inout SessionOutput) -> Step {
        guard case .authorization(var client) = takeState() else { return .close }
        let named = exchange(&client.user, with: nil)
        state = .authorization(client)
        guard let name = named else { return mistake("send USER first", &output) }
        let credentials = PasswordCredentials(authenticationIdentity: name, password: password)
        return open(credentials, mechanism: "USER", &output)
    }

    // "AUTH" [SP sasl-mech [SP initial-response]]
    mutating func authenticate(_ authentication: POP3Authentication?, _ output: inout SessionOutput) -> Step {
        guard let authentication else { return listMechanisms(&output) }
        guard let mechanism = SASLMechanism(name: authentication.mechanism), Self.mechanisms.contains(mechanism) else {
            return mistake("mechanism not supported", &output)
        }
        var exchange = SASLServerExchange(mechanism)
        guard let response = authentication.initialResponse else {
            let step = exchange.start()
            return proceed(exchange, step, &output)
        }
        return response.withBytes { bytes in
            // "=" is an initial response of no octets (RFC 5034 §4).
            let isEmpty = bytes.count == 1 && bytes[0] == UInt8(ascii: "=")
            return take(bytes.extracting(0..<(isEmpty ? 0 : bytes.count)), exchange, &output)
        }
    }

    private func listMechanisms(_ output: inout SessionOutput) -> Step {
        output.bytes.ok("mechanisms follow")
        for mechanism in Self.mechanisms { output.bytes.appendLine(mechanism.rawValue) }
        output.bytes.appendTerminator()
        return .ready
    }

    // base64 / "*"
    /// A line of the exchange that AUTH began.
    mutating func respond(_ line: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        guard case .exchange(let exchange, let client) = takeState() else { return .close }
        state = .authorization(client)
        guard !(line.count == 1 && line[0] == UInt8(ascii: "*")) else {
            return mistake("authentication cancelled", &output)
        }
        return take(line, exchange, &output)
    }

    private mutating func take(
        _ base64: Span<UInt8>, _ exchange: SASLServerExchange, _ output: inout SessionOutput
    ) -> Step {
        guard let response = Base64.decode(base64) else { return mistake("not base64", &output) }
        var exchange = exchange
        let step = exchange.respond(response.span)
        return proceed(exchange, step, &output)
    }

    private mutating func proceed(
        _ exchange: SASLServerExchange, _ step: SASLServerStep, _ output: inout SessionOutput
    ) -> Step {
        switch step {
        case .challenge(let challenge):
            guard case .authorization(let client) = takeState() else { return .close }
            state = .exchange(exchange, client)
            output.bytes.continuation(Base64.encode(challenge))
            return .ready
        case .verify(let credentials): return open(credentials, mechanism: exchange.mechanism.rawValue, &output)
        case .malformed: return mistake("the response does not fit the mechanism", &output)
        }
    }

    /// Every way in leads through here.
    private mutating func open(
        _ credentials: PasswordCredentials, mechanism: String, _ output: inout SessionOutput
    ) -> Step {
        guard tls != nil, case .authorization(let client) = takeState() else {
            state = .closed
            return .close
        }
        let login = credentials.authenticationIdentity
        state = .opening(LoginAttempt(login: login, mechanism: mechanism), client)
        return .perform(.open(credentials, from: context.peer))
    }

    /// The answer to `POP3Work.open`.
    mutating func opened(
        _ outcome: POP3Outcome, _ attempt: LoginAttempt, _ client: Authorization, _ output: inout SessionOutput
    ) -> Step {
        switch outcome {
        case .opened(let account, let messages, let lock):
            let maildrop = Maildrop(account, messages, lock, isUTF8: client.isUTF8)
            state = .transaction(maildrop)
            output.events.append(
                .authenticated(login: account.address.description, mechanism: attempt.mechanism))
            output.bytes.okMaildrop(count: maildrop.count, octets: maildrop.octets)
            return .ready
        case .denied(let reason):
            output.bytes.error("authentication failed", code: .authentication)
            output.events.append(
                .authenticationFailed(login: attempt.login, mechanism: attempt.mechanism, reason: reason))
            return countFailure(client)
        case .undecided(let reason):
            // Counted, so that a flood gains nothing from being too much.
            _ = postpone(.temporary, Self.tryLater, reason, client, &output)
            return countFailure(client)
        case .inUse(let account):
            return postpone(
                .inUse, "the maildrop is in use", "maildrop of \(account.address) in use", client, &output)
        case .unavailable(let reason):
            return postpone(.temporary, Self.tryLater, reason, client, &output)
        case .bytes, .bodies, .bodyGone, .readFailed, .removed, .removalFailed:
            return .close
        }
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
