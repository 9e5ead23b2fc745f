import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// How many messages one command processes (RFC 9738). Of too many the highest UIDs are processed, and the answer tells
// the lowest of those: the client asks again for the others. COPY and APPEND are all or nothing, and are refused.

/// What an operator can limit.
package enum MessageLimit: Sendable, Hashable {
    /// MESSAGELIMIT: FETCH, SEARCH, STORE, COPY, MOVE, APPEND, UID EXPUNGE.
    case processed(UInt32)
    /// SAVELIMIT: COPY and APPEND alone.
    case saved(UInt32)
}

extension IMAPSettings {
    /// Of FETCH, SEARCH, STORE, MOVE and UID EXPUNGE.
    var processingLimit: UInt32? {
        switch messageLimit {
        case .processed(let limit): limit
        case .saved, nil: nil
        }
    }

    /// Of COPY.
    var copyLimit: UInt32? {
        switch messageLimit {
        case .processed(let limit), .saved(let limit): limit
        case nil: nil
        }
    }

    /// Of APPEND, and why it takes no more.
    var appendLimit: (messages: Int, code: ResponseCode) {
        guard let copyLimit else { return (IMAPSettings.maximumAppendedMessages, .limit) }
        let limit = min(Int(copyLimit), IMAPSettings.maximumAppendedMessages)
        return (limit, .messageLimit(UInt32(clamping: limit), lowest: nil))
    }
}

extension [Range<Int>] {
    /// How many positions are in these ranges.
    var positionCount: Int { reduce(0) { $0 + $1.count } }

    /// The last so many positions of these ascending ranges.
    func lastPositions(_ count: Int) -> [Range<Int>] {
        var (last, left): ([Range<Int>], Int) = ([], count)
        for range in reversed() where left > 0 {
            last.append(range.suffix(left))
            left -= last[last.count - 1].count
        }
        return last.reversed()
    }
}

extension MailboxSnapshot {
    /// What a limit leaves of a command's messages; and the lowest UID of those, if some are left out.
    func limited(_ positions: [Range<Int>], to limit: UInt32?) -> (positions: [Range<Int>], lowest: UInt32?) {
        guard let limit, positions.positionCount > Int(limit) else { return (positions, nil) }
        let last = positions.lastPositions(Int(limit))
        return (last, last.first.map { self[$0.lowerBound].uid.value })
    }
}

extension SearchProgram {
    /// The same for the last of the messages that it is about, and the lowest UID of those, if others are left out. What
    /// counts is the messages searched, not those found (RFC 9738 §3.1).
    func limited(to limit: UInt32?, in view: MailboxSnapshot) -> (program: SearchProgram, lowest: UInt32?) {
        guard limit != nil else { return (self, nil) }
        let (last, lowest) = view.limited(split().positions(in: view), to: limit)
        guard lowest != nil else { return (self, nil) }
        let numbers = NumberSet(last.map { UInt32($0.lowerBound + 1)...UInt32($0.upperBound) })
        return (.all([.sequenceNumbers(numbers), self]), lowest)
    }
}

extension IMAPSession {
    /// Ends a command of which a limit may have left something undone.
    ///
    /// - Parameter lowest: the lowest UID that was processed, if there was more.
    mutating func conclude(
        _ tag: String, _ status: StatusKind, _ code: ResponseCode?, _ text: String, downTo lowest: UInt32?,
        updates: UpdateRules = UpdateRules(), _ output: inout SessionOutput
    ) -> Step {
        guard let lowest, let limit = settings.processingLimit else {
            return conclude(tag, status, code, text, updates: updates, &output)
        }
        let told = ResponseCode.messageLimit(limit, lowest: lowest)
        guard code != nil else {
            return conclude(tag, status, told, "\(text) for the last \(limit) messages", updates: updates, &output)
        }
        // RFC 9738 §3.1 has it so beside EXPUNGEISSUED; beside another code there is no other place either.
        var line = OutputBuffer()
        line.append(status: .no, tag: nil, code: told, "Not all of the messages were processed")
        enqueue(line)
        return conclude(tag, status, code, text, updates: updates, &output)
    }

    /// RFC 9738 §3.1: nothing is done, since all cannot be.
    mutating func refuseTooMany(
        _ tag: String, _ limit: UInt32, lowest: UInt32? = nil, updates: UpdateRules = UpdateRules(),
        _ output: inout SessionOutput
    ) -> Step {
        conclude(
            tag, .no, .messageLimit(limit, lowest: lowest), "Too many messages, try fewer", updates: updates, &output)
    }
}
