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
        guard let all = mailbox.positions(set, uid: uid) else { return refuseSet(tag, &output) }
        guard !moves || !mailbox.isReadOnly else {
            return conclude(tag, .no, .readOnly, "The mailbox is open for reading only", &output)
        }
        // RFC 6851 §4.2: those of STORE, COPY and EXPUNGE.
        guard !moves || mailbox.rights.isSuperset(of: [.deleteMessages, .expunge]) else {
            return concludeDenied(tag, &output)
        }
        let limit = moves ? settings.processingLimit : settings.copyLimit
        let (positions, lowest) = mailbox.view.limited(all, to: limit)
        if !moves, let lowest, let limit { return refuseTooMany(tag, limit, lowest: lowest, &output) }
        let uids = mailbox.uids(at: positions)
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
            session.state.noteAdded(result.destination, to: target.mailbox.id)
            guard moves else {
                let code = target.rights.contains(.read) ? result.responseCode : nil
                return session.conclude(tag, .ok, code, "COPY completed", &output)
            }
            return session.concludeMove(tag, result, into: target, lowest, &output)
        }
    }

    private mutating func concludeMove(
        _ tag: String, _ result: CopyResult, into target: FoundMailbox, _ lowest: UInt32?,
        _ output: inout SessionOutput
    ) -> Step {
        // RFC 4315 §5: who may not read the target hears of no UIDs in it.
        if target.rights.contains(.read), let code = result.responseCode {
            // RFC 6851 §4.3: before the EXPUNGEs, so untagged.
            var reply = OutputBuffer()
            reply.append(status: .ok, tag: nil, code: code, "Moved")
            enqueue(reply)
        }
        let updates = UpdateRules(removed: NumberSet(numbers: result.source.lazy.map(\.value)))
        return conclude(tag, .ok, nil, "MOVE completed", downTo: lowest, updates: updates, &output)
    }

    /// RFC 3501 §6.4.3; with a set, RFC 4315 §2.1.
    mutating func expunge(_ tag: String, _ set: SequenceSet?, _ output: inout SessionOutput) -> Step {
        guard let mailbox = state.mailbox else { return .ready }
        guard !mailbox.isReadOnly else {
            return conclude(tag, .no, .readOnly, "The mailbox is open for reading only", &output)
        }
        guard mailbox.rights.contains(.expunge) else { return concludeDenied(tag, &output) }
        let uids = set.flatMap { mailbox.uids($0, uid: true) } ?? .everyUID
        // RFC 9738 §3.1: of EXPUNGE alone there is no limit.
        let limit = set == nil ? nil : settings.processingLimit
        return perform(.expunge(mailbox.id, uids, limit: limit)) { session, outcome, output in
            guard case .expunged(let result) = outcome else { return session.concludeFailed(tag, outcome, &output) }
            if !result.uids.isEmpty { session.state.owesModSeq() }
            return session.conclude(
                tag, .ok, nil, "EXPUNGE completed", downTo: result.lowest, updates: UpdateRules(removed: result.uids),
                &output)
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
