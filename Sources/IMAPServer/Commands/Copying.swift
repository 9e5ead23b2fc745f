import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// COPY, MOVE, EXPUNGE.

extension IMAPSession {
    /// RFC 3501 §6.4.7, RFC 6851; COPYUID of RFC 4315.
    mutating func copy(
        _ tag: String, _ set: SequenceSet, to target: MailboxName, moves: Bool, uid: Bool,
        _ output: inout SessionOutput
    ) -> Step {
        guard let account = state.account, let mailbox = state.mailbox else { return .ready }
        guard let uids = mailbox.uids(set, uid: uid) else { return refuseSet(tag, &output) }
        guard !moves || !mailbox.isReadOnly else {
            return conclude(tag, .no, .readOnly, "The mailbox is open for reading only", &output)
        }
        // RFC 6851 §4.2: those of STORE, COPY and EXPUNGE.
        guard !moves || mailbox.rights.isSuperset(of: [.deleteMessages, .expunge]) else {
            return concludeDenied(tag, &output)
        }
        let word = moves ? "MOVE" : "COPY"
        guard !uids.isEmpty else { return conclude(tag, .ok, "\(word) completed", &output) }
        let work: IMAPWork =
            moves
            ? .move(account, uids, from: mailbox.id, to: target)
            : .copy(account, uids, from: mailbox.id, to: target, allOrNothing: !uid)
        return perform(work) { session, outcome, output in
            guard case .copied(let result, let target) = outcome else {
                return session.concludeFailed(tag, outcome, missing: .tryCreate, &output)
            }
            // COPY is all or nothing (RFC 3501 §6.4.7).
            guard moves || uid || !result.source.isEmpty else {
                return session.conclude(tag, .no, .expungeIssued, "Some of the messages are gone", &output)
            }
            if result.isNearQuota { session.warnOfQuota() }
            session.state.noteAdded(result.destination, to: target)
            return moves
                ? session.concludeMove(tag, result, &output)
                : session.conclude(tag, .ok, result.responseCode, "COPY completed", &output)
        }
    }

    private mutating func concludeMove(_ tag: String, _ result: CopyResult, _ output: inout SessionOutput) -> Step {
        if let code = result.responseCode {
            // RFC 6851 §4.3: before the EXPUNGEs, so untagged.
            var reply = OutputBuffer()
            reply.append(status: .ok, tag: nil, code: code, "Moved")
            enqueue(reply)
        }
        let updates = UpdateRules(removed: NumberSet(numbers: result.source.lazy.map(\.value)))
        return conclude(tag, .ok, "MOVE completed", updates: updates, &output)
    }

    /// RFC 3501 §6.4.3; with a set, RFC 4315 §2.1.
    mutating func expunge(_ tag: String, _ set: SequenceSet?, _ output: inout SessionOutput) -> Step {
        guard let mailbox = state.mailbox else { return .ready }
        guard !mailbox.isReadOnly else {
            return conclude(tag, .no, .readOnly, "The mailbox is open for reading only", &output)
        }
        guard mailbox.rights.contains(.expunge) else { return concludeDenied(tag, &output) }
        let uids = set.flatMap { mailbox.uids($0, uid: true) } ?? .everyUID
        return perform(.expunge(mailbox.id, uids)) { session, outcome, output in
            guard case .expunged(let uids) = outcome else { return session.concludeFailed(tag, outcome, &output) }
            if !uids.isEmpty { session.state.owesModSeq() }
            let updates = UpdateRules(removed: uids)
            return session.conclude(tag, .ok, "EXPUNGE completed", updates: updates, &output)
        }
    }
}

extension CopyResult {
    /// Nil when nothing was copied: an empty set cannot be written.
    fileprivate var responseCode: ResponseCode? {
        guard !source.isEmpty else { return nil }
        return .copyUID(
            uidValidity, source: NumberSet(numbers: source.lazy.map(\.value)),
            destination: NumberSet(numbers: destination.lazy.map(\.value)))
    }
}
