import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// Searches that are kept up to date (RFC 5267): UPDATE and CANCELUPDATE.

extension IMAPSession {
    /// Keeps the search's results up to date from now on; or says that it will not (RFC 5267 §4.3.1).
    mutating func keep(_ command: SearchCommand, _ findings: SearchFindings) {
        guard command.request.returns?.contains(.update) == true, var mailbox = state.mailbox else { return }
        guard mailbox.contexts.count < SearchContext.maximumCount, let context = SearchContext(command, findings)
        else { return refuseUpdates(command.tag) }
        mailbox.contexts.append(context)
        state.replaceMailbox(mailbox)
    }

    /// RFC 5267 §4.3: a tag whose search is kept up to date cannot be another's.
    func refusalOfUpdates(_ tag: String, _ request: SearchRequest) -> Refusal? {
        guard request.returns?.contains(.update) == true, let mailbox = state.mailbox,
            mailbox.contexts.contains(where: { $0.tag == tag })
        else { return nil }
        return Refusal(status: .bad, text: "Tag reuse")
    }

    /// With UIDONLY no sequence number is told any more (RFC 9586 §3), so of searches that tell of them no changes.
    mutating func endNumberedContexts() {
        guard var mailbox = state.mailbox else { return }
        for context in mailbox.contexts where !context.usesUIDs { refuseUpdates(context.tag) }
        mailbox.contexts.removeAll { !$0.usesUIDs }
        state.replaceMailbox(mailbox)
    }

    mutating func refuseUpdates(_ tag: String) {
        var line = OutputBuffer()
        line.append(status: .no, tag: nil, code: .noUpdate(tag: tag), "Too much to be kept up to date")
        enqueue(line)
    }

    /// RFC 5267 §4.3.5. Tags of searches that are not kept up to date are passed over.
    mutating func cancelUpdate(_ tag: String, _ tags: [String], _ output: inout SessionOutput) -> Step {
        guard var mailbox = state.mailbox else { return .ready }
        mailbox.contexts.removeAll { tags.contains($0.tag) }
        if mailbox.contexts.isEmpty { mailbox.touched = NumberSet() }
        state.replaceMailbox(mailbox)
        return conclude(tag, .ok, "CANCELUPDATE completed", &output)
    }

    /// Looks what has become of the contexts, and tells it before all else that waits. Nil when nothing can have.
    mutating func updateContexts(_ output: inout SessionOutput) -> Step? {
        guard let mailbox = state.mailbox, !mailbox.contexts.isEmpty, !mailbox.touched.isEmpty else { return nil }
        let task = ContextTask(
            mailbox: mailbox, newMessageItems: notifications?.newMessageItems ?? [], enabled: enabled)
        return perform(.updateContexts(task)) { session, outcome, output in
            // What cannot be found out now is tried again when something has changed.
            if case .refreshed(let update) = outcome {
                session.state.replaceMailbox(update.mailbox)
                session.outgoing.insert(contentsOf: update.told, at: 0)
            }
            return session.pump(&output)
        }
    }
}
