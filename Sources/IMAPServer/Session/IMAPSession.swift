import IMAPSyntax
package import MailStore
import MailVocabulary
import SASL
package import TLSPolicy
package import WireFraming

/// One IMAP connection (RFC 3501) as a state machine. How it comes to its answers:
///
///     received ─► CommandReader ─► command table ─► Commands/… ─► perform(work) ─► completed
///                                                       │                              │
///                                                       └────────► outgoing ◄──────────┘
///                                                                     │ pump
///                                                                  output
///
/// - A command's file holds all of it: what it asks of the store, and, as a continuation, what it makes of the answer.
/// - All that is written waits its turn in `outgoing`; a command is over when that is empty.
/// - Input is read only between commands, so pipelined commands are answered in order.
package struct IMAPSession: ProtocolSession, ~Copyable {
    package typealias Work = IMAPWork
    package typealias Outcome = IMAPOutcome
    typealias Step = SessionStep<IMAPWork>
    /// What is made of an outcome.
    typealias Continuation = (inout IMAPSession, IMAPOutcome, inout SessionOutput) -> Step

    let context: SessionContext
    let settings: IMAPSettings
    /// For what needs no waiting: a mailbox that is open, a new body.
    let store: any MailStore
    /// For what may be offered; deciding is work.
    let authenticator: any Authenticator

    var tls: TLSDescription?
    /// Whether COMPRESS is active.
    var isCompressed = false
    var state = SessionState.notAuthenticated
    var enabled: EnabledFeatures = []
    /// Nil until NOTIFY is first given.
    var notifications: Notifications?
    var activity = Activity.commands
    /// From ID.
    var clientName: String?
    var reader = CommandReader()
    var outgoing: [Outgoing] = []
    /// What follows when all is written.
    var ending = Ending.ready
    var continuation: Continuation?
    var failedLogins = 0
    /// Commands answered BAD; once logged in, in a row.
    var errors = 0
    /// Names in the present command that are written otherwise than the mailboxes are called.
    var normalised: [NormalisedName] = []
    /// Octets of the present command's literals, counted before authentication.
    var literalOctets: UInt64 = 0
    /// Until the first command: a foreign protocol shows itself in its first line.
    var isFirstLine = true

    /// Whose the next bytes are.
    enum Activity {
        case commands
        case authenticating(tag: String, any AuthenticationExchange)
        /// Refused, and told why; the client is still to say something.
        case rejecting(tag: String, AuthenticationRefusal)
        case appending(AppendInProgress)
        case idling(tag: String, Observation?)
    }

    enum Ending {
        case ready, close, startTLS, startCompression, stopCompression
    }

    package init(
        context: SessionContext, settings: IMAPSettings = IMAPSettings(), store: any MailStore,
        authenticator: any Authenticator
    ) {
        self.context = context
        self.settings = settings
        self.store = store
        self.authenticator = authenticator
        tls = context.tls
        reader.commandLimit = IMAPLimits.commandBeforeLogin
    }

    // ProtocolSession

    package mutating func connected(_ output: inout SessionOutput) -> SessionStep<IMAPWork> {
        output.bytes.append(status: .ok, tag: nil, code: .capability(capabilities), "\(context.hostname) ready")
        return .ready
    }

    package mutating func received(
        _ input: Span<UInt8>, consumed: inout Int, _ output: inout SessionOutput
    ) -> SessionStep<IMAPWork> {
        switch activity {
        case .commands: readCommand(input, &consumed, &output)
        case .authenticating, .rejecting: readSASLResponse(input, &consumed, &output)
        case .appending(let append): readMessage(append, input, &consumed, &output)
        case .idling(let tag, _): readDone(tag, input, &consumed, &output)
        }
    }

    package mutating func completed(
        _ outcome: IMAPOutcome, _ output: inout SessionOutput
    ) -> SessionStep<IMAPWork> {
        guard let continuation else { return .ready }
        self.continuation = nil
        return continuation(&self, outcome, &output)
    }

    package mutating func produce(_ output: inout SessionOutput) -> SessionStep<IMAPWork> { pump(&output) }

    package mutating func secured(_ tls: TLSDescription, _ output: inout SessionOutput) -> SessionStep<IMAPWork> {
        // RFC 3501 §6.2.1: what was learnt before is forgotten. A fresh session is the surest way.
        self = IMAPSession(context: context, settings: settings, store: store, authenticator: authenticator)
        self.tls = tls
        return .ready
    }

    package mutating func changed(_ output: inout SessionOutput) -> SessionStep<IMAPWork> {
        switch activity {
        case .idling:
            outgoing.append(.updates(UpdateRules()))
            outgoing.append(.notifications)
            return pump(&output)
        case .commands: return tellUnasked(&output)
        // Told when the command ends.
        case .authenticating, .rejecting, .appending: return .needInput
        }
    }

    package mutating func timedOut(_ output: inout SessionOutput) {
        output.bytes.append(status: .bye, tag: nil, "Autologout: idle for too long")
        state = .logout
    }

    package mutating func stopping(_ output: inout SessionOutput) {
        output.bytes.append(status: .bye, tag: nil, code: .unavailable, "The server is shutting down")
        state = .logout
    }

    package var patience: Duration { isAuthenticated ? settings.patience : settings.unauthenticatedPatience }

    package var isAuthenticated: Bool { state.account != nil }

    // For commands

    mutating func perform(_ work: IMAPWork, then continuation: @escaping Continuation) -> Step {
        self.continuation = continuation
        // RFC 5465 §5: what the client does itself it is not told.
        if let watch = notifications?.watched?.watch { return .perform(.attributed(work, to: watch.number)) }
        return .perform(work)
    }

    /// Puts something to be written behind what already waits.
    mutating func enqueue(_ bytes: OutputBuffer) {
        guard !bytes.isEmpty else { return }
        var bytes = bytes
        outgoing.append(.bytes(bytes.take(), written: 0))
    }

    mutating func enqueue(_ pieces: [ResponsePiece]) {
        for piece in pieces {
            switch piece {
            case .bytes(let bytes): outgoing.append(.bytes(bytes, written: 0))
            case .numbers(let numbers): outgoing.append(.numbers(numbers))
            }
        }
    }

    /// Ends a command: what else happened, then the tagged response.
    mutating func conclude(
        _ tag: String, _ status: StatusKind, _ code: ResponseCode?, _ text: String,
        updates: UpdateRules = UpdateRules(), _ output: inout SessionOutput
    ) -> Step {
        outgoing.append(.updates(updates))
        if notifications != nil { outgoing.append(.notifications) }
        outgoing.append(.tagged(TaggedReply(tag: tag, status: status, code: code, text: text)))
        return pump(&output)
    }

    /// Writes the tagged response, with HIGHESTMODSEQ where it is to be told (RFC 7162 §3.2.7).
    private mutating func write(_ reply: TaggedReply, _ output: inout OutputBuffer) {
        var code = reply.code
        if enabled.contains(.condstore), var mailbox = state.mailbox, let modSeq = mailbox.takeModSeqToTell() {
            state.replaceMailbox(mailbox)
            if code == nil, reply.status == .ok {
                code = .highestModSeq(modSeq)
            } else if case .messageLimit = code, reply.status == .ok {
                // RFC 7162 §3.2.9 has it there in any case, so the limit goes where RFC 9738 §3.1 has it beside another.
                output.append(status: .no, tag: nil, code: code, reply.text)
                code = .highestModSeq(modSeq)
            } else {
                output.append(status: .ok, tag: nil, code: .highestModSeq(modSeq), "Told so far")
            }
        }
        output.append(status: reply.status, tag: reply.tag, code: code, reply.text)
    }

    mutating func conclude(
        _ tag: String, _ status: StatusKind, _ text: String, updates: UpdateRules = UpdateRules(),
        _ output: inout SessionOutput
    ) -> Step {
        conclude(tag, status, nil, text, updates: updates, &output)
    }

    /// BYE, and the end.
    mutating func farewell(_ text: String, code: ResponseCode? = nil, _ output: inout SessionOutput) -> Step {
        state = .logout
        outgoing = []
        output.bytes.append(status: .bye, tag: nil, code: code, text)
        return .close
    }

    /// Writes what waits, as much as one step may; when all is written, the command is over.
    mutating func pump(_ output: inout SessionOutput) -> Step {
        while !outgoing.isEmpty {
            guard output.bytes.count < productionChunk else { return .produce }
            switch outgoing.removeFirst() {
            case .bytes(let bytes, let written):
                let end = min(bytes.count, written + productionChunk - output.bytes.count)
                output.bytes.append(whole: bytes[written..<end])
                if end < bytes.count { outgoing.insert(.bytes(bytes, written: end), at: 0) }
            case .expunges(var list):
                if !list.write(&output.bytes) { outgoing.insert(.expunges(list), at: 0) }
            case .vanished(var list):
                if !list.write(&output.bytes) { outgoing.insert(.vanished(list), at: 0) }
            case .flags(var list):
                if !list.write(&output.bytes) { outgoing.insert(.flags(list), at: 0) }
            case .numbers(var list):
                if !list.write(&output.bytes, upTo: productionChunk) { outgoing.insert(.numbers(list), at: 0) }
            case .fetch(let stream):
                if let step = advance(stream, &output) { return step }
            case .search(let search):
                return goOn(search, &output)
            case .multiSearch(let search):
                return goOn(search, &output)
            case .contexts:
                if let step = updateContexts(&output) { return step }
            case .urls(let stream):
                if let step = advance(stream) { return step }
            case .notices(var list):
                if !list.write(&output.bytes) { outgoing.insert(.notices(list), at: 0) }
            case .notifications:
                if let step = tellNotifications(&output) { return step }
            case .updates(let rules):
                if let step = tellUpdates(rules, &output) { return step }
            case .tagged(let reply): write(reply, &output.bytes)
            }
        }
        defer { if ending != .close { ending = .ready } }
        switch ending {
        case .ready: return .ready
        case .close: return .close
        case .startTLS: return .startTLS
        case .startCompression: return .startCompression
        case .stopCompression: return .stopCompression
        }
    }
}
