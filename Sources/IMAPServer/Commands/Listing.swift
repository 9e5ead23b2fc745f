import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// LIST and LSUB. Matching is the service's work: it can take long, and a connection's thread serves others.

extension IMAPSession {
    /// RFC 3501 §6.3.8, RFC 5258, RFC 5819.
    mutating func list(_ tag: String, _ request: ListRequest, _ output: inout SessionOutput) -> Step {
        guard let account = state.account else { return .ready }
        if request.returns.status.contains(.highestModSeq) { enableCondstore() }
        if !request.isExtended, request.patterns == [""] {
            var reply = OutputBuffer()
            reply.append(separatorUnder: "", enabled.mailboxEncoding)
            enqueue(reply)
            return conclude(tag, .ok, "LIST completed", &output)
        }
        return answer(tag, .list(account, request, enabled.mailboxEncoding), "LIST completed", &output)
    }

    /// RFC 3501 §6.3.9.
    mutating func lsub(
        _ tag: String, _ reference: String, _ pattern: String, _ output: inout SessionOutput
    ) -> Step {
        guard let account = state.account else { return .ready }
        let work = IMAPWork.lsub(account, reference: reference, pattern: pattern, enabled.mailboxEncoding)
        return answer(tag, work, "LSUB completed", &output)
    }

    private mutating func answer(
        _ tag: String, _ work: IMAPWork, _ text: String, _ output: inout SessionOutput
    ) -> Step {
        perform(work) { session, outcome, output in
            guard case .written(let lines) = outcome else { return session.concludeFailed(tag, outcome, &output) }
            session.outgoing.append(.bytes(lines, written: 0))
            return session.conclude(tag, .ok, text, &output)
        }
    }
}
