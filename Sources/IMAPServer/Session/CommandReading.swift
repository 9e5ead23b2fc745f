import IMAPSyntax
import MailStore
import WireFraming

// From bytes to commands: framing, the decision on literals, the table, dispatch.

extension IMAPSession {
    mutating func readCommand(_ input: Span<UInt8>, _ consumed: inout Int, _ output: inout SessionOutput) -> Step {
        if isFirstLine {
            switch ForeignProtocol.recognize(input) {
            case .needsMore: return .needInput
            case .none: isFirstLine = false
            case .found(let name):
                output.events.append(.violation("\(name) on the IMAP port"))
                return .close
            }
        }
        switch reader.next(input, consumed: &consumed) {
        case .needInput: return .needInput
        case .literal(let header): return decide(header, &output)
        case .command: return readCommand(hasMoreInput: consumed < input.count, &output)
        case .rejected(let error):
            literalOctets = 0
            return answer(error, &output)
        case .hopeless(let reason):
            output.events.append(.violation("unreadable input: \(reason)"))
            return farewell(reason, &output)
        }
    }

    private mutating func readCommand(hasMoreInput: Bool, _ output: inout SessionOutput) -> Step {
        literalOctets = 0
        do {
            let command = try reader.parse(enabled.mailboxEncoding)
            guard let name = command.request.name else {
                return refuse(command.tag, Refusal(status: .bad, text: "Unknown command"), &output)
            }
            if name.rule.mustBeLastInBatch, hasMoreInput { return refuseInjection(command.tag, name, &output) }
            if let refusal = refusal(of: name) ?? uidOnlyRefusal(of: command.request) {
                return refuse(command.tag, refusal, &output)
            }
            // A client that makes sense may ask for what is not there as often as it likes; a stranger may not.
            if isAuthenticated { errors = 0 }
            return withCurrentRights(&output) { session, output in session.dispatch(command, name, &output) }
        } catch {
            return answer(error, &output)
        }
    }

    /// Bytes behind STARTTLS were written by someone who cannot be trusted: they are neither answered nor remembered.
    /// Those behind COMPRESS could be of either form.
    private mutating func refuseInjection(
        _ tag: String, _ name: IMAPCommandName, _ output: inout SessionOutput
    ) -> Step {
        output.events.append(.violation("data behind \(name.rawValue)"))
        output.bytes.append(status: .bad, tag: tag, "Nothing may follow \(name.rawValue)")
        let text = name == .startTLS ? "Data came before TLS was started" : "Data came before the answer"
        return farewell(text, &output)
    }

    private mutating func dispatch(
        _ command: IMAPCommand, _ name: IMAPCommandName, _ output: inout SessionOutput
    ) -> Step {
        let tag = command.tag
        normalised = command.normalised
        return switch command.request {
        case .capability: capability(tag, &output)
        case .noop: noop(tag, &output)
        case .logout: logout(tag, &output)
        case .id(let fields): identify(tag, fields, &output)
        case .startTLS: startTLS(tag, &output)
        case .authenticate(let mechanism, let response): authenticate(tag, mechanism, response, &output)
        case .login(let user, let password): login(tag, user, password, &output)
        case .enable(let names): enable(tag, names, &output)
        case .select(let mailbox, let parameters): select(tag, mailbox, parameters, isReadOnly: false, &output)
        case .examine(let mailbox, let parameters): select(tag, mailbox, parameters, isReadOnly: true, &output)
        case .create(let mailbox, let uses): create(tag, mailbox, uses, &output)
        case .delete(let mailbox): delete(tag, mailbox, &output)
        case .rename(let from, let to): rename(tag, from, to, &output)
        case .subscribe(let mailbox): subscribe(tag, mailbox, true, &output)
        case .unsubscribe(let mailbox): subscribe(tag, mailbox, false, &output)
        case .list(let request): list(tag, request, &output)
        case .lsub(let reference, let pattern): lsub(tag, reference, pattern, &output)
        case .namespace: namespace(tag, &output)
        case .status(let mailbox, let items): status(tag, mailbox, items, &output)
        case .append(let events): append(tag, name, AppendParser(), events, &output)
        case .generateURLs(let urls): generateURLs(tag, urls, &output)
        case .fetchURLs(let urls): fetchURLs(tag, urls, &output)
        case .resetKey(let mailbox, let mechanisms): resetKey(tag, mailbox, mechanisms, &output)
        case .getQuota(let root): getQuota(tag, root, &output)
        case .getQuotaRoot(let mailbox): getQuotaRoot(tag, mailbox, &output)
        case .setQuota(let root, let resources): setQuota(tag, root, resources, &output)
        case .idle: idle(tag, &output)
        case .setACL(let mailbox, let identifier, let change): setACL(tag, mailbox, identifier, change, &output)
        case .deleteACL(let mailbox, let identifier): setACL(tag, mailbox, identifier, nil, &output)
        case .getACL(let mailbox): getACL(tag, mailbox, &output)
        case .listRights(let mailbox, let identifier): listRights(tag, mailbox, identifier, &output)
        case .myRights(let mailbox): myRights(tag, mailbox, &output)
        case .getMetadata(let request): getMetadata(tag, request, &output)
        case .setMetadata(let place, let changes): setMetadata(tag, place, changes, &output)
        case .notify(let request): notify(tag, request, &output)
        case .compress(let algorithm): compress(tag, algorithm, &output)
        case .unauthenticate: unauthenticate(tag, &output)
        case .check: noop(tag, &output)
        case .close: close(tag, &output)
        case .unselect: unselect(tag, &output)
        case .expunge(let uids): expunge(tag, uids, &output)
        case .search(let request, let uid): search(tag, request, uid: uid, &output)
        case .sort(let criteria, let request, let uid): sort(tag, criteria, request, uid: uid, &output)
        case .thread(let algorithm, let request, let uid): thread(tag, algorithm, request, uid: uid, &output)
        case .multiSearch(let sources, let request): multiSearch(tag, sources, request, &output)
        case .cancelUpdate(let tags): cancelUpdate(tag, tags, &output)
        case .fetch(let set, let items, let modifiers, let uid): fetch(tag, set, items, modifiers, uid: uid, &output)
        case .store(let set, let action, let uid): storeFlags(tag, set, action, uid: uid, &output)
        case .replace(let events, _): append(tag, name, AppendParser(), events, &output)
        case .copy(let set, let mailbox, let uid): copy(tag, set, to: mailbox, moves: false, uid: uid, &output)
        case .move(let set, let mailbox, let uid): copy(tag, set, to: mailbox, moves: true, uid: uid, &output)
        case .unknown: refuse(tag, Refusal(status: .bad, text: "Unknown command"), &output)
        }
    }

    // Literals

    /// A command with a literal is judged before its literal is invited: nothing is asked for that is then refused.
    private mutating func decide(_ header: LiteralHeader, _ output: inout SessionOutput) -> Step {
        guard let prefix = reader.prefix else {
            return refuseLiteral(nil, Refusal(status: .bad, text: "A command begins with a tag"), &output)
        }
        guard let name = prefix.name else {
            return refuseLiteral(prefix.tag, Refusal(status: .bad, text: "Unknown command"), &output)
        }
        if let refusal = refusal(of: name) { return refuseLiteral(prefix.tag, refusal, &output) }
        let (octets, overflow) = literalOctets.addingReportingOverflow(header.count)
        literalOctets = octets
        if !isAuthenticated, overflow || octets > IMAPSettings.unauthenticatedLiteralLimit {
            return refuseLiteral(prefix.tag, Refusal(status: .bad, code: .limit, text: "Too long"), &output)
        }
        if let refusal = refusalOfValue(name, header) { return refuseLiteral(prefix.tag, refusal, &output) }
        if let refusal = refusal(of: header) { return refuseLiteral(prefix.tag, refusal, &output) }
        guard name == .append || name == .replace else { return keepLiteral(prefix.tag, header, &output) }
        do {
            var parser = AppendParser()
            guard let events = try reader.parseAppend(&parser, enabled.mailboxEncoding) else {
                return keepLiteral(prefix.tag, header, &output)
            }
            return append(prefix.tag, name, parser, events, &output)
        } catch {
            return refuseLiteral(error.tag ?? prefix.tag, Refusal(error), &output)
        }
    }

    /// LITERAL-: a long literal waits to be invited (RFC 7888 §5).
    func refusal(of header: LiteralHeader) -> Refusal? {
        guard !settings.offersLongLiterals, !header.isSynchronizing,
            header.count > IMAPSettings.longestLiteralMinus
        else { return nil }
        return Refusal(status: .bad, code: .tooBig, text: "Such a long literal has to wait for an invitation")
    }

    /// Takes a literal into the command.
    mutating func keepLiteral(_ tag: String, _ header: LiteralHeader?, _ output: inout SessionOutput) -> Step {
        guard reader.keepLiteral() else {
            return refuseLiteral(tag, Refusal(status: .bad, code: .limit, text: "The command is too long"), &output)
        }
        if header?.isSynchronizing == true { output.bytes.append(continuation: "Go on") }
        return .ready
    }

    /// Refuses a command whose literal is announced. Where the literal is under way and too long to be read past, the
    /// connection ends (RFC 7888 §4).
    mutating func refuseLiteral(_ tag: String?, _ refusal: Refusal, _ output: inout SessionOutput) -> Step {
        literalOctets = 0
        let rest = reader.refuseLiteral()
        let step = refuse(tag, refusal, &output)
        guard rest == .hopeless else { return step }
        if case .close = step { return step }
        return farewell("The literal is too large", code: .tooBig, &output)
    }

    // Errors

    mutating func answer(_ error: SyntaxError, _ output: inout SessionOutput) -> Step {
        refuse(error.tag, Refusal(error), &output)
    }

    /// Answers a command that is not carried out; a peer that sends little else is sent away.
    mutating func refuse(_ tag: String?, _ refusal: Refusal, _ output: inout SessionOutput) -> Step {
        output.bytes.append(
            status: tag == nil ? .bad : refusal.status, tag: tag, code: refusal.code, refusal.text)
        guard refusal.status == .bad else { return .ready }
        errors += 1
        let limit = isAuthenticated ? IMAPSettings.maximumErrors : IMAPSettings.maximumUnauthenticatedErrors
        guard errors >= limit else { return .ready }
        output.events.append(.violation("too many bad commands"))
        return farewell("Too many bad commands", &output)
    }
}

/// What else speaks first on a connection: a browser made to (ALPACA), a TLS client on the cleartext port.
enum ForeignProtocol {
    enum Verdict: Equatable {
        case needsMore
        case none
        case found(String)
    }

    private static let verbs: [StaticString] = [
        "GET ", "POST ", "PUT ", "HEAD ", "PATCH ", "TRACE ", "DELETE ", "OPTIONS ", "CONNECT ",
    ]
    private static let longestVerb = 8

    /// Judges the connection's first bytes. Such a verb followed by a target that no IMAP command's name begins like.
    static func recognize(_ input: Span<UInt8>) -> Verdict {
        guard let first = input.isEmpty ? nil : input[0] else { return .needsMore }
        if first == 0x16 { return .found("TLS") }
        var cursor = ByteCursor(input)
        for verb in verbs where cursor.take(word: verb) {
            guard let target = cursor.peek else { return .needsMore }
            let isHTTP =
                target == UInt8(ascii: "/") || target == UInt8(ascii: "*") || target | 0x20 == UInt8(ascii: "h")
            return isHTTP || verb.utf8CodeUnitCount == longestVerb ? .found("HTTP") : .none
        }
        let isLong = input.count > longestVerb
        return isLong || (0..<input.count).contains { input[$0] == 0x0A } ? .none : .needsMore
    }
}

extension Refusal {
    /// The answer to a command that cannot be carried out as it is written.
    init(_ error: SyntaxError) {
        self.init(status: error.answer == .no ? .no : .bad, code: error.code, text: error.message)
    }
}
