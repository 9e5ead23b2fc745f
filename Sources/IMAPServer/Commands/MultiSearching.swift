import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// ESEARCH (RFC 7377): a search in mailboxes that need not be selected. Its answers name UIDs, mailbox by mailbox.

/// A search in several mailboxes, between two slices of its time.
struct MultiSearchInProgress: Sendable {
    var tag: String
    var job: MultiSearchJob
}

extension IMAPSession {
    mutating func multiSearch(
        _ tag: String, _ sources: [MailboxFilter]?, _ request: SearchRequest, _ output: inout SessionOutput
    ) -> Step {
        guard let account = state.account else { return .ready }
        let sources = sources ?? [.selected]
        var request = request
        // RFC 7377 §2.1
        if request.returns == nil { request.returns = .all }
        if let problem = enabled.refusal(of: request.key, charset: request.charset) {
            return refuse(tag, Refusal(status: .bad, text: problem), &output)
        }
        if let refusal = refusal(of: request, in: sources, tag) { return refuse(tag, refusal, &output) }
        if let charset = request.charset, !Self.charsets.contains(charset) {
            return conclude(tag, .no, .badCharset(Self.charsets), "The charset is not known", &output)
        }
        let task = MultiSearchTask(
            user: account, sources: sources, selected: state.mailbox, request: request, enabled: enabled)
        return perform(.multiSearch(task)) { session, outcome, output in
            session.proceed(tag, task, outcome, &output)
        }
    }

    private func refusal(
        of request: SearchRequest, in sources: [MailboxFilter], _ tag: String
    ) -> Refusal? {
        let returns = request.returns ?? []
        if sources.contains(.selected), state.mailbox == nil {
            return Refusal(status: .bad, text: "Select a mailbox first")
        }
        // RFC 7377 §2.2
        if returns.contains(.save), sources != [.selected] {
            return Refusal(status: .bad, text: "What is saved is of the selected mailbox alone")
        }
        if returns.contains(.update), state.mailbox == nil {
            return Refusal(status: .bad, text: "The selected mailbox is kept up to date, and there is none")
        }
        if returns.contains(.relevancy), !request.key.isFuzzy {
            return Refusal(status: .bad, text: "RELEVANCY is that of FUZZY keys, and there are none")
        }
        return refusalOfUpdates(tag, request)
    }

    private mutating func proceed(
        _ tag: String, _ task: MultiSearchTask, _ outcome: IMAPOutcome, _ output: inout SessionOutput
    ) -> Step {
        let request = task.request
        switch outcome {
        case .foundInMailboxes(let found, let rest):
            for part in found { answer(tag, request, part, &output) }
            if found.isEmpty, rest == nil { save(SearchFindings(), request) }
            if request.key.namesModSeq { enableCondstore() }
            if rest == nil { keep(tag, task, found) }
            guard let rest else { return conclude(tag, .ok, "ESEARCH completed", &output) }
            var line = OutputBuffer()
            line.append(progress: rest.progress, tag: tag)
            enqueue(line)
            outgoing.append(.multiSearch(MultiSearchInProgress(tag: tag, job: rest)))
            return pump(&output)
        case .unsearchable(let problem): return refuse(tag, problem, &output)
        case _: return concludeFailed(tag, outcome, &output)
        }
    }

    private mutating func answer(
        _ tag: String, _ request: SearchRequest, _ part: MailboxFindings, _ output: inout SessionOutput
    ) {
        if part.findings.unreadable > 0 {
            output.events.append(
                .notice("a search left out \(part.findings.unreadable) stored messages that cannot be read"))
        }
        if part.isSelected { save(part.findings, request) }
        guard request.tellsSomething else { return }
        enqueue(
            ResponsePieces.esearch(
                SearchResult(part.findings, request), tag: tag, uid: true, in: part.mailbox, enabled.mailboxEncoding))
    }

    /// RFC 7377 §2.2: only the selected mailbox is kept up to date; a search elsewhere is not.
    private mutating func keep(_ tag: String, _ task: MultiSearchTask, _ found: [MailboxFindings]) {
        guard task.request.returns?.contains(.update) == true, let mailbox = state.mailbox else { return }
        guard task.sources == [.selected] else { return refuseUpdates(tag) }
        let command = SearchCommand(
            tag: tag, name: .multiSearch, request: task.request, order: .mailbox, usesUIDs: true, mailbox: mailbox)
        keep(command, found.first?.findings ?? SearchFindings())
    }

    /// Goes on with a search when what it has found is written.
    mutating func goOn(_ search: MultiSearchInProgress, _ output: inout SessionOutput) -> Step {
        guard output.bytes.isEmpty else {
            outgoing.insert(.multiSearch(search), at: 0)
            return .produce
        }
        return perform(.continueMultiSearch(search.job)) { session, outcome, output in
            session.proceed(search.tag, search.job.task, outcome, &output)
        }
    }
}

extension OutputBuffer {
    /// RFC 9585.
    mutating func append(progress: (done: Int, all: Int), tag: String) {
        append(
            status: .ok, tag: nil,
            code: .inProgress(tag: tag, done: UInt32(clamping: progress.done), of: UInt32(clamping: progress.all)),
            "Searching")
    }
}
