import MailStore
import MailVocabulary
import POP3Syntax
import WireFraming

// DELE, RSET (RFC 1939 §5) and QUIT (§4, §6). Only QUIT changes the store: a connection that is lost deletes nothing.
extension POP3Session {
    // "DELE" SP msg
    mutating func delete(_ number: UInt32, _ output: inout SessionOutput) -> Step {
        withMessage(number, &output) { maildrop, row, output in
            maildrop.delete(row)
            output.bytes.ok("message deleted")
        }
    }

    // "RSET"
    mutating func reset(_ output: inout SessionOutput) -> Step {
        withMaildrop { maildrop in
            maildrop.restoreAll()
            output.bytes.okMaildrop(count: maildrop.count, octets: maildrop.octets)
            return .ready
        }
    }

    // "QUIT"
    /// The positive answer comes after the deletions are durable.
    mutating func quit(_ output: inout SessionOutput) -> Step {
        guard case .transaction(let maildrop) = takeState(), maildrop.hasDeletions else {
            output.bytes.ok("signing off")
            return .close
        }
        state = .updating
        return .perform(.remove(maildrop.deletedUIDs, from: maildrop.messages.mailbox, holding: maildrop.lock))
    }

    /// The answer to `POP3Work.remove`.
    mutating func updated(_ outcome: POP3Outcome, _ output: inout SessionOutput) -> Step {
        switch outcome {
        case .removed(let uids):
            output.bytes.ok("signing off, messages deleted")
            output.events.append(.notice("deleted \(uids.count) messages"))
        case .removalFailed(let reason):
            output.bytes.error("some deleted messages not removed", code: .temporary)
            output.events.append(.notice("deleted messages not removed: \(reason)"))
        case .opened, .answered, .unavailable, .inUse, .bytes, .bodies, .bodyGone, .readFailed:
            output.bytes.error("some deleted messages not removed", code: .temporary)
        }
        return .close
    }
}
