import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// The client's view of the selected mailbox is the snapshot it was told of. What others did since is told at the end
// of each command, and during IDLE: EXPUNGE first, for the numbers of the old view, then EXISTS and RECENT, then new
// keywords, then flags by the numbers of the new view.

/// How changes are told.
struct UpdateRules: Sendable {
    /// False during FETCH, STORE and SEARCH by sequence number (RFC 3501 §7.4.1).
    var mayAnnounceExpunge = true
    /// Whether FETCH answers carry the UID, as those to UID commands must (RFC 3501 §6.4.8).
    var tellsUIDs = false
    /// Messages whose flags are told whether they changed or not: those of a STORE.
    var told = NumberSet()
    /// A change that the client knows of: a message that has become what it expects is not told again.
    var expected: ExpectedChange?
}

/// A flag change that the client asked for without wanting to hear of it.
struct ExpectedChange: Sendable {
    var uids: NumberSet
    var change: FlagChange

    /// The change as masks: `flags = (flags - cleared) ∪ set`.
    func masks(_ keywords: KeywordTable) -> (set: FlagBits, cleared: FlagBits) {
        switch change {
        case .add(let added): (keywords.bits(added), [])
        case .remove(let removed): ([], keywords.bits(removed))
        case .replace(let new): (keywords.bits(new), FlagBits(rawValue: .max))
        case .replaceOnly(let classes, let new): (keywords.bits(classes.filter(new)), classes.mask)
        }
    }
}

extension IMAPSession {
    /// Compares the view with the store, and puts what must be told at the head of the queue. A step when something has
    /// to be asked first.
    mutating func tellUpdates(_ rules: UpdateRules, _ output: inout SessionOutput) -> Step? {
        guard let mailbox = state.mailbox else { return nil }
        guard let now = store.current(mailbox.id) else { return refresh(mailbox, rules) }
        let isUnchanged = now.highestModSeq == mailbox.comparedAt
        if isUnchanged, !(mailbox.holdsExpunged && rules.mayAnnounceExpunge), rules.told.isEmpty { return nil }
        if now.uidNext > mailbox.view.uidNext, !mailbox.isReadOnly { return refresh(mailbox, rules) }
        guard now.differingChunks(since: mailbox.view) <= Self.chunksComparedAtOnce else {
            return refresh(mailbox, rules)
        }
        announce(now, now.changes(since: mailbox.view), firstRecent: nil, rules)
        return nil
    }

    /// Chunks that are compared on the connection's thread, which serves others too.
    private static let chunksComparedAtOnce = 8

    /// Asks for the mailbox when its index is not at hand, new messages are to be claimed as recent, or finding out
    /// what changed takes long.
    private mutating func refresh(_ mailbox: SelectedMailbox, _ rules: UpdateRules) -> Step {
        perform(.refresh(mailbox.view, claimsRecent: !mailbox.isReadOnly)) { session, outcome, output in
            switch outcome {
            case .refreshed(let now, let changes, let firstRecent):
                session.announce(now, changes, firstRecent: firstRecent, rules)
                return session.pump(&output)
            case .failed(.noSuchMailbox):
                // RFC 2180 §3.3 leaves it open; a farewell is the one answer that no client can take for success.
                return session.farewell("The selected mailbox was deleted", &output)
            case _:
                return session.farewell("The selected mailbox cannot be read now", &output)
            }
        }
    }

    /// - Parameter changes: since the view.
    private mutating func announce(
        _ now: MailboxSnapshot, _ changes: MailboxChanges, firstRecent: UInt64?, _ rules: UpdateRules
    ) {
        guard var mailbox = state.mailbox else { return }
        let old = mailbox.view
        var told: [Outgoing] = []
        mailbox.comparedAt = now.highestModSeq
        if rules.mayAnnounceExpunge {
            mailbox.view = now
            mailbox.holdsExpunged = false
            if !changes.expunged.isEmpty {
                told.append(.expunges(ExpungeList(positions: old.positions(ofUIDs: changes.expunged))))
            }
        } else {
            mailbox.view = now.retaining(expunged: changes.expunged, from: old)
            mailbox.holdsExpunged = !changes.expunged.isEmpty
        }
        let hasNew = changes.firstNew < now.count
        if hasNew { mailbox.claim(from: firstRecent, unclaimedFrom: old.uidNext) }
        let counts = mailbox.announceCounts(hasNew: hasNew, keywordsGrew: now.keywords != old.keywords)
        if !counts.isEmpty { told.append(.bytes(counts, written: 0)) }
        let positions = mailbox.flagPositions(changes.changed, of: now, since: old, rules)
        if !positions.isEmpty {
            let plan = FetchPlan.flags(withUID: rules.tellsUIDs)
            told.append(.flags(FlagsList(writer: FetchWriter(plan: plan, mailbox: mailbox), positions: positions)))
        }
        state.replaceMailbox(mailbox)
        outgoing.insert(contentsOf: told, at: 0)
    }
}

extension SelectedMailbox {
    /// Takes new messages as recent. Without a claim (EXAMINE) all that came since are: nobody can tell that another
    /// session was told first (RFC 3501 §2.3.2).
    fileprivate mutating func claim(from first: UInt64?, unclaimedFrom known: UInt64) {
        guard let low = UInt32(exactly: first ?? known), low >= 1, low <= lastUID else { return }
        recent = recent.union(NumberSet(low...lastUID))
    }

    /// EXISTS and RECENT when they changed, FLAGS and PERMANENTFLAGS when there are new keywords.
    fileprivate mutating func announceCounts(hasNew: Bool, keywordsGrew: Bool) -> [UInt8] {
        var output = OutputBuffer()
        if hasNew { output.append(exists: view.count) }
        let recentNow = recentCount
        if hasNew || recentNow != announcedRecent {
            output.append(recent: recentNow)
            announcedRecent = recentNow
        }
        if keywordsGrew { output.appendFlagLists(view.keywords, isReadOnly ? [] : rights.flagClasses) }
        return output.take()
    }

    /// Positions in the view of the messages whose flags are to be told.
    fileprivate func flagPositions(
        _ changed: [Int], of now: MailboxSnapshot, since old: MailboxSnapshot, _ rules: UpdateRules
    ) -> [Range<Int>] {
        var uids = NumberSet()
        let masks: (set: FlagBits, cleared: FlagBits) = rules.expected?.masks(now.keywords) ?? ([], [])
        for position in changed {
            let row = now[position]
            if let expected = rules.expected, expected.uids.contains(row.uid.value),
                let before = old.flags(of: row.uid, near: position),
                before.subtracting(masks.cleared).union(masks.set) == row.flags
            {
                continue
            }
            uids.appendAscending(row.uid.value)
        }
        guard !rules.told.isEmpty else { return view.positions(ofUIDs: uids) }
        let told = !holdsExpunged ? rules.told : NumberSet(numbers: rules.told.filter { now.holds($0) })
        return view.positions(ofUIDs: uids.union(told))
    }
}

extension MailboxSnapshot {
    /// A message's flags. It is mostly where it was: `position` is looked at first.
    fileprivate func flags(of uid: UID, near position: Int) -> FlagBits? {
        if position < count {
            let row = self[position]
            if row.uid == uid { return row.flags }
        }
        return self.position(of: uid).map { self[$0].flags }
    }
}
