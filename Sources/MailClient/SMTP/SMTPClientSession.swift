import MailVocabulary
import SASL
package import SMTPSyntax
package import WireFraming

/// What must happen after an event, once the output is written.
package enum SMTPClientStep: Sendable, Equatable {
    /// Give what comes to `received`, within `patience`.
    case needInput
    /// Do the handshake, then call `secured`.
    case startTLS
    /// A transaction may begin; when one has ended, its answers are there.
    case ready
    /// The message is wanted: call `body` with its pieces, then `bodyEnded`.
    case sendBody
    /// The session is over; close the connection.
    case failed(SMTPClientError)
    /// The same, after QUIT.
    case ended
}

/// The client's side of an SMTP or LMTP session (RFC 5321, RFC 2033): bytes and decisions in, bytes and the next step
/// out. It does no I/O and reads no clock.
///
///      greeting ─► hello ─► [STARTTLS ─► handshake ─► hello] ─► [AUTH] ─► ready ⇄ transaction ─► quitting
///
/// What was learnt before TLS is forgotten with it, and where TLS or AUTH is demanded there is no way around it: not by
/// HELO, not by a server that does not offer or declines.
package struct SMTPClientSession: ~Copyable {
    enum State {
        case greeting
        case hello(isPlain: Bool)
        case startTLS
        case handshake
        case authenticating(SASLClientExchange)
        case ready
        /// Answers to RSET, MAIL and RCPT are due, and to a DATA that went with them.
        case addressing
        case data
        case body
        /// Answers to the message are due.
        case bodyEnd
        /// The answer to a message that nobody gets.
        case emptyMessageEnd
        case quitting
        case ended
    }

    let settings: SMTPClientSettings
    var state = State.greeting
    var transaction: TransactionProgress?
    /// Sender and recipients were named, and no message sent yet.
    var hasOpenTransaction = false
    /// The server may not have forgotten the last transaction.
    var needsReset = false
    private var parser = ReplyParser()
    package internal(set) var features = ServerFeatures()
    /// As in its greeting.
    package private(set) var greetedName = ""
    package private(set) var isSecured: Bool
    package private(set) var isAuthenticated = false
    /// Complete ones so far.
    package private(set) var replies = 0
    /// How many have ended.
    package internal(set) var transactions = 0

    package init(_ settings: SMTPClientSettings) {
        self.settings = settings
        isSecured = settings.security == .implicitTLS
    }

    // Events

    /// Octets from the server, from the first that was not consumed. Takes as many replies as are complete, up to one
    /// that needs more than input next.
    package mutating func received(
        _ input: Span<UInt8>, consumed: inout Int, _ output: inout OutputBuffer
    ) -> SMTPClientStep {
        while true {
            let reply: ReceivedReply?
            do throws(ReplyDefect) { reply = try parser.next(input, consumed: &consumed) } catch {
                return fail(.protocolViolation(reason: "what the server sent is no reply (\(error))"))
            }
            guard let reply else { return .needInput }
            replies += 1
            let step = take(reply, hasMore: consumed < input.count, &output)
            guard step == .needInput else { return step }
        }
    }

    /// The handshake that `.startTLS` asked for is done, verified as was demanded.
    package mutating func secured(_ output: inout OutputBuffer) -> SMTPClientStep {
        guard case .handshake = state else { return fail(.protocolViolation(reason: "no handshake was due")) }
        isSecured = true
        features = ServerFeatures()
        parser = ReplyParser()
        return sayHello(&output)
    }

    /// The server has ended its side.
    package mutating func disconnected() -> SMTPClientStep {
        if case .quitting = state { return .ended }
        return fail(.unreachable(reason: "the server closed the connection"))
    }

    /// Ends the session for a reason from outside: time, a broken connection, a message that cannot be read.
    package mutating func fail(_ error: SMTPClientError) -> SMTPClientStep {
        state = .ended
        transaction?.failRest(error)
        return .failed(error)
    }

    package mutating func quit(_ output: inout OutputBuffer) -> SMTPClientStep {
        output.append("QUIT\r\n")
        state = .quitting
        return .needInput
    }

    /// How long to wait for the server, or for the socket to take more (RFC 5321 §4.5.3.2).
    package var patience: Duration {
        switch state {
        case .greeting, .hello, .startTLS, .handshake, .authenticating, .ready, .addressing: .seconds(300)
        case .data: .seconds(120)
        case .body: .seconds(180)
        case .bodyEnd, .emptyMessageEnd: .seconds(600)
        // Nothing is lost with it.
        case .quitting, .ended: .seconds(5)
        }
    }

    // Replies

    private mutating func take(
        _ reply: ReceivedReply, hasMore: Bool, _ output: inout OutputBuffer
    ) -> SMTPClientStep {
        if case .quitting = state { return .ended }
        // At any time (RFC 5321 §3.8).
        if reply.code == 421 { return fail(.refused(reply)) }
        switch state {
        case .greeting:
            guard reply.isPositive else { return fail(.refused(reply)) }
            greetedName = ServerFeatures.name(reply)
            return sayHello(&output)
        case .hello(let isPlain):
            return takeHello(reply, isPlain: isPlain, &output)
        case .startTLS:
            return takeStartTLS(reply, hasMore: hasMore, &output)
        case .authenticating(let exchange):
            return takeChallenge(reply, exchange, &output)
        case .addressing:
            return takeAddressing(reply, &output)
        case .data:
            return takeData(reply, &output)
        case .bodyEnd:
            return takeFinal(reply)
        case .emptyMessageEnd:
            return takeEmptyMessageEnd(reply)
        case .handshake, .ready, .body, .quitting, .ended:
            return fail(.protocolViolation(reason: "an answer to nothing: \(reply.text)"))
        }
    }

    private mutating func sayHello(_ output: inout OutputBuffer) -> SMTPClientStep {
        say(settings.dialect == .lmtp ? "LHLO" : "EHLO", isPlain: false, &output)
    }

    private mutating func say(
        _ verb: StaticString, isPlain: Bool, _ output: inout OutputBuffer
    ) -> SMTPClientStep {
        do throws(UnsendableArgument) { try CommandWriter.hello(verb, settings.name, to: &output) } catch {
            return fail(.unsendableName)
        }
        state = .hello(isPlain: isPlain)
        return .needInput
    }

    private mutating func takeHello(
        _ reply: ReceivedReply, isPlain: Bool, _ output: inout OutputBuffer
    ) -> SMTPClientStep {
        guard reply.isPositive else {
            // A server from before RFC 1425. It has no TLS: only for those who need none.
            let mayBePlain = !isPlain && !isSecured && settings.dialect == .smtp && settings.allowsCleartext
            return mayBePlain && reply.isPermanent ? say("HELO", isPlain: true, &output) : fail(.refused(reply))
        }
        features = isPlain ? ServerFeatures() : ServerFeatures(reply)
        if isPlain { features.name = ServerFeatures.name(reply) }
        guard !isSecured else { return authenticate(&output) }
        switch settings.security {
        case .implicitTLS:
            return fail(.insecure(.notOffered))
        case .startTLS, .opportunistic:
            guard features.offers(.startTLS) else { return goOnInCleartext(.notOffered) }
            output.append("STARTTLS\r\n")
            state = .startTLS
            return .needInput
        case .cleartext:
            return goOnInCleartext(.notOffered)
        }
    }

    private mutating func takeStartTLS(
        _ reply: ReceivedReply, hasMore: Bool, _ output: inout OutputBuffer
    ) -> SMTPClientStep {
        guard reply.code == 220 else { return goOnInCleartext(.declined(reply)) }
        // Whoever wrote it was not inside TLS, and is to be heard neither before it nor within.
        guard !hasMore else { return fail(.insecure(.injectedOctets)) }
        state = .handshake
        return .startTLS
    }

    private mutating func goOnInCleartext(_ problem: TLSProblem) -> SMTPClientStep {
        guard settings.allowsCleartext else { return fail(.insecure(problem)) }
        state = .ready
        return .ready
    }

    // Authentication (RFC 4954), by the list received inside TLS

    private mutating func authenticate(_ output: inout OutputBuffer) -> SMTPClientStep {
        guard let credentials = settings.credentials else {
            state = .ready
            return .ready
        }
        guard let mechanism = SASLClientExchange.choose(from: features.mechanisms) else {
            return fail(.noCommonMechanism(offered: features.mechanisms))
        }
        var exchange = SASLClientExchange(mechanism, credentials)
        output.append("AUTH \(mechanism.mechanism.rawValue)")
        // With a longer response the line would be longer than servers must take (RFC 4954 §4, RFC 5321 §4.5.3.1.4).
        if let response = exchange.initialResponse() {
            let encoded = response.withBytes { bytes in Base64.encode(bytes.indices.map { bytes[$0] }) }
            if encoded.count <= 400 {
                output.append(" ")
                output.append(encoded)
            } else {
                exchange = SASLClientExchange(mechanism, credentials)
            }
        }
        output.appendLineEnd()
        state = .authenticating(exchange)
        return .needInput
    }

    private mutating func takeChallenge(
        _ reply: ReceivedReply, _ exchange: SASLClientExchange, _ output: inout OutputBuffer
    ) -> SMTPClientStep {
        if reply.isPositive {
            isAuthenticated = true
            state = .ready
            return .ready
        }
        guard reply.code == 334, let challenge = Base64.decode(Array(reply.lines[0].utf8).span) else {
            return fail(
                reply.isIntermediate ? .protocolViolation(reason: "a challenge not in base64") : .refused(reply))
        }
        var exchange = exchange
        guard let response = exchange.respond(to: challenge) else {
            return fail(.protocolViolation(reason: "more challenges than \(exchange.mechanism.mechanism.rawValue) has"))
        }
        output.append(response.withBytes { bytes in Base64.encode(bytes.indices.map { bytes[$0] }) })
        output.appendLineEnd()
        state = .authenticating(exchange)
        return .needInput
    }
}
