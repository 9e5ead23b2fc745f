import IMAPSyntax
import MailStore
import MailVocabulary
import MessageFormat
import WireFraming

// APPEND (RFC 3501 §6.3.11; APPENDUID of RFC 4315). The message goes to the store as it comes:
//
//     head ─► is there such a mailbox? ─► invite ─► octets … (spill, when much is in memory) ─► end of line ─► append

/// An APPEND whose octets are coming.
struct AppendInProgress: Sendable {
    let tag: String
    let mailbox: MailboxID
    let head: AppendHead
    /// The kinds of flags that may be set there (RFC 4314 §4): others are left out.
    let flagClasses: FlagClasses
    let writer: any BodyWriter
    var normaliser = LineEndNormaliser()
    /// Octets still to come.
    var remaining: UInt64
    /// Why it cannot be kept; the octets are read and dropped.
    var refusal: Refusal?
}

extension IMAPSession {
    /// Octets taken from the input at a time: what is normalised in one go.
    private static let appendPiece = 64 * 1024

    /// The announcement. Nothing is invited that would then be refused.
    mutating func append(_ tag: String, _ head: AppendHead, _ output: inout SessionOutput) -> Step {
        guard let account = state.account else { return .ready }
        guard head.literal.count <= settings.maximumMessageSize else {
            return refuseLiteral(tag, Refusal(status: .no, code: .tooBig, text: "The message is too large"), &output)
        }
        guard head.literal.count > 0 else {
            return refuseLiteral(tag, Refusal(status: .no, code: .cannot, text: "The message is empty"), &output)
        }
        return perform(.findMailbox(account, head.mailbox, needing: .insert)) { session, outcome, output in
            guard case .found(let target) = outcome else {
                return session.refuseLiteral(tag, Refusal(outcome, missing: .tryCreate), &output)
            }
            return session.inviteMessage(tag, head, target, &output)
        }
    }

    private mutating func inviteMessage(
        _ tag: String, _ head: AppendHead, _ target: FoundMailbox, _ output: inout SessionOutput
    ) -> Step {
        reader.streamLiteral()
        activity = .appending(
            AppendInProgress(
                tag: tag, mailbox: target.mailbox.id, head: head, flagClasses: target.rights.flagClasses,
                writer: store.bodyWriter(), remaining: head.literal.count))
        if head.literal.isSynchronizing { output.bytes.append(continuation: "Send the message") }
        return .ready
    }

    /// Takes what is there of the message, and the end of its line.
    mutating func readMessage(
        _ append: AppendInProgress, _ input: Span<UInt8>, _ consumed: inout Int, _ output: inout SessionOutput
    ) -> Step {
        guard append.remaining > 0 else { return readMessageEnd(append, input, &consumed, &output) }
        guard !input.isEmpty else { return .needInput }
        var append = append
        let count = Int(min(append.remaining, UInt64(min(input.count, Self.appendPiece))))
        consumed += count
        append.take(input.extracting(0..<count), limit: settings.maximumMessageSize)
        activity = .appending(append)
        guard append.refusal == nil, append.writer.needsSpill else { return .ready }
        return perform(.spill(append.writer)) { session, outcome, output in
            guard case .done = outcome else {
                session.dropMessage(Refusal(status: .no, code: .overQuota, text: "No space left"))
                return .ready
            }
            return .ready
        }
    }

    private mutating func dropMessage(_ refusal: Refusal) {
        guard case .appending(var append) = activity else { return }
        append.refusal = refusal
        activity = .appending(append)
    }

    private mutating func readMessageEnd(
        _ append: AppendInProgress, _ input: Span<UInt8>, _ consumed: inout Int, _ output: inout SessionOutput
    ) -> Step {
        switch reader.next(input, consumed: &consumed) {
        case .needInput: return .needInput
        case .endOfAppend: return finishAppend(append, &output)
        case .rejected(let error):
            activity = .commands
            return answer(error, &output)
        case .hopeless(let reason):
            output.events.append(.violation("unreadable input: \(reason)"))
            return farewell(reason, &output)
        case .literal, .command:
            activity = .commands
            return refuse(append.tag, Refusal(status: .bad, text: "APPEND ends behind its message"), &output)
        }
    }

    private mutating func finishAppend(_ append: AppendInProgress, _ output: inout SessionOutput) -> Step {
        activity = .commands
        let tag = append.tag
        if let refusal = append.refusal { return conclude(tag, refusal.status, refusal.code, refusal.text, &output) }
        let message = AppendedMessage(
            mailbox: append.mailbox, body: append.writer, flags: append.flagClasses.filter(append.head.flags),
            internalDate: append.head.internalDate)
        return perform(.append(message)) { session, outcome, output in
            guard case .appended(let result) = outcome else {
                return session.concludeFailed(tag, outcome, missing: .tryCreate, &output)
            }
            if result.isNearQuota { session.warnOfQuota() }
            let uids = NumberSet(numbers: result.uids.lazy.map(\.value))
            return session.conclude(
                tag, .ok, .appendUID(result.uidValidity, uids), "APPEND completed", &output)
        }
    }
}

extension AppendInProgress {
    /// Normalises and keeps a piece, unless something is wrong with the message.
    fileprivate mutating func take(_ piece: Span<UInt8>, limit: UInt64) {
        remaining -= UInt64(piece.count)
        guard refusal == nil else { return }
        var octets: [UInt8] = []
        octets.reserveCapacity(piece.count)
        normaliser.append(piece, to: &octets)
        if normaliser.hasNUL, !head.literal.isBinary {
            // literal = "{" number "}" CRLF *CHAR8, and CHAR8 is not NUL          RFC 3501 §9
            refusal = Refusal(status: .no, code: .unknownCTE, text: "A message holds no NUL")
        } else if UInt64(writer.count + octets.count) > limit {
            // Line ends that were put right count too.
            refusal = Refusal(status: .no, code: .tooBig, text: "The message is too large")
        } else {
            writer.write(octets.span)
        }
    }
}
