package import WireFraming

/// What a client's bytes came to.
package enum CommandEvent: Sendable {
    /// The bytes hold no more: wait. Some may have been consumed.
    case needInput
    /// A literal is announced. Answer with `keepLiteral`, `streamLiteral` or `refuseLiteral`.
    case literal(LiteralHeader)
    /// A command is there, or the end of one that has streamed literals. Answer with `parse`, or `parseAppend` (which
    /// may throw).
    case command
    /// The command is given up; what is left of it will be passed over. Send the answer, go on.
    case rejected(SyntaxError)
    /// Where the next command begins cannot be known, or is too far away: say BYE and close.
    case hopeless(String)
}

/// What is to be done after a literal was refused.
package enum LiteralRefusal: Sendable, Hashable {
    /// Send the command's tagged answer now; the reader passes over whatever of the command is still to come.
    case answered
    /// The client is already sending more than is worth reading: say BYE and close.
    case hopeless
}

/// Gathers a client's commands from its bytes, line by line and literal by literal, within `IMAPLimits`.
///
///     line ─► command ─► line …
///      │ ▲
///      ▼ │  keepLiteral: into the command
///     decision ─ streamLiteral: octets belong to the caller, then `line` again for what follows them
///      │
///      └─ refuseLiteral ─► passing over ─► line
///
/// A gathered command is one run of octets, headers and literals as they came: what the grammar says, the parser reads.
package struct CommandReader: Sendable {
    private enum State: Sendable {
        case line
        /// Octets of a literal still to be gathered.
        case literal(remaining: Int)
        case decision(LiteralHeader)
        case command
        /// Within a refused command's line.
        case passingLine
        case passingLiteral(remaining: UInt64)
    }

    private var framer = IMAPFramer()
    private var gathered: [UInt8] = []
    private var literals = 0
    private var state = State.line
    /// Octets of the present refused command that were passed over.
    private var discarded: UInt64 = 0
    /// How the command began whose first literals have been streamed: its text is gone.
    private var streamed: CommandPrefix?

    /// Octets of a whole command with its literals. A server lowers it for those who have not logged in.
    package var commandLimit = IMAPLimits.command

    package init() {}

    /// Whether a command has begun and not ended. (Bytes that are not a whole line are not counted: they are still
    /// with the caller.)
    package var isWithinCommand: Bool {
        switch state {
        case .line: !gathered.isEmpty || streamed != nil
        case .literal, .decision, .command, .passingLine, .passingLiteral: true
        }
    }

    /// The next event. Consumes what belongs to it.
    package mutating func next(_ input: Span<UInt8>, consumed: inout Int) -> CommandEvent {
        var position = 0
        defer { consumed += position }
        while true {
            // Not by recursion: refused commands may be made of many empty literals.
            if let event = step(input.extracting(position..<input.count), &position) { return event }
        }
    }

    /// One state's work; nil when the next state is to go on at once.
    private mutating func step(_ input: Span<UInt8>, _ consumed: inout Int) -> CommandEvent? {
        switch state {
        case .line: readLine(input, &consumed)
        case .literal(let remaining): readLiteral(input, remaining, &consumed)
        case .decision(let header): .literal(header)
        case .command: .command
        case .passingLine: passLine(input, &consumed)
        case .passingLiteral(let remaining): passLiteral(input, remaining, &consumed)
        }
    }

    /// The next line with no thought of commands: a response of AUTHENTICATE, the DONE of IDLE. Consumes nothing.
    package mutating func nextLine(_ input: Span<UInt8>, limit: Int = IMAPLimits.line) -> LineFrame {
        framer.nextLine(input, limit: limit)
    }

    // Lines

    private mutating func readLine(_ input: Span<UInt8>, _ consumed: inout Int) -> CommandEvent {
        switch framer.next(input) {
        case .incomplete: return .needInput
        case .line(let length, let size):
            append(input.extracting(0..<length))
            consumed += size
            guard gathered.count <= commandLimit else { return reject("The command is too long") }
            state = .command
            return .command
        case .literal(let header, _, let size):
            append(input.extracting(0..<size))
            consumed += size
            state = .decision(header)
            return .literal(header)
        case .bareLineFeed(let size):
            if gathered.isEmpty { append(input.extracting(0..<size)) }
            consumed += size
            return reject("Lines end in CR and LF")
        case .tooLong:
            if gathered.isEmpty { append(input.extracting(0..<min(input.count, IMAPLimits.tag + 1))) }
            let event = reject("The line is longer than \(IMAPLimits.line) octets", code: .limit)
            state = .passingLine
            return event
        }
    }

    private mutating func readLiteral(_ input: Span<UInt8>, _ remaining: Int, _ consumed: inout Int) -> CommandEvent? {
        let taken = min(remaining, input.count)
        append(input.extracting(0..<taken))
        consumed += taken
        guard taken == remaining else {
            state = .literal(remaining: remaining - taken)
            return .needInput
        }
        state = .line
        return nil
    }

    private mutating func append(_ span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe gathered.append(contentsOf: $0) }
    }

    private mutating func reject(_ message: String, code: ResponseCode? = nil) -> CommandEvent {
        let tag = prefix?.tag
        reset()
        return .rejected(SyntaxError(message, code: code, tag: tag))
    }

    private mutating func reset() {
        // Without its capacity: an idle connection owns no buffer.
        gathered = []
        literals = 0
        streamed = nil
        discarded = 0
        state = .line
    }

    // Literals

    /// The tag and name of the command whose literal is announced, to refuse it by.
    package var prefix: CommandPrefix? { streamed ?? CommandPrefix(gathered.span) }

    /// Takes the literal into the command. False when the limits forbid it: refuse it then.
    package mutating func keepLiteral() -> Bool {
        guard case .decision(let header) = state, literals < IMAPLimits.literals,
            header.count <= UInt64(IMAPLimits.command), gathered.count + Int(header.count) <= commandLimit
        else { return false }
        literals += 1
        state = .literal(remaining: Int(header.count))
        return true
    }

    /// What an APPEND or REPLACE says, since its beginning or since its last streamed literal. Nil when the announced
    /// literal is an argument of it and no message: keep it. Throws what is wrong with it; where its line has ended,
    /// the reader is then ready for the next command, whether this throws or not.
    package mutating func parseAppend(
        _ parser: inout AppendParser, _ encoding: MailboxEncoding
    ) throws(SyntaxError) -> [AppendEvent]? {
        let (tag, text) = (prefix?.tag, gathered)
        if case .command = state { reset() }
        do throws(SyntaxError) {
            return try parser.parse(text.span, encoding)
        } catch {
            var error = error
            error.tag = tag
            throw error
        }
    }

    /// The literal's octets are the caller's: `count` of them follow what was consumed. When they are read, `next`
    /// goes on with the command.
    package mutating func streamLiteral() {
        guard case .decision = state else { return }
        let prefix = prefix
        reset()
        streamed = prefix
    }

    /// The command is not wanted. A synchronizing literal will not be sent after a tagged answer (RFC 9051 §4.3); a
    /// non-synchronizing one is under way and passed over, with the rest of the command (RFC 7888 §4).
    package mutating func refuseLiteral() -> LiteralRefusal {
        guard case .decision(let header) = state else { return .answered }
        reset()
        return afterRefusal(of: header)
    }

    private mutating func afterRefusal(of header: LiteralHeader) -> LiteralRefusal {
        state = .line
        guard !header.isSynchronizing else {
            discarded = 0
            return .answered
        }
        guard header.count <= IMAPLimits.discarded - min(discarded, IMAPLimits.discarded) else { return .hopeless }
        state = .passingLiteral(remaining: header.count)
        return .answered
    }

    // Passing over

    private mutating func passLiteral(_ input: Span<UInt8>, _ remaining: UInt64, _ consumed: inout Int) -> CommandEvent?
    {
        let taken = Int(min(remaining, UInt64(input.count)))
        consumed += taken
        discarded += UInt64(taken)
        guard UInt64(taken) == remaining else {
            state = .passingLiteral(remaining: remaining - UInt64(taken))
            return .needInput
        }
        state = .passingLine
        return nil
    }

    /// Looks for the line's end, and for a literal's header before it: the octets that may be one stay unconsumed.
    private mutating func passLine(_ input: Span<UInt8>, _ consumed: inout Int) -> CommandEvent? {
        var end = 0
        while end < input.count, input[end] != 0x0A { end += 1 }
        let isFound = end < input.count
        let taken = isFound ? end + 1 : max(0, end - LiteralHeader.maximumLength - 1)
        consumed += taken
        discarded += UInt64(taken)
        guard discarded <= IMAPLimits.discarded else { return .hopeless("Too much data") }
        guard isFound else { return .needInput }
        state = .line
        if end > 0, input[end - 1] == 0x0D, let header = LiteralHeader(endOf: input, end - 1) {
            return afterRefusal(of: header) == .answered ? nil : .hopeless("Too much data")
        }
        discarded = 0
        return nil
    }

    // Commands

    /// The gathered command, understood. The reader is then ready for the next one, whether this throws or not.
    package mutating func parse(_ encoding: MailboxEncoding) throws(SyntaxError) -> IMAPCommand {
        let command = gathered
        reset()
        return try CommandParser.parse(command.span, encoding)
    }
}
