import IMAPSyntax
import MailStore
import MailVocabulary
import MessageFormat
import WireFraming

// APPEND (RFC 9051 §6.3.12) with several messages (RFC 3502) and parts (RFC 4469), and REPLACE (RFC 8508). What is sent
// goes to the store as it comes:
//
//     target ─► is there such a mailbox? ─► message ─┬─► literal ─► invite ─► octets … (spill) ─┬─► next part
//                                                    └─► URL ─► its octets, from the store ─────┴─► end of message …
//     end ─► all messages in one transaction
//
// Events come from the syntax, some at a time; what is wrong is told at once where nothing is under way, and else when
// what is under way has been read past.

/// An APPEND or REPLACE whose messages are coming.
struct AppendInProgress: Sendable {
    let tag: String
    /// APPEND or REPLACE.
    let name: IMAPCommandName
    var parser: AppendParser
    /// What was read of the command and is still to be done.
    var events: ArraySlice<AppendEvent> = []
    var target: FoundMailbox?
    var replaced: ReplacedRow?
    /// Whole ones.
    var messages: [AppendedMessage] = []
    var message: MessageInProgress?
    /// The present literal, and its octets still to come.
    var literal: LiteralHeader?
    var remaining: UInt64 = 0
    /// Octets of whole messages; and of those in memory.
    var total: UInt64 = 0
    var inMemory = 0
    /// Why it cannot be done: the rest is read past.
    var refusal: Refusal?
}

/// A message of an APPEND that is not whole.
struct MessageInProgress: Sendable {
    let writer: any BodyWriter
    let flags: [Flag]
    let internalDate: Timestamp?
    var normaliser = LineEndNormaliser()
    /// Whether some of it came as literal8: its line ends are as they came.
    var isBinary = false
}

extension IMAPSession {
    /// Octets taken from the input at a time: what is normalised in one go.
    private static let appendPiece = 64 * 1024
    /// Octets of the whole messages of one command that stay in memory; more go to files.
    private static let appendMemory = 1 << 20

    // Events

    /// A command that has begun to be read.
    mutating func append(
        _ tag: String, _ name: IMAPCommandName, _ parser: AppendParser, _ events: [AppendEvent],
        _ output: inout SessionOutput
    ) -> Step {
        activity = .appending(AppendInProgress(tag: tag, name: name, parser: parser, events: events[...]))
        return goOnAppending(&output)
    }

    /// Does what was read of the command.
    private mutating func goOnAppending(_ output: inout SessionOutput) -> Step {
        while case .appending(var append) = activity, let event = append.events.popFirst() {
            activity = .appending(append)
            if let step = follow(event, append, &output) { return step }
        }
        return .ready
    }

    /// Nil to go on with the next event.
    private mutating func follow(
        _ event: AppendEvent, _ append: AppendInProgress, _ output: inout SessionOutput
    ) -> Step? {
        switch event {
        case .literal(let header, let isWholeMessage): return invite(header, isWholeMessage, append, &output)
        case .end: return finishAppend(append, &output)
        case .target, .message, .text, .url, .endOfMessage: break
        }
        guard append.refusal == nil else { return nil }
        switch event {
        case .target(let target): return find(target, append)
        case .message(let flags, let date):
            let limit = settings.appendLimit
            guard append.messages.count < limit.messages else {
                refuseAppend(.no, limit.code, "Too many messages to append")
                return nil
            }
            // The kinds of flags that may not be set there are left out (RFC 4314 §4).
            let flags = append.target?.rights.flagClasses.filter(flags) ?? []
            let message = MessageInProgress(writer: store.bodyWriter(), flags: flags, internalDate: date)
            changeAppend { $0.message = message }
        case .text(let octets, let isBinary):
            let limit = settings.maximumMessageSize
            changeAppend { $0.take(octets.span, isBinary: isBinary, limit: limit) }
        case .url(let text): return catenate(text, append)
        case .endOfMessage: return endMessage(append)
        case .literal, .end: break
        }
        return nil
    }

    private mutating func changeAppend(_ change: (inout AppendInProgress) -> Void) {
        guard case .appending(var append) = activity else { return }
        activity = .commands
        change(&append)
        activity = .appending(append)
    }

    private mutating func refuseAppend(_ status: StatusKind, _ code: ResponseCode?, _ text: String) {
        changeAppend { $0.refusal = $0.refusal ?? Refusal(status: status, code: code, text: text) }
    }

    // The target

    private mutating func find(_ target: AppendTarget, _ append: AppendInProgress) -> Step? {
        guard let account = state.account else { return nil }
        if let replaced = target.replaced, !select(replaced) { return nil }
        return perform(.findMailbox(account, target.mailbox, needing: .insert)) { session, outcome, output in
            if case .found(let found) = outcome {
                session.changeAppend { $0.target = found }
            } else {
                session.refuseAppend(Refusal(outcome, missing: .tryCreate))
            }
            return session.goOnAppending(&output)
        }
    }

    /// The message that goes. False when there is none.
    private mutating func select(_ replaced: ReplacedMessage) -> Bool {
        guard let mailbox = state.mailbox else { return false }
        guard replaced.uid || !enabled.contains(.uidOnly) else {
            refuseAppend(.bad, .uidRequired, "Messages have only UIDs here")
            return false
        }
        guard !mailbox.isReadOnly else {
            refuseAppend(.no, .readOnly, "The mailbox is open for reading only")
            return false
        }
        // RFC 8508 §4.1: the rights of STORE and EXPUNGE.
        guard mailbox.rights.isSuperset(of: [.deleteMessages, .expunge]) else {
            refuseAppend(.no, .noPermission, "You have not the right to do that")
            return false
        }
        guard let uids = mailbox.uids(replaced.set, uid: replaced.uid), let uid = uids.min.flatMap({ UID($0) }) else {
            refuseAppend(replaced.uid ? .no : .bad, nil, "No message has such a number")
            return false
        }
        changeAppend { $0.replaced = ReplacedRow(mailbox: mailbox.id, uid: uid) }
        return true
    }

    // Parts

    /// A literal is announced. Nothing is invited that would then be refused.
    private mutating func invite(
        _ header: LiteralHeader, _ isWholeMessage: Bool, _ append: AppendInProgress, _ output: inout SessionOutput
    ) -> Step {
        let size = UInt64(append.message?.writer.count ?? 0)
        let (whole, overflow) = size.addingReportingOverflow(header.count)
        if overflow || whole > settings.maximumMessageSize || append.total + whole > settings.longestAppend {
            refuseAppend(.no, .tooBig, "The message is too large")
        } else if isWholeMessage, header.count == 0 {
            refuseAppend(.no, .cannot, "The message is empty")
        }
        guard case .appending(let append) = activity, append.refusal == nil else {
            guard case .appending(let append) = activity, let refusal = append.refusal else { return .ready }
            activity = .commands
            return refuseLiteral(append.tag, refusal, &output)
        }
        reader.streamLiteral()
        changeAppend {
            $0.literal = header
            $0.remaining = header.count
        }
        if header.isSynchronizing { output.bytes.append(continuation: "Send the message") }
        return .ready
    }

    private mutating func catenate(_ text: String, _ append: AppendInProgress) -> Step? {
        guard let account = state.account, let message = append.message else { return nil }
        guard let url = IMAPURL(text) else {
            refuseAppend(.no, .badURL(text), "The URL names no part of a message")
            return nil
        }
        let part = CatenatedPart(
            url: AddressedURL(url: url, account: account, selected: state.mailbox?.name, host: context.hostname),
            writer: message.writer, limit: settings.maximumMessageSize, authentication: settings.urlAuthentication)
        return perform(.catenate(part)) { session, outcome, output in
            switch outcome {
            case .done: break
            case .notAppended(let problem): session.refuseAppend(problem.refusal(of: text))
            case _: session.refuseAppend(Refusal(outcome))
            }
            return session.goOnAppending(&output)
        }
    }

    private mutating func refuseAppend(_ refusal: Refusal) {
        refuseAppend(refusal.status, refusal.code, refusal.text)
    }

    private mutating func endMessage(_ append: AppendInProgress) -> Step? {
        guard let message = append.message else { return nil }
        let count = message.writer.count
        guard count > 0 else {
            refuseAppend(.no, .cannot, "The message is empty")
            return nil
        }
        changeAppend { append in
            append.messages.append(AppendedMessage(message))
            append.message = nil
            append.total += UInt64(count)
            append.inMemory += count
        }
        guard append.inMemory + count > Self.appendMemory else { return nil }
        return spill(message.writer)
    }

    private mutating func spill(_ writer: any BodyWriter) -> Step {
        perform(.spill(writer)) { session, outcome, output in
            if case .done = outcome {} else { session.refuseAppend(.no, .overQuota, "No space left") }
            return session.goOnAppending(&output)
        }
    }

    // Octets

    /// Takes what is there of a literal, or what follows it of the command.
    mutating func readMessage(
        _ append: AppendInProgress, _ input: Span<UInt8>, _ consumed: inout Int, _ output: inout SessionOutput
    ) -> Step {
        guard append.remaining > 0 else { return readBetween(append, input, &consumed, &output) }
        guard !input.isEmpty else { return .needInput }
        let count = Int(min(append.remaining, UInt64(min(input.count, Self.appendPiece))))
        consumed += count
        var append = append
        append.remaining -= UInt64(count)
        append.take(
            input.extracting(0..<count), isBinary: append.literal?.isBinary ?? false,
            limit: settings.maximumMessageSize)
        activity = .appending(append)
        guard append.refusal == nil, let writer = append.message?.writer, writer.needsSpill else { return .ready }
        return spill(writer)
    }

    private mutating func readBetween(
        _ append: AppendInProgress, _ input: Span<UInt8>, _ consumed: inout Int, _ output: inout SessionOutput
    ) -> Step {
        switch reader.next(input, consumed: &consumed) {
        case .needInput: return .needInput
        case .command: return readMore(append, nil, &output)
        case .literal(let header): return readMore(append, header, &output)
        case .rejected(let error):
            activity = .commands
            return answer(error, &output)
        case .hopeless(let reason):
            output.events.append(.violation("unreadable input: \(reason)"))
            return farewell(reason, &output)
        }
    }

    /// More of the command, up to a literal or its end.
    private mutating func readMore(
        _ append: AppendInProgress, _ header: LiteralHeader?, _ output: inout SessionOutput
    ) -> Step {
        var append = append
        var refused = append.refusal
        if refused == nil, let header { refused = refusal(of: header) }
        do {
            let events = try reader.parseAppend(&append.parser, enabled.mailboxEncoding)
            if let refused {
                activity = .commands
                guard header == nil else { return refuseLiteral(append.tag, refused, &output) }
                return conclude(append.tag, refused.status, refused.code, refused.text, &output)
            }
            guard let events else { return keepLiteral(append.tag, header, &output) }
            append.events = events[...]
            activity = .appending(append)
            return goOnAppending(&output)
        } catch {
            activity = .commands
            guard header != nil else { return answer(error, &output) }
            return refuseLiteral(error.tag, Refusal(error), &output)
        }
    }

    // The end

    private mutating func finishAppend(_ append: AppendInProgress, _ output: inout SessionOutput) -> Step {
        activity = .commands
        let tag = append.tag
        if let refusal = append.refusal { return conclude(tag, refusal.status, refusal.code, refusal.text, &output) }
        guard let mailbox = append.target?.mailbox.id else {
            return conclude(tag, .no, .serverBug, "Not done: internal error", &output)
        }
        let job = AppendJob(
            mailbox: mailbox, messages: append.messages, replaced: append.replaced,
            allowsUTF8Headers: enabled.stringEncoding == .utf8, limit: settings.maximumMessageSize)
        return perform(.append(job)) { session, outcome, output in
            switch outcome {
            case .appended(let result): return session.concludeAppend(append, result, &output)
            case .notAppended(let problem):
                let refusal = problem.refusal(of: "")
                return session.conclude(tag, refusal.status, refusal.code, refusal.text, &output)
            case _: return session.concludeFailed(tag, outcome, missing: .tryCreate, &output)
            }
        }
    }

    private mutating func concludeAppend(
        _ append: AppendInProgress, _ result: AppendResult, _ output: inout SessionOutput
    ) -> Step {
        if result.isNearQuota { warnOfQuota() }
        state.noteAdded(result.uids, to: result.mailbox)
        // RFC 4315 §5: who may not read the mailbox hears of no UIDs in it.
        let mayRead = append.target?.rights.contains(.read) ?? false
        let uids = NumberSet(numbers: result.uids.lazy.map(\.value))
        let code: ResponseCode? = mayRead ? .appendUID(result.uidValidity, uids) : nil
        guard let replaced = append.replaced else {
            return conclude(append.tag, .ok, code, "APPEND completed", &output)
        }
        if let code {
            // RFC 8508 §4.3: before the EXPUNGE, so untagged.
            var reply = OutputBuffer()
            reply.append(status: .ok, tag: nil, code: code, "Replacement message ready")
            enqueue(reply)
        }
        let updates = UpdateRules(removed: NumberSet(replaced.uid.value...replaced.uid.value))
        return conclude(append.tag, .ok, "REPLACE completed", updates: updates, &output)
    }
}

extension IMAPSettings {
    /// Octets of all messages of one command: they wait in files until the last has come.
    fileprivate var longestAppend: UInt64 {
        let (octets, overflow) = maximumMessageSize.multipliedReportingOverflow(by: 4)
        return overflow ? .max : octets
    }
}

extension AppendInProgress {
    /// Normalises and keeps a piece, unless something is wrong with the message.
    fileprivate mutating func take(_ piece: Span<UInt8>, isBinary: Bool, limit: UInt64) {
        guard refusal == nil, message != nil else { return }
        if isBinary {
            message?.isBinary = true
            message?.writer.write(piece)
        } else {
            var octets: [UInt8] = []
            octets.reserveCapacity(piece.count)
            message?.normaliser.append(piece, to: &octets)
            message?.writer.write(octets.span)
        }
        if message?.normaliser.hasNUL == true {
            // literal = "{" number "}" CRLF *CHAR8, and CHAR8 is not NUL          RFC 3501 §9
            refusal = Refusal(status: .no, code: .unknownCTE, text: "A message holds no NUL")
        } else if UInt64(message?.writer.count ?? 0) > limit {
            // Line ends that were put right count too.
            refusal = Refusal(status: .no, code: .tooBig, text: "The message is too large")
        }
    }
}

extension AppendedMessage {
    fileprivate init(_ message: MessageInProgress) {
        self.init(
            body: message.writer, flags: message.flags, internalDate: message.internalDate, isBinary: message.isBinary)
    }
}

extension AppendProblem {
    /// - Parameter url: the one that was being read.
    func refusal(of url: String) -> Refusal {
        switch self {
        case .badURL: Refusal(status: .no, code: .badURL(url), text: "The URL names nothing that can be read")
        case .tooLarge: Refusal(status: .no, code: .tooBig, text: "The message is too large")
        case .eightBitHeader:
            Refusal(status: .no, code: .cannot, text: "Header fields in UTF-8 need ENABLE UTF8=ACCEPT or IMAP4rev2")
        case .unstorable: Refusal(status: .no, code: .unknownCTE, text: "NUL can be kept in the content of parts only")
        }
    }
}
