import IMAPSyntax
import MailStore
import WireFraming

// IDLE (RFC 2177): the session tells of changes as they come, until the client says DONE.

extension IMAPSession {
    mutating func idle(_ tag: String, _ output: inout SessionOutput) -> Step {
        guard let mailbox = state.mailbox else { return beginIdling(tag, nil, &output) }
        return perform(.observe(mailbox.id)) { session, outcome, output in
            guard case .observing(let observation) = outcome else {
                return session.concludeFailed(tag, outcome, &output)
            }
            return session.beginIdling(tag, observation, &output)
        }
    }

    private mutating func beginIdling(
        _ tag: String, _ observation: Observation?, _ output: inout SessionOutput
    ) -> Step {
        activity = .idling(tag: tag, observation)
        output.bytes.append(continuation: "idling")
        // What changed before the observation began.
        outgoing.append(.updates(UpdateRules()))
        return pump(&output)
    }

    // idle = "IDLE" CRLF "DONE"          RFC 2177 §4
    mutating func readDone(
        _ tag: String, _ input: Span<UInt8>, _ consumed: inout Int, _ output: inout SessionOutput
    ) -> Step {
        switch reader.nextLine(input) {
        case .incomplete: return .needInput
        case .tooLong:
            output.events.append(.violation("a line that is too long in IDLE"))
            return farewell("The line is too long", &output)
        case .line(let length, let size, let endsWithCRLF):
            consumed += size
            activity = .commands
            guard endsWithCRLF, IMAPRequest.isDone(input.extracting(0..<length)) else {
                return refuse(tag, Refusal(status: .bad, text: "IDLE ends with DONE"), &output)
            }
            return conclude(tag, .ok, "IDLE completed", &output)
        }
    }
}
