import SMTPSyntax
import WireFraming

extension SubmissionSession {
    mutating func receiveCommand(
        _ input: Span<UInt8>, _ consumed: inout Int, _ output: inout SessionOutput
    ) -> Step {
        let (found, step) = takeLine(
            input, &consumed, limit: SMTPVerb.longestLine, tooLong: .lineTooLong, &output)
        guard let found else { return step }
        if !isTrusted {
            nuisance.commandsBeforeAuthentication += 1
            guard nuisance.commandsBeforeAuthentication <= SubmissionLimits.commandsBeforeAuthentication else {
                output.events.append(.violation("too many commands before authentication"))
                return close(.tooManyCommands, &output)
            }
        }
        let line = input.extracting(found)
        guard line.indices.allSatisfy({ line[$0] >= 0x20 && line[$0] != 0x7F }) else {
            return refuse(.badCharacters, &output)
        }
        var cursor = ByteCursor(line)
        switch SMTPCommandWord(&cursor) {
        case .unknown:
            return refuse(.unknownCommand, &output)
        case .http:
            output.events.append(.violation("HTTP request"))
            return close(.notHTTP, &output)
        case .verb(let verb):
            guard verb.isKnown(to: settings.role), verb != .burl || offersURLs else {
                return refuse(.unknownCommand, &output)
            }
            let arguments = line.extracting(cursor.position..<line.count)
            return execute(
                verb, arguments, lineLength: line.count, hasInputBehind: consumed < input.count, &output)
        }
    }

    /// The one place where the command table is applied.
    private mutating func execute(
        _ verb: SMTPVerb, _ arguments: Span<UInt8>, lineLength: Int, hasInputBehind: Bool,
        _ output: inout SessionOutput
    ) -> Step {
        let rule = verb.rule
        if case .alone = rule.batch, hasInputBehind {
            output.events.append(.violation("input behind \(verb.rawValue)"))
            return close(.inputBehindStartTLS, &output)
        }
        let step: Step
        if lineLength > rule.maximumLength {
            step = refuse(.lineTooLong, &output)
        } else if let refusal = refusal(by: rule) {
            if verb == .bdat { return refuseChunk(arguments, refusal, &output) }
            step = answerOrRefuse(refusal, &output)
        } else {
            step = serve(verb, arguments, hasInputBehind: hasInputBehind, &output)
        }
        if case .handsOver = rule.batch, hasInputBehind, isRefusal(step) {
            output.events.append(.violation("input behind a refused \(verb.rawValue)"))
            return close(.inputBehindRefused, &output)
        }
        return step
    }

    private func refusal(by rule: CommandRule) -> SMTPReply? {
        isLMTP ? rule.refusalByLMTP(at: stage) : rule.refusal(at: stage, isSecured: isSecured)
    }

    /// Whether a command that takes over the input (AUTH, DATA) did not: it asks for no work and no other mode.
    private func isRefusal(_ step: Step) -> Bool {
        guard case .ready = step, case .commands = mode else { return false }
        return true
    }

    /// What follows a refused MAIL or RCPT in a pipelined group is no mistake of the client's.
    mutating func answerOrRefuse(_ refusal: SMTPReply, _ output: inout SessionOutput) -> Step {
        refusal == .sendMail || refusal == .noValidRecipients ? answer(refusal, &output) : refuse(refusal, &output)
    }

    private mutating func serve(
        _ verb: SMTPVerb, _ arguments: Span<UInt8>, hasInputBehind: Bool, _ output: inout SessionOutput
    ) -> Step {
        switch verb {
        case .ehlo, .lhlo: serveEhlo(arguments, &output)
        case .helo: serveHelo(arguments, &output)
        case .startTLS: serveStartTLS(arguments, &output)
        case .auth: serveAuth(arguments, hasInputBehind: hasInputBehind, &output)
        case .mail: serveMail(arguments, &output)
        case .rcpt: serveRcpt(arguments, &output)
        case .data: serveData(arguments, &output)
        case .bdat: serveBdat(arguments, &output)
        case .burl: serveBurl(arguments, &output)
        case .rset: serveRset(arguments, &output)
        case .noop: serveNoop(arguments, &output)
        case .quit: serveQuit(arguments, &output)
        case .vrfy: serveVrfy(arguments, &output)
        case .expn: serveExpn(arguments, &output)
        case .help: serveHelp(arguments, &output)
        }
    }
}
