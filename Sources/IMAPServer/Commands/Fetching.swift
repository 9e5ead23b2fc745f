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
        guard !modifiers.vanished || (uid && enabled.contains(.qresync)) else {
            return refuse(tag, Refusal(status: .bad, text: "VANISHED is for UID FETCH with QRESYNC enabled"), &output)
        }
        guard let positions = mailbox.positions(set, uid: uid) else { return refuseSet(tag, &output) }
        // RFC 7162 §3.1.4.1
        let items = modifiers.changedSince == nil ? items : items + [.modSeq]
        let tellsModSeq = items.contains(.modSeq)
        guard let plan = FetchPlan(items, withUID: uid, tellsModSeq ? enabled.union(.condstore) : enabled) else {
            return refuse(tag, Refusal(status: .bad, text: "BINARY is not offered"), &output)
        }
        if tellsModSeq { enableCondstore() }
        guard modifiers != FetchModifiers() else {
            return fetch(tag, plan, positions, setsSeen: items.contains(where: \.setsSeen), uid: uid, &output)
        }
        let scope = FetchScope(
            view: mailbox.view, positions: positions, uids: mailbox.uidsNamed(by: set), modifiers: modifiers)
        return perform(.narrow(scope)) { session, outcome, output in
            guard case .narrowed(let narrowed) = outcome else {
                return session.concludeFailed(tag, outcome, updates: UpdateRules(after: .fetch, uid: uid), &output)
            }
            if !narrowed.vanished.isEmpty {
                session.outgoing.append(.vanished(VanishedList(narrowed.vanished, isEarlier: true)))
            }
            let setsSeen = items.contains(where: \.setsSeen)
            return session.fetch(tag, plan, narrowed.positions, setsSeen: setsSeen, uid: uid, &output)
        }
    }

    /// Marks as read what is read, then answers.
    private mutating func fetch(
        _ tag: String, _ plan: FetchPlan, _ positions: [Range<Int>], setsSeen: Bool, uid: Bool,
        _ output: inout SessionOutput
    ) -> Step {
        guard let mailbox = state.mailbox else { return .ready }
        let mayMark = setsSeen && !mailbox.isReadOnly && mailbox.rights.contains(.markSeen)
        let unseen = mayMark ? mailbox.unseen(positions) : NumberSet()
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
    /// A set of UIDs with those that are no message's any more; `*` is the last that was given out.
    fileprivate func uidsNamed(by set: SequenceSet) -> NumberSet {
        set.resolved(largest: UInt32(min(view.uidNext - 1, UInt64(UInt32.max))), saved: saved)
    }

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
