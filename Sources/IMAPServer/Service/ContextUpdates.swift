import IMAPSyntax
import MailStore
import MailVocabulary

// Contexts are brought up to date by searching in the messages that changed (RFC 5267, appendix B).

/// A mailbox whose contexts are to be brought up to date.
package struct ContextTask: Sendable {
    let mailbox: SelectedMailbox
    /// What is told of every new message.
    let newMessageItems: [FetchItem]
    let enabled: EnabledFeatures
}

extension IMAPService {
    /// The mailbox with its contexts as they are now, and what is to be told of them.
    func updateContexts(_ task: ContextTask) async throws -> MailboxUpdate {
        let mailbox = task.mailbox
        var updated = mailbox
        var told: [Outgoing] = []
        var arrivals = Arrivals(task)
        (updated.touched, updated.arrived) = (NumberSet(), NumberSet())
        for index in updated.contexts.indices {
            do {
                let before = updated.contexts[index].uids
                let update = try await updateContext(&updated.contexts[index], in: mailbox)
                arrivals.note(updated.contexts[index], before: before)
                guard !update.isEmpty else { continue }
                let context = updated.contexts[index]
                told += ResponsePieces.update(update, tag: context.tag, uid: context.usesUIDs).map(Outgoing.init)
            } catch is SearchProblem {
                // A key that could be made ready once can be so again.
                continue
            }
        }
        // RFC 5465 §7 has what UPDATE asks for before ADDTO, §5.2 what MessageNew asks for behind it.
        let fetched = arrivals.told(in: updated)
        return MailboxUpdate(mailbox: updated, told: task.newMessageItems.isEmpty ? fetched + told : told + fetched)
    }

    private func updateContext(
        _ context: inout SearchContext, in mailbox: SelectedMailbox
    ) async throws -> ContextUpdate {
        let program = try SearchProgram(context.key, in: mailbox, now: now().seconds)
        var run = SearchRun(
            store: store, cache: columns, view: mailbox.view, .all([.uids(mailbox.touched), program]))
        _ = try await run.advance(until: nil)
        let matches = mailbox.view.uids(atSequenceNumbers: run.sequenceNumbers)
        let removed = context.uids.intersection(mailbox.touched).subtracting(matches)
        let added = matches.subtracting(context.uids)
        var newOrder: [UInt32]?
        if context.sorted != nil, !added.isEmpty {
            let key = SearchKey.and([
                context.key, .uid(.ranges(context.uids.subtracting(removed).union(added).sequence)),
            ])
            var task = SearchTask(request: SearchRequest(key: key), mailbox: mailbox)
            task.order = context.order
            var job = try SearchJob(task, store: store, cache: columns, now: now().seconds)
            _ = try await job.advance(until: nil)
            // Of messages that are gone, what they would be sorted by may be gone too.
            let gone = try await store.open(mailbox.id).changes(since: mailbox.view).expunged
            newOrder = job.findings().sortedUIDs?.filter { added.contains($0) || !gone.contains($0) }
        }
        return context.change(removed: removed, added: added, newOrder: newOrder, numberedBy: mailbox.view)
    }
}

extension NumberSet {
    fileprivate var sequence: [SequenceRange] { ranges.map { SequenceRange($0.lowerBound, $0.upperBound) } }
}

extension Outgoing {
    init(_ piece: ResponsePiece) {
        switch piece {
        case .bytes(let bytes): self = .bytes(bytes, written: 0)
        case .numbers(let numbers): self = .numbers(numbers)
        }
    }
}

extension SelectedMailbox {
    /// Takes messages that are gone out of the contexts; what is to be told of that, before they are told to be gone
    /// (RFC 5267 §4.3.4).
    /// - Parameter view: the one before.
    mutating func removeFromContexts(_ gone: NumberSet, numberedBy view: MailboxSnapshot) -> [Outgoing] {
        var told: [Outgoing] = []
        for index in contexts.indices {
            let update = contexts[index].remove(gone, numberedBy: view)
            guard !update.isEmpty else { continue }
            told += ResponsePieces.update(update, tag: contexts[index].tag, uid: contexts[index].usesUIDs)
                .map(Outgoing.init)
        }
        return told
    }

    /// Notes messages that changed or are new: contexts may gain or lose them.
    mutating func touch(_ changes: MailboxChanges, in now: MailboxSnapshot) {
        guard !contexts.isEmpty else { return }
        var uids = NumberSet()
        for position in changes.changed { uids.appendAscending(now[position].uid.value) }
        if !holdsNew { now.forEach(in: changes.firstNew..<now.count) { uids.appendAscending($1.uid.value) } }
        touched = touched.union(uids)
    }
}
