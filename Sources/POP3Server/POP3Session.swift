package import MailStore
import POP3Syntax
import SASL
package import TLSPolicy
package import WireFraming

/// One POP3 connection, as a machine (see `ProtocolSession` for who calls what).
///
///     authorization ⇄ exchange            AUTH's challenges and responses
///           │  ▲
///      STLS │  │ refused                  handshaking loops back to a fresh authorization
///           ▼  │
///        opening                          password verified, maildrop locked, view taken
///           │
///           ▼
///     transaction ⇄ fetching ⇄ sending    RETR and TOP read by ranges; LIST and UIDL only send
///           │
///           ▼ QUIT
///        updating ─► closed               the only way to delete anything
///
/// Read next: `CommandTable` (who may say what, when), then Commands/, one file for each group of commands.
///
/// What the RFCs leave open, and this server decides:
/// - Nothing about credentials is heard before TLS: USER, PASS and AUTH are refused by the table, unparsed.
/// - A command may end in a bare LF (people with netcat); a control character anywhere in it is an error.
/// - Replies are static texts and numbers of our own, so nothing a client sends comes back.
package struct POP3Session: ProtocolSession, ~Copyable {
    package typealias Step = SessionStep<POP3Work>

    /// Mistakes before the connection is closed: a person's typing stays below, a scanner does not.
    static let maximumMistakes = 10
    /// Refused logins before the connection is closed: guessing costs a handshake for every few tries.
    static let maximumFailedLogins = 3
    /// RFC 1939 §3: an autologout timer must be of at least 10 minutes' duration.
    static let transactionPatience = Duration.seconds(600)
    /// Nobody is logged in who could be logged out: before that, silence only holds a connection that others need.
    static let authorizationPatience = Duration.seconds(60)

    let context: SessionContext
    /// For what may be offered; deciding is work.
    let authenticator: any Authenticator
    private(set) var tls: TLSDescription?
    var state: State = .authorization(Authorization())
    private var mistakes = 0
    var failedLogins = 0
    /// How far the first line was searched for its end.
    private var searched = 0
    /// Octets written since the socket was last known to have drained.
    private var undrained = 0

    package init(_ context: SessionContext, authenticator: any Authenticator) {
        self.context = context
        self.authenticator = authenticator
        tls = context.tls
    }

    // Events

    // greeting = "+OK" [resp-code] *gchar CRLF          RFC 2449 §3; without a timestamp, since there is no APOP
    package mutating func connected(_ output: inout SessionOutput) -> Step {
        output.bytes.append("+OK ")
        output.bytes.append(context.hostname)
        output.bytes.appendLine(" POP3 server ready")
        return .needInput
    }

    package mutating func received(
        _ input: Span<UInt8>, consumed: inout Int, _ output: inout SessionOutput
    ) -> Step {
        switch frameLine(input, limit: lineLimit, searched: &searched) {
        case .incomplete:
            return .needInput
        case .tooLong:
            return violation("line too long", &output)
        case .line(let length, let end, _):
            consumed = end
            searched = 0
            let before = output.bytes.count
            let step = line(input.extracting(0..<length), isLast: end == input.count, &output)
            return paced(step, written: output.bytes.count - before)
        }
    }

    package mutating func completed(_ outcome: POP3Outcome, _ output: inout SessionOutput) -> Step {
        let before = output.bytes.count
        let step = resume(with: outcome, &output)
        return paced(step, written: output.bytes.count - before)
    }

    package mutating func produce(_ output: inout SessionOutput) -> Step {
        undrained = 0
        switch takeState() {
        case .sending(.listing(let listing), let maildrop): return send(listing, maildrop, &output)
        case .sending(.message(let transfer), let maildrop): return proceed(transfer, maildrop, &output)
        case .authorization(let client): state = .authorization(client)
        case .exchange(let exchange, let client): state = .exchange(exchange, client)
        case .rejecting(let refusal, let client): state = .rejecting(refusal, client)
        case .transaction(let maildrop): state = .transaction(maildrop)
        case .handshaking, .opening, .fetching, .updating, .closed: return .close
        }
        return .ready
    }

    package mutating func secured(_ tls: TLSDescription, _ output: inout SessionOutput) -> Step {
        guard case .handshaking = takeState() else { return .close }
        self.tls = tls
        state = .authorization(Authorization())
        searched = 0
        return .needInput
    }

    /// A POP3 session observes nothing: its view of the maildrop is the one it got at login.
    package mutating func changed(_ output: inout SessionOutput) -> Step { .needInput }

    /// RFC 1939 §3: close without sending anything, and without deleting.
    package mutating func timedOut(_ output: inout SessionOutput) { state = .closed }

    /// POP3 has no reply without a command.
    package mutating func stopping(_ output: inout SessionOutput) { state = .closed }

    package var patience: Duration { isAuthenticated ? Self.transactionPatience : Self.authorizationPatience }

    package var isAuthenticated: Bool {
        switch state {
        case .transaction, .fetching, .sending, .updating: true
        case .authorization, .exchange, .rejecting, .handshaking, .opening, .closed: false
        }
    }

    // Lines

    /// Octets a line may have in the present state.
    private var lineLimit: Int {
        switch state {
        case .authorization: POP3Limits.auth
        case .exchange, .rejecting: POP3Limits.response
        case .handshaking, .opening, .transaction, .fetching, .sending, .updating, .closed: POP3Limits.command
        }
    }

    private mutating func line(_ line: Span<UInt8>, isLast: Bool, _ output: inout SessionOutput) -> Step {
        switch state {
        case .authorization: command(line, in: .authorization, isLast: isLast, &output)
        case .exchange, .rejecting: respond(line, &output)
        case .transaction: command(line, in: .transaction, isLast: isLast, &output)
        // The driver gives no input in these.
        case .handshaking, .opening, .fetching, .sending, .updating, .closed: .close
        }
    }

    private mutating func command(
        _ line: Span<UInt8>, in phase: Phase, isLast: Bool, _ output: inout SessionOutput
    ) -> Step {
        for index in line.indices where POP3Command.isControl(line[index]) {
            return mistake("control characters have no place in a command", &output)
        }
        var cursor = ByteCursor(line)
        guard let verb = POP3Verb(&cursor) else { return unknownCommand(line, in: phase, &output) }
        if let refusal = refusal(of: verb, in: phase, length: line.count, isLast: isLast, &output) { return refusal }
        do throws(POP3SyntaxError) {
            return perform(try POP3Command(verb, &cursor), &output)
        } catch {
            return mistake(error.text, &output)
        }
    }

    /// Holds a command to the table. Nil when it may proceed.
    private mutating func refusal(
        of verb: POP3Verb, in phase: Phase, length: Int, isLast: Bool, _ output: inout SessionOutput
    ) -> Step? {
        let rule = verb.rule
        if !rule.phases.contains(phase) { return mistake("command not permitted in this state", &output) }
        if tls == nil, !rule.beforeTLS {
            if rule.carriesSecret { output.events.append(.notice("\(verb.rawValue) refused: it came without TLS")) }
            // Not [AUTH]: that would have the client ask its user for a password, which is not what is wrong.
            return mistake("TLS is required before authentication", code: .permanent, &output)
        }
        if tls == nil, rule.endsBatch, !isLast { return violation("command sent behind STLS", &output) }
        if length > rule.maximumLength { return mistake("command too long", &output) }
        return nil
    }

    private mutating func perform(_ command: POP3Command, _ output: inout SessionOutput) -> Step {
        switch command {
        case .auth(let authentication): authenticate(authentication, &output)
        case .capa: listCapabilities(&output)
        case .dele(let number): delete(number, &output)
        case .lang(let range): chooseLanguage(range, &output)
        case .list(let number): list(number, &output)
        case .noop: noop(&output)
        case .pass(let password): enter(password, &output)
        case .quit: quit(&output)
        case .retr(let number): retrieve(number, top: nil, &output)
        case .rset: reset(&output)
        case .stat: status(&output)
        case .stls: startTLS(&output)
        case .top(let number, let lines): retrieve(number, top: TopLimit(lines: lines), &output)
        case .uidl(let number): listUniqueIDs(number, &output)
        case .user(let name): identify(name, &output)
        case .utf8: enableUTF8(&output)
        }
    }

    private mutating func resume(with outcome: POP3Outcome, _ output: inout SessionOutput) -> Step {
        switch takeState() {
        case .opening(let attempt, let client): opened(outcome, attempt, client, &output)
        case .fetching(let transfer, let ahead, let maildrop): fetched(outcome, transfer, ahead, maildrop, &output)
        case .updating: updated(outcome, &output)
        // No work is under way in these.
        case .authorization, .exchange, .rejecting, .handshaking, .transaction, .sending, .closed: .close
        }
    }

    // What the commands share

    /// Takes the state out; whoever does puts the next one in.
    mutating func takeState() -> State { exchange(&state, with: .closed) }

    /// Lends the maildrop to a command. The table has seen to it that there is one.
    mutating func withMaildrop(_ body: (inout Maildrop) -> Step) -> Step {
        guard case .transaction(var maildrop) = takeState() else { return .close }
        let step = body(&maildrop)
        state = .transaction(maildrop)
        return step
    }

    /// Answers a command that should not have come; too many of them end the connection.
    mutating func mistake(
        _ text: StaticString, code: POP3ResponseCode? = nil, _ output: inout SessionOutput
    ) -> Step {
        mistakes += 1
        guard mistakes < Self.maximumMistakes else {
            state = .closed
            output.bytes.error("too many bad commands")
            output.events.append(.notice("closed after \(mistakes) bad commands"))
            return .close
        }
        output.bytes.error(text, code: code)
        return .ready
    }

    /// Ends the connection for what only attacks and broken software do.
    mutating func violation(_ text: StaticString, _ output: inout SessionOutput) -> Step {
        state = .closed
        output.bytes.error(text)
        output.events.append(.violation("\(text)"))
        return .close
    }

    /// A client that sends commands and reads no answers must not make memory grow: now and then the socket drains.
    private mutating func paced(_ step: Step, written: Int) -> Step {
        undrained += written
        if case .ready = step, undrained >= productionChunk { return .produce }
        return step
    }
}

extension POP3SyntaxError {
    var text: StaticString {
        switch self {
        case .controlCharacter: "control characters have no place in a command"
        case .missingArgument: "an argument is missing"
        case .unexpectedArgument: "too many arguments, or not separated by one space"
        case .invalidNumber: "not a number"
        case .invalidMechanism: "not the name of a mechanism"
        case .invalidLanguage: "not a language range"
        case .invalidUTF8: "names and passwords must be UTF-8"
        case .argumentTooLong: "an argument is too long"
        }
    }
}
