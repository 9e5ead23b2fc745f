import IMAPSyntax
import MailStore
import MailVocabulary

// What is told of new messages in the selected mailbox beside EXISTS: what MessageNew asks for (RFC 5465 §5.2), and what
// searches that they come into ask for (§7).

extension SelectedMailbox {
    /// Whether something is kept from the client that the rules allow to be told.
    func holdsWhatMayBeTold(_ rules: UpdateRules) -> Bool {
        holdsExpunged && rules.mayAnnounceExpunge || holdsNew && rules.mayAnnounceNew
            || !untold.isEmpty && rules.mayTellFlags
    }

    /// FETCH answers for messages from a UID on, of which EXISTS has told; or, where searches may ask for more of them,
    /// a note of them. Of messages that the session has added itself nothing is told.
    mutating func arrivals(
        from uidNext: UInt64, _ items: [FetchItem], _ enabled: EnabledFeatures
    ) -> [Outgoing] {
        defer { added = NumberSet() }
        let asksMore = contexts.contains { !$0.items.isEmpty }
        guard asksMore || !items.isEmpty, let first = UInt32(exactly: uidNext), first <= lastUID else { return [] }
        let new = view.uids(in: first...lastUID).subtracting(added)
        guard !new.isEmpty else { return [] }
        guard asksMore else { return [unasked(new, items, enabled)].compactMap { $0 } }
        arrived = arrived.union(new)
        return []
    }

    /// FETCH answers that no FETCH has asked for. Nothing is marked as seen by them: nobody has read it.
    fileprivate func unasked(_ uids: NumberSet, _ items: [FetchItem], _ enabled: EnabledFeatures) -> Outgoing? {
        let features = items.contains(.modSeq) ? enabled.union(.condstore) : enabled
        // RFC 7162 §3.1, §3.2.4, RFC 9051 §7.5.2: whatever was asked for.
        let withUID = !features.isDisjoint(with: [.condstore, .imap4rev2])
        let items = features.contains(.condstore) && !items.contains(.modSeq) ? items + [.modSeq] : items
        guard let plan = FetchPlan(items, withUID: withUID, features) else { return nil }
        let writer = FetchWriter(plan: plan, mailbox: self)
        let positions = view.positions(ofUIDs: uids)
        if plan.isIndexed { return .flags(FlagsList(writer: writer, positions: positions)) }
        let request = FetchRequest(
            writer: writer, positions: positions, cursor: FetchCursor(), passesOverGone: true)
        return .fetch(FetchStream(tag: nil, updates: UpdateRules(), request: request))
    }
}

extension MailboxSnapshot {
    fileprivate func uids(in range: ClosedRange<UInt32>) -> NumberSet {
        var uids = NumberSet()
        for positions in positions(ofUIDs: NumberSet(range)) {
            forEach(in: positions) { uids.appendAscending($1.uid.value) }
        }
        return uids
    }
}

/// Gathers what is asked for of new messages, so that each is told once (RFC 5465 §5.2).
struct Arrivals {
    private let task: ContextTask
    /// By UID; of those of which more than of all is asked for.
    private var items: [UInt32: [FetchItem]] = [:]

    init(_ task: ContextTask) { self.task = task }

    /// - Parameter before: the context's results.
    mutating func note(_ context: SearchContext, before: NumberSet) {
        guard !context.items.isEmpty else { return }
        for uid in context.uids.subtracting(before).intersection(task.mailbox.arrived) {
            let known = items[uid, default: task.newMessageItems]
            items[uid] = known + context.items.filter { !known.contains($0) }
        }
    }

    func told(in mailbox: SelectedMailbox) -> [Outgoing] {
        var uids: [[FetchItem]: NumberSet] = [:]
        var order: [[FetchItem]] = []
        for uid in task.mailbox.arrived {
            let wanted = items[uid] ?? task.newMessageItems
            guard !wanted.isEmpty else { continue }
            if uids[wanted] == nil { order.append(wanted) }
            uids[wanted, default: NumberSet()].appendAscending(uid)
        }
        return order.compactMap { wanted in uids[wanted].flatMap { mailbox.unasked($0, wanted, task.enabled) } }
    }
}
