import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// SEARCH (RFC 3501 §6.4.4; ESEARCH of RFC 4731; SAVE of RFC 5182), SORT and THREAD (RFC 5256).

/// A search whose answer is on its way.
struct SearchCommand: Sendable {
    var tag: String
    /// SEARCH, SORT or THREAD.
    var name: IMAPCommandName
    var request: SearchRequest
    var order: SearchOrder
    var usesUIDs: Bool
    /// The selected mailbox as the search sees it.
    var mailbox: SelectedMailbox

    var updates: UpdateRules {
        var rules = UpdateRules(after: name, uid: usesUIDs)
        if request.key.namesSequenceNumbers { rules.mayAnnounceExpunge = false }
        return rules
    }
}

/// A search that takes long, between two slices of its time.
struct SearchInProgress: Sendable {
    var command: SearchCommand
    var job: SearchJob
}

extension IMAPSession {
    static let charsets = ["US-ASCII", "UTF-8"]

    mutating func search(
        _ tag: String, _ request: SearchRequest, uid: Bool, _ output: inout SessionOutput
    ) -> Step {
        search(tag, .search, request, .mailbox, uid: uid, &output)
    }

    mutating func sort(
        _ tag: String, _ criteria: [SortCriterion], _ request: SearchRequest, uid: Bool,
        _ output: inout SessionOutput
    ) -> Step {
        search(tag, .sort, request, .sorted(criteria), uid: uid, &output)
    }

    mutating func thread(
        _ tag: String, _ algorithm: ThreadAlgorithm, _ request: SearchRequest, uid: Bool,
        _ output: inout SessionOutput
    ) -> Step {
        search(tag, .thread, request, .threads(algorithm), uid: uid, &output)
    }

    private mutating func search(
        _ tag: String, _ name: IMAPCommandName, _ request: SearchRequest, _ order: SearchOrder, uid: Bool,
        _ output: inout SessionOutput
    ) -> Step {
        guard let mailbox = state.mailbox else { return .ready }
        let request = name == .search ? request.adapted(to: enabled) : request
        let command = SearchCommand(
            tag: tag, name: name, request: request, order: order, usesUIDs: uid, mailbox: mailbox)
        if let problem = enabled.refusal(
            of: request.key, charset: request.charset, needsCharset: name != .search)
        {
            return refuse(tag, Refusal(status: .bad, text: problem), &output)
        }
        if let charset = request.charset, !Self.charsets.contains(charset) {
            save(SearchFindings(), command.request)
            return conclude(
                tag, .no, .badCharset(Self.charsets), "The charset is not known", updates: command.updates, &output)
        }
        if let refusal = refusal(of: command) { return refuse(tag, refusal, &output) }
        // RFC 9738 §3.3
        if name == .thread, let limit = settings.processingLimit, mailbox.view.count > Int(limit) {
            return refuseTooMany(tag, limit, updates: command.updates, &output)
        }
        var task = SearchTask(request: request, mailbox: mailbox)
        task.order = order
        task.usesUIDs = uid
        // SORT has columns (RFC 9738 §3.3).
        if name == .search { task.limit = settings.processingLimit }
        return perform(.search(task)) { session, outcome, output in session.proceed(command, outcome, &output) }
    }

    private func refusal(of command: SearchCommand) -> Refusal? {
        let wantsScores = command.request.returns?.contains(.relevancy) ?? false
        // RFC 6203 §4, §6
        if wantsScores || command.order.needsScores, !command.request.key.isFuzzy {
            return Refusal(status: .bad, text: "RELEVANCY is that of FUZZY keys, and there are none")
        }
        return refusalOfUpdates(command.tag, command.request)
    }

    /// What is made of a slice's end.
    private mutating func proceed(
        _ command: SearchCommand, _ outcome: IMAPOutcome, _ output: inout SessionOutput
    ) -> Step {
        switch outcome {
        case .searching(let job):
            var line = OutputBuffer()
            line.append(progress: job.progress, tag: command.tag)
            enqueue(line)
            outgoing.append(.search(SearchInProgress(command: command, job: job)))
            return pump(&output)
        case .matched(let findings):
            if findings.unreadable > 0 {
                output.events.append(
                    .notice("a search left out \(findings.unreadable) stored messages that cannot be read"))
            }
            if command.request.key.namesModSeq { enableCondstore() }
            answer(command, findings)
            keep(command, findings)
            return conclude(
                command.tag, .ok, nil, "\(command.name.rawValue) completed", downTo: findings.lowest,
                updates: command.updates, &output)
        case .unsearchable(let problem): return refuse(command.tag, problem, &output)
        case _:
            save(SearchFindings(), command.request)
            return concludeFailed(command.tag, outcome, updates: command.updates, &output)
        }
    }

    /// Goes on with a search. What has been written before goes out first: that is what it was written for.
    mutating func goOn(_ search: SearchInProgress, _ output: inout SessionOutput) -> Step {
        guard output.bytes.isEmpty else {
            outgoing.insert(.search(search), at: 0)
            return .produce
        }
        return perform(.continueSearch(search.job)) { session, outcome, output in
            session.proceed(search.command, outcome, &output)
        }
    }

    mutating func refuse(_ tag: String, _ problem: SearchProblem, _ output: inout SessionOutput) -> Step {
        switch problem {
        case .noSuchMessage: refuseSet(tag, &output)
        case .malformedText: refuse(tag, Refusal(status: .bad, text: "A string is not in its charset"), &output)
        }
    }

    private mutating func answer(_ command: SearchCommand, _ findings: SearchFindings) {
        save(findings, command.request)
        if case .threads = command.order {
            // thread-data = "THREAD" [SP 1*thread-list]          RFC 5256 §5
            let start: StaticString = findings.threads.isEmpty ? "* THREAD" : "* THREAD "
            var reply = OutputBuffer()
            reply.append(start)
            enqueue(reply)
            outgoing.append(.bytes(findings.threads, written: 0))
            outgoing.append(.bytes([0x0D, 0x0A], written: 0))
            return
        }
        guard command.request.returns != nil else {
            enqueue(
                ResponsePieces.plain(
                    command.name == .sort ? "SORT" : "SEARCH", findings.numbers, modSeq: findings.modSeq))
            return
        }
        guard command.request.tellsSomething else { return }
        enqueue(
            ResponsePieces.esearch(
                SearchResult(findings, command.request), tag: command.tag, uid: command.usesUIDs))
    }

    /// What `$` means from now on, if the search saves: RFC 5182 §2.1, §2.4; RFC 9394 §3.2.
    mutating func save(_ findings: SearchFindings, _ request: SearchRequest) {
        guard let returns = request.returns, returns.contains(.save), var mailbox = state.mailbox else { return }
        let ends = returns.intersection([.min, .max])
        if !returns.isDisjoint(with: [.count, .all]) || (ends.isEmpty && request.partial == nil) {
            mailbox.saved = findings.uids
        } else {
            let found = findings.sortedUIDs.map { ResultList(inOrder: $0) } ?? ResultList(findings.uids)
            let kept = [ends.contains(.min) ? found.first : nil, ends.contains(.max) ? found.last : nil]
            let window = request.partial.map { found[$0.indices(ofCount: found.count)].ranges } ?? []
            mailbox.saved = NumberSet(kept.compactMap { $0.map { $0...$0 } } + window)
        }
        state.replaceMailbox(mailbox)
    }
}

extension SearchRequest {
    /// Whether there is an untagged answer. RFC 5182 §2.1: a search that only saves has none; UPDATE and CONTEXT ask for
    /// no data either.
    var tellsSomething: Bool {
        partial != nil || returns.map { !$0.subtracting([.save, .update, .context]).isEmpty } ?? true
    }
}

extension SearchResult {
    init(_ findings: SearchFindings, _ request: SearchRequest) {
        self.init(findings.numbers, request.returns ?? .all, partial: request.partial)
        modSeq = findings.modSeq
        guard let scores = findings.scores else { return }
        // Of those that are told.
        relevancy = request.partial.map { Array(scores[$0.indices(ofCount: scores.count)]) } ?? scores
    }
}
