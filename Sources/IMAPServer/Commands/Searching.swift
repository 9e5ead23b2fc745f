import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// SEARCH (RFC 3501 §6.4.4; ESEARCH of RFC 4731; SAVE of RFC 5182).

extension IMAPSession {
    private static let charsets = ["US-ASCII", "UTF-8"]

    mutating func search(
        _ tag: String, _ request: SearchRequest, uid: Bool, _ output: inout SessionOutput
    ) -> Step {
        guard let mailbox = state.mailbox else { return .ready }
        var updates = UpdateRules(after: .search, uid: uid)
        if request.key.namesSequenceNumbers { updates.mayAnnounceExpunge = false }
        if let charset = request.charset, !Self.charsets.contains(charset) {
            save(NumberSet(), request)
            return conclude(
                tag, .no, .badCharset(Self.charsets), "The charset is not known", updates: updates, &output)
        }
        return perform(.search(SearchTask(request: request, mailbox: mailbox))) { [updates] session, outcome, output in
            switch outcome {
            case .matched(let uids, let unreadable, let modSeq):
                if unreadable > 0 {
                    output.events.append(
                        .notice("a search left out \(unreadable) stored messages that cannot be read"))
                }
                if request.key.namesModSeq { session.enableCondstore() }
                session.answer(tag, uids, modSeq, request, in: mailbox, uid: uid)
                return session.conclude(tag, .ok, "SEARCH completed", updates: updates, &output)
            case .unsearchable(let problem): return session.refuse(tag, problem, &output)
            case _:
                session.save(NumberSet(), request)
                return session.concludeFailed(tag, outcome, updates: updates, &output)
            }
        }
    }

    private mutating func refuse(_ tag: String, _ problem: SearchProblem, _ output: inout SessionOutput) -> Step {
        switch problem {
        case .noSuchMessage: refuseSet(tag, &output)
        case .malformedText: refuse(tag, Refusal(status: .bad, text: "A string is not in its charset"), &output)
        }
    }

    private mutating func answer(
        _ tag: String, _ uids: NumberSet, _ modSeq: ModSeq?, _ request: SearchRequest, in mailbox: SelectedMailbox,
        uid: Bool
    ) {
        save(uids, request)
        let numbers = uid ? uids : mailbox.sequenceNumbers(of: uids)
        var reply = OutputBuffer()
        guard let returns = request.returns else {
            reply.append("* SEARCH")
            enqueue(reply)
            outgoing.append(.numbers(NumberList(numbers)))
            // "SEARCH" [1*(SP nz-number) SP "(" "MODSEQ" SP mod-sequence-value ")"]          RFC 7162 §7
            var end = OutputBuffer()
            if let modSeq { end.append(" (MODSEQ \(modSeq.value))") }
            end.appendLineEnd()
            enqueue(end)
            return
        }
        // RFC 5182 §2.1: a search that only saves tells nothing.
        guard returns != .save else { return }
        var result = SearchResult(numbers, returns)
        result.modSeq = modSeq
        reply.append(esearch: result, tag: tag, uid: uid)
        enqueue(reply)
    }

    /// RFC 5182 §2.1, §2.4: all that was found, or, where only MIN or MAX was asked for, those.
    private mutating func save(_ uids: NumberSet, _ request: SearchRequest) {
        guard let returns = request.returns, returns.contains(.save), var mailbox = state.mailbox else { return }
        let ends = returns.intersection([.min, .max])
        if ends.isEmpty || !returns.isDisjoint(with: [.all, .count]) {
            mailbox.saved = uids
        } else {
            let kept = [ends.contains(.min) ? uids.min : nil, ends.contains(.max) ? uids.max : nil]
            mailbox.saved = NumberSet(numbers: kept.compactMap { $0 })
        }
        state.replaceMailbox(mailbox)
    }
}
