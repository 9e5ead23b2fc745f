import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// STORE: changes flags.

extension IMAPSession {
    /// RFC 3501 §6.4.6; UNCHANGEDSINCE of RFC 7162 §3.1.3.
    mutating func storeFlags(
        _ tag: String, _ set: SequenceSet, _ action: StoreAction, uid: Bool, _ output: inout SessionOutput
    ) -> Step {
        guard let mailbox = state.mailbox else { return .ready }
        guard let all = mailbox.positions(set, uid: uid) else { return refuseSet(tag, &output) }
        let (positions, lowest) = mailbox.view.limited(all, to: settings.processingLimit)
        let updates = UpdateRules(after: .store, uid: uid)
        if action.unchangedSince != nil { enableCondstore() }
        guard !mailbox.isReadOnly else {
            return conclude(tag, .no, .readOnly, "The mailbox is open for reading only", updates: updates, &output)
        }
        guard let change = FlagChange(action, allowed: mailbox.rights.flagClasses) else {
            return concludeDenied(tag, updates: updates, &output)
        }
        guard !positions.isEmpty else { return conclude(tag, .ok, "STORE completed", updates: updates, &output) }
        var action = action
        // The client expects what it asked for: what has become of the flags is told when that is something else.
        if !change.isWhole(action) { action.isSilent = false }
        let task = StoreTask(
            mailbox: mailbox, positions: positions, change: change,
            unchangedSince: action.unchangedSince.map { ModSeq($0) })
        return perform(.store(task)) { [action] session, outcome, output in
            guard case .stored(let result) = outcome else {
                return session.concludeFailed(tag, outcome, updates: updates, &output)
            }
            return session.concludeStore(tag, action, change, result, lowest, updates, uid: uid, &output)
        }
    }

    private mutating func concludeStore(
        _ tag: String, _ action: StoreAction, _ change: FlagChange, _ result: StoreResult, _ lowest: UInt32?,
        _ rules: UpdateRules, uid: Bool, _ output: inout SessionOutput
    ) -> Step {
        var rules = rules
        if action.isSilent {
            rules.expected = ExpectedChange(uids: result.stored, change: change)
            if action.unchangedSince != nil { rules.toldModSeq = result.stored }
        } else {
            rules.told = result.stored.union(result.modified)
        }
        let modified: ResponseCode? =
            result.modified.isEmpty ? nil : .modified(uid ? result.modified : result.modifiedNumbers)
        // RFC 3501 §6.4.8: a UID that no message has is passed over.
        guard uid || !result.lacksSome else {
            // RFC 9738 §3.1 wants OK beside a limit.
            return conclude(
                tag, lowest == nil ? .no : .ok, modified ?? .expungeIssued, "Some of the messages are gone",
                downTo: lowest, updates: rules, &output)
        }
        let text = modified == nil ? "STORE completed" : "Some of the messages were changed by others"
        return conclude(tag, .ok, modified, text, downTo: lowest, updates: rules, &output)
    }

    /// The answer to a sequence number that is no message's (RFC 3501 §9, `seq-number`).
    mutating func refuseSet(_ tag: String, _ output: inout SessionOutput) -> Step {
        refuse(tag, Refusal(status: .bad, text: "No message has such a number"), &output)
    }
}

extension FlagChange {
    /// What of a STORE may be done: flags of other kinds are passed over, unless there are no others (RFC 4314 §4).
    /// Nil when nothing may.
    fileprivate init?(_ action: StoreAction, allowed: FlagClasses) {
        let flags = allowed.filter(action.flags)
        guard !allowed.isEmpty, action.flags.isEmpty || !flags.isEmpty else { return nil }
        switch action.operation {
        case .add: self = .add(flags)
        case .remove: self = .remove(flags)
        case .replace: self = allowed == .all ? .replace(flags) : .replaceOnly(allowed, with: flags)
        }
    }

    /// Whether it is all that the STORE asks for.
    fileprivate func isWhole(_ action: StoreAction) -> Bool {
        switch self {
        case .add(let flags), .remove(let flags), .replace(let flags): flags == action.flags
        case .replaceOnly: false
        }
    }
}

extension SelectedMailbox {
    /// The UIDs of the view's messages that a client's set names. UIDs that no message has are passed over (RFC 3501
    /// §6.4.8); for a sequence number that no message has, nil.
    func uids(_ set: SequenceSet, uid: Bool, allowsEmptyMailbox: Bool = false) -> NumberSet? {
        positions(set, uid: uid, allowsEmptyMailbox: allowsEmptyMailbox).map(uids(at:))
    }

    /// The positions of the view that a client's set names.
    func positions(_ set: SequenceSet, uid: Bool, allowsEmptyMailbox: Bool = false) -> [Range<Int>]? {
        if uid { return view.positions(ofUIDs: set.resolved(largest: lastUID, saved: saved)) }
        if case .saved = set { return view.positions(ofUIDs: saved) }
        if let largest = set.largestNumber, Int(largest) > view.count { return nil }
        if view.isEmpty, set.hasWildcard { return allowsEmptyMailbox ? [] : nil }
        return set.resolved(largest: UInt32(view.count)).ranges.map { Int($0.lowerBound) - 1..<Int($0.upperBound) }
    }

    func sequenceNumbers(of uids: NumberSet) -> NumberSet {
        NumberSet(view.positions(ofUIDs: uids).map { UInt32($0.lowerBound + 1)...UInt32($0.upperBound) })
    }

    func uids(at positions: [Range<Int>]) -> NumberSet {
        var uids = NumberSet()
        for range in positions { view.forEach(in: range) { uids.appendAscending($1.uid.value) } }
        return uids
    }
}
