import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// FETCH (RFC 3501 §6.4.5).

extension IMAPSession {
    mutating func fetch(
        _ tag: String, _ set: SequenceSet, _ items: [FetchItem], _ modifiers: FetchModifiers, uid: Bool,
        _ output: inout SessionOutput
    ) -> Step {
        guard let mailbox = state.mailbox else { return .ready }
        guard modifiers == FetchModifiers(), let plan = FetchPlan(items, withUID: uid) else {
            return refuse(tag, Refusal(status: .bad, text: "BINARY and CONDSTORE are not offered"), &output)
        }
        guard let positions = mailbox.positions(set, uid: uid) else { return refuseSet(tag, &output) }
        let setsSeen =
            items.contains(where: \.setsSeen) && !mailbox.isReadOnly && mailbox.rights.contains(.markSeen)
        let unseen = setsSeen ? mailbox.unseen(positions) : NumberSet()
        guard !unseen.isEmpty else { return answer(tag, plan, positions, uid: uid, &output) }
        return perform(.changeFlags(mailbox.id, unseen, .add([.seen]), unchangedSince: nil)) {
            session, outcome, output in
            guard case .changedFlags = outcome else { return session.concludeFailed(tag, outcome, &output) }
            return session.answer(tag, plan, positions, newlySeen: unseen, uid: uid, &output)
        }
    }

    /// Queues the answer. With `newlySeen`, the view first takes in what reading has changed: the answers tell the
    /// flags of those messages themselves.
    private mutating func answer(
        _ tag: String, _ plan: FetchPlan, _ positions: [Range<Int>], newlySeen: NumberSet = NumberSet(), uid: Bool,
        _ output: inout SessionOutput
    ) -> Step {
        let updates = UpdateRules(after: .fetch, uid: uid)
        if let mailbox = state.mailbox, let now = store.current(mailbox.id), !newlySeen.isEmpty {
            state.replaceMailbox(mailbox.marking(newlySeen, seenIn: now))
        }
        guard let mailbox = state.mailbox else { return .ready }
        var writer = FetchWriter(plan: plan, mailbox: mailbox)
        writer.newlySeen = newlySeen
        if plan.isIndexed {
            outgoing.append(.flags(FlagsList(writer: writer, positions: positions)))
            return conclude(tag, .ok, "FETCH completed", updates: updates, &output)
        }
        let request = FetchRequest(
            writer: writer, positions: positions, cursor: FetchCursor(), passesOverGone: uid)
        outgoing.append(.fetch(FetchStream(tag: tag, updates: updates, request: request)))
        return pump(&output)
    }

    /// Writes more of a FETCH, and asks for its next piece when all of the last is written. Nil to go on writing.
    mutating func advance(_ stream: FetchStream, _ output: inout SessionOutput) -> Step? {
        var stream = stream
        let end = min(stream.piece.count, stream.written + max(0, productionChunk - output.bytes.count))
        output.bytes.append(stream.piece[stream.written..<end])
        stream.written = end
        guard end == stream.piece.count else {
            outgoing.insert(.fetch(stream), at: 0)
            return nil
        }
        guard !stream.isComplete else { return finish(stream, &output) }
        return perform(.fetch(stream.request)) { session, outcome, output in
            guard case .fetched(let piece) = outcome else {
                return session.concludeFailed(stream.tag, outcome, &output)
            }
            session.outgoing.insert(.fetch(stream.continued(by: piece)), at: 0)
            return session.pump(&output)
        }
    }

    private mutating func finish(_ stream: FetchStream, _ output: inout SessionOutput) -> Step {
        switch stream.problem {
        // RFC 3501 §6.4.8: a UID that no message has is passed over.
        case .gone where stream.request.passesOverGone, nil:
            return conclude(stream.tag, .ok, "FETCH completed", updates: stream.updates, &output)
        case .gone:
            return conclude(
                stream.tag, .no, .expungeIssued, "Some of the messages are gone", updates: stream.updates, &output)
        case .unreadable:
            output.events.append(.notice("stored messages cannot be read"))
            return conclude(
                stream.tag, .no, .corruption, "Some of the messages cannot be read", updates: stream.updates, &output)
        case .brokenOff:
            // Within a literal: nothing that is written now would be understood.
            output.events.append(.notice("a stored message cannot be read to its end"))
            state = .logout
            return .close
        }
    }
}

extension FetchStream {
    fileprivate func continued(by piece: FetchPiece) -> FetchStream {
        var stream = self
        stream.piece = piece.bytes
        stream.written = 0
        stream.isComplete = piece.next == nil
        if let next = piece.next { stream.request.cursor = next }
        if let problem = piece.problem { stream.problem = max(stream.problem ?? .gone, problem) }
        return stream
    }
}

extension SelectedMailbox {
    fileprivate func unseen(_ positions: [Range<Int>]) -> NumberSet {
        var uids = NumberSet()
        for range in positions {
            view.forEach(in: range) { if !$1.flags.contains(.seen) { uids.appendAscending($1.uid.value) } }
        }
        return uids
    }

    /// The view with the messages marked that the store has marked now. Their MODSEQ is the store's, so that comparing
    /// finds nothing to tell; other changes of the same messages are still found.
    fileprivate func marking(_ uids: NumberSet, seenIn now: MailboxSnapshot) -> SelectedMailbox {
        var marked = self
        marked.view.update(uids) { row in
            guard let position = now.position(of: row.uid) else { return }
            let new = now[position]
            row.flags.insert(.seen)
            if new.flags == row.flags { row.modSeq = new.modSeq }
        }
        return marked
    }
}
