import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// GETMETADATA and SETMETADATA (RFC 5464).

extension IMAPSession {
    /// RFC 5464 §4.2.
    mutating func getMetadata(_ tag: String, _ request: MetadataRequest, _ output: inout SessionOutput) -> Step {
        guard let account = state.account else { return .ready }
        return perform(.metadata(account, request)) { session, outcome, output in
            guard case .metadata(let values, let largest) = outcome else {
                return session.concludeFailed(tag, outcome, &output)
            }
            if !values.isEmpty {
                var reply = OutputBuffer()
                reply.append(metadataOf: request.place, values, session.enabled.mailboxEncoding)
                session.enqueue(reply)
            }
            return session.conclude(
                tag, .ok, largest.map { .metadataLongEntries($0) }, "GETMETADATA completed", &output)
        }
    }

    /// RFC 5464 §4.3: all of the changes, or none.
    mutating func setMetadata(
        _ tag: String, _ place: AnnotatedPlace, _ changes: [MetadataChange], _ output: inout SessionOutput
    ) -> Step {
        guard let account = state.account else { return .ready }
        return perform(.setMetadata(account, place, changes)) { session, outcome, output in
            guard case .done = outcome else { return session.concludeFailed(tag, outcome, &output) }
            return session.conclude(tag, .ok, "SETMETADATA completed", &output)
        }
    }

    /// What is said against a literal before it is invited: no value may be that large.
    func refusalOfValue(_ name: IMAPCommandName, _ header: LiteralHeader) -> Refusal? {
        guard name == .setMetadata, header.count > UInt64(StoreLimits.annotationSize) else { return nil }
        return Refusal(.failed(.annotationTooLarge))
    }
}
