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
        guard modifiers.partial == nil || uid else {
            return refuse(tag, Refusal(status: .bad, text: "PARTIAL is for UID FETCH"), &output)
        }
        guard let positions = mailbox.positions(set, uid: uid) else { return refuseSet(tag, &output) }
        // RFC 7162 §3.1.4.1
        let items = modifiers.changedSince == nil ? items : items + [.modSeq]
        let tellsModSeq = items.contains(.modSeq)
        guard let plan = FetchPlan(items, withUID: uid, tellsModSeq ? enabled.union(.condstore) : enabled) else {
            return refuse(tag, Refusal(status: .bad, text: "There is no such item"), &output)
        }
        if tellsModSeq { enableCondstore() }
        guard modifiers != FetchModifiers() else {
            return fetch(tag, plan, positions, setsSeen: items.contains(where: \.setsSeen), uid: uid, &output)
        }
        let scope = FetchScope(
            view: mailbox.view, positions: positions, uids: mailbox.uidsNamed(by: set), modifiers: modifiers,
            limit: settings.processingLimit)
        return perform(.narrow(scope)) { session, outcome, output in
            guard case .narrowed(let narrowed) = outcome else {
                return session.concludeFailed(tag, outcome, updates: UpdateRules(after: .fetch, uid: uid), &output)
            }
            if narrowed.isTooMuch, let limit = scope.limit {
                return session.refuseTooMany(tag, limit, updates: UpdateRules(after: .fetch, uid: uid), &output)
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
        _ tag: String, _ plan: FetchPlan, _ all: [Range<Int>], setsSeen: Bool, uid: Bool,
        _ output: inout SessionOutput
    ) -> Step {
        guard let mailbox = state.mailbox else { return .ready }
        let (positions, lowest) = mailbox.view.limited(all, to: settings.processingLimit)
        let mayMark = setsSeen && !mailbox.isReadOnly && mailbox.rights.contains(.markSeen)
        let task = SeenTask(mailbox: mailbox, positions: positions)
        guard mayMark, task.mayFindUnseen else { return answer(tag, plan, positions, lowest, uid: uid, &output) }
        return perform(.markSeen(task)) { session, outcome, output in
            guard case .markedSeen(let result) = outcome else {
                return session.concludeFailed(tag, outcome, updates: UpdateRules(after: .fetch, uid: uid), &output)
            }
            session.state.replaceMailbox(result.mailbox)
            return session.answer(tag, plan, positions, lowest, newlySeen: result.newlySeen, uid: uid, &output)
        }
    }

    /// Queues the answer.
    ///
    /// - Parameters:
    ///   - lowest: the lowest UID, when a limit leaves lower ones out.
    ///   - newlySeen: what reading has changed: the answers tell the flags of those messages themselves.
    private mutating func answer(
        _ tag: String, _ plan: FetchPlan, _ positions: [Range<Int>], _ lowest: UInt32?,
        newlySeen: NumberSet = NumberSet(), uid: Bool, _ output: inout SessionOutput
    ) -> Step {
        let updates = UpdateRules(after: .fetch, uid: uid)
        guard var mailbox = state.mailbox else { return .ready }
        // Who does not want to hear of flags (RFC 5465) and asks for them has not been told of new keywords.
        if mailbox.owesKeywords, plan.tells(.flags) || !newlySeen.isEmpty {
            let keywords = mailbox.takeKeywordsToTell()
            state.replaceMailbox(mailbox)
            outgoing.append(.bytes(keywords, written: 0))
        }
        var writer = FetchWriter(plan: plan, mailbox: mailbox)
        writer.newlySeen = newlySeen
        if plan.isIndexed {
            outgoing.append(.flags(FlagsList(writer: writer, positions: positions)))
            return conclude(tag, .ok, nil, "FETCH completed", downTo: lowest, updates: updates, &output)
        }
        let request = FetchRequest(
            writer: writer, positions: positions, cursor: FetchCursor(), passesOverGone: uid)
        outgoing.append(.fetch(FetchStream(tag: tag, updates: updates, request: request, lowest: lowest)))
        return pump(&output)
    }

    /// Writes more of a FETCH, and asks for its next piece when all of the last is written. Nil to go on writing.
    mutating func advance(_ stream: FetchStream, _ output: inout SessionOutput) -> Step? {
        var stream = stream
        while let next = stream.octets.first {
            guard output.bytes.count < productionChunk else {
                outgoing.insert(.fetch(stream), at: 0)
                return nil
            }
            let piece = next.prefix(productionChunk - output.bytes.count)
            output.bytes.append(whole: piece)
            stream.octets[stream.octets.startIndex] = next.dropFirst(piece.count)
            if piece.count == next.count { stream.octets.removeFirst() }
        }
        guard !stream.isComplete else { return finish(stream, &output) }
        return perform(.fetch(stream.request)) { session, outcome, output in
            guard case .fetched(let piece) = outcome else {
                guard let tag = stream.tag else { return session.pump(&output) }
                return session.concludeFailed(tag, outcome, &output)
            }
            session.outgoing.insert(.fetch(stream.continued(by: piece)), at: 0)
            return session.pump(&output)
        }
    }

    /// Nil to go on writing: nothing ends what is told unasked.
    private mutating func finish(_ stream: FetchStream, _ output: inout SessionOutput) -> Step? {
        if stream.problem == .brokenOff {
            // Within a literal: nothing that is written now would be understood.
            output.events.append(.notice("a stored message cannot be read to its end"))
            state = .logout
            return .close
        }
        guard let tag = stream.tag else { return nil }
        let ending: (status: StatusKind, code: ResponseCode?, text: String)
        switch stream.problem {
        // RFC 3501 §6.4.8: a UID that no message has is passed over.
        case .gone where stream.request.passesOverGone, nil: ending = (.ok, nil, "FETCH completed")
        case .gone:
            // RFC 9738 §3.1 wants OK beside a limit.
            ending = (stream.lowest == nil ? .no : .ok, .expungeIssued, "Some of the messages are gone")
        case .unknownEncoding: ending = (.no, .unknownCTE, "A part is encoded in an unknown way")
        case .unreadable, .brokenOff:
            output.events.append(.notice("stored messages cannot be read"))
            ending = (.no, .corruption, "Some of the messages cannot be read")
        }
        return conclude(
            tag, ending.status, ending.code, ending.text, downTo: stream.lowest, updates: stream.updates,
            &output)
    }
}

extension FetchStream {
    fileprivate func continued(by piece: FetchPiece) -> FetchStream {
        var stream = self
        stream.octets = piece.octets[...]
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
}
