import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

/// What has changed in a selected mailbox, made ready to be told: a function of what the client knows and what is, so
/// that it can be found out wherever there is time for it.
package struct MailboxUpdate: Sendable {
    /// As the client knows it once it has been told.
    var mailbox: SelectedMailbox
    var told: [Outgoing]
}

/// A comparison of what a client knows with what is.
package struct RefreshTask: Sendable {
    let mailbox: SelectedMailbox
    let rules: UpdateRules
    let enabled: EnabledFeatures
}

extension SelectedMailbox {
    /// - Parameters:
    ///   - changes: since the view.
    ///   - firstRecent: what was claimed; nil without a claim.
    func updated(
        to now: MailboxSnapshot, _ changes: MailboxChanges, firstRecent: UInt64?, _ rules: UpdateRules,
        _ enabled: EnabledFeatures
    ) -> MailboxUpdate {
        var mailbox = self
        var told: [Outgoing] = []
        mailbox.comparedAt = now.highestModSeq
        let removed = mailbox.adopt(now, changes, rules)
        if !removed.isEmpty {
            mailbox.owesModSeq = true
            told += mailbox.removeFromContexts(removed, numberedBy: view)
            told.append(removal(of: removed, enabled))
        }
        let hasNew = changes.firstNew < now.count && !mailbox.holdsNew
        if hasNew { mailbox.claim(from: firstRecent, unclaimedFrom: view.uidNext) }
        let flags = rules.flagsToTell(changes, of: now, since: self, enabled)
        mailbox.untold = flags.untold
        if !mailbox.holdsBack { mailbox.toldModSeq = now.highestModSeq }
        mailbox.owesKeywords = owesKeywords || now.keywords != view.keywords
        let mayTellKeywords = rules.mayTellFlags || hasNew || !flags.withFlags.isEmpty
        let counts = mailbox.announceCounts(hasNew: hasNew, mayTellKeywords: mayTellKeywords)
        if !counts.isEmpty { told.append(.bytes(counts, written: 0)) }
        for (uids, plan) in [
            (flags.withFlags, FetchPlan.flags(withUID: rules.tellsUIDs, enabled)),
            (flags.modSeqOnly, FetchPlan.modSeq(enabled)),
        ] where !uids.isEmpty {
            let positions = mailbox.view.positions(ofUIDs: uids)
            told.append(.flags(FlagsList(writer: FetchWriter(plan: plan, mailbox: mailbox), positions: positions)))
        }
        mailbox.touch(changes, in: now)
        if !mailbox.touched.isEmpty { told.append(.contexts) }
        if hasNew { told += mailbox.arrivals(from: view.uidNext, rules.newMessageItems, enabled) }
        return MailboxUpdate(mailbox: mailbox, told: told)
    }

    /// Takes a new view, without what the client is not to know yet. UIDs of messages that have gone from it.
    private mutating func adopt(
        _ now: MailboxSnapshot, _ changes: MailboxChanges, _ rules: UpdateRules
    ) -> NumberSet {
        let old = view
        let held = rules.mayAnnounceExpunge ? NumberSet() : changes.expunged.subtracting(rules.removed)
        holdsExpunged = !held.isEmpty
        view = now.retaining(expunged: held, from: old)
        holdsNew = changes.firstNew < now.count && !rules.mayAnnounceNew
        if holdsNew { view.removeRows(from: old.uidNext) }
        return held.isEmpty ? changes.expunged : changes.expunged.subtracting(held)
    }

    /// EXPUNGE by the numbers of this view; or, to a client that wants that, VANISHED (RFC 7162 §3.2.10, RFC 9586 §3).
    private func removal(of expunged: NumberSet, _ enabled: EnabledFeatures) -> Outgoing {
        guard enabled.isDisjoint(with: [.qresync, .uidOnly]) else {
            return .vanished(VanishedList(expunged, isEarlier: false))
        }
        return .expunges(ExpungeList(positions: view.positions(ofUIDs: expunged)))
    }

    /// Takes new messages as recent. Without a claim (EXAMINE) all that came since are: nobody can tell that another
    /// session was told first (RFC 3501 §2.3.2).
    private mutating func claim(from first: UInt64?, unclaimedFrom known: UInt64) {
        guard tellsRecent, let low = UInt32(exactly: first ?? known), low >= 1, low <= lastUID else { return }
        recent = recent.union(NumberSet(low...lastUID))
    }

    /// EXISTS and RECENT when they changed, FLAGS and PERMANENTFLAGS when there are new keywords.
    private mutating func announceCounts(hasNew: Bool, mayTellKeywords: Bool) -> [UInt8] {
        var output = OutputBuffer()
        if hasNew { output.append(exists: view.count) }
        let recentNow = recentCount
        if tellsRecent, hasNew || recentNow != announcedRecent {
            output.append(recent: recentNow)
            announcedRecent = recentNow
        }
        if mayTellKeywords { output.append(takeKeywordsToTell()) }
        return output.take()
    }

    /// FLAGS and PERMANENTFLAGS when there are keywords that they have not told; nothing otherwise.
    mutating func takeKeywordsToTell() -> [UInt8] {
        guard owesKeywords else { return [] }
        owesKeywords = false
        var output = OutputBuffer()
        output.appendFlagLists(view.keywords, changeableFlags)
        return output.take()
    }
}

extension UpdateRules {
    /// UIDs of the messages whose flags are to be told; and of those of which the client knows the flags, but not the
    /// MODSEQ that they have for it (RFC 7162 §3.1.3).
    ///
    /// Those that are not to be told are kept for when they are: `untold`.
    fileprivate func flagsToTell(
        _ changes: MailboxChanges, of now: MailboxSnapshot, since mailbox: SelectedMailbox, _ enabled: EnabledFeatures
    ) -> (withFlags: NumberSet, modSeqOnly: NumberSet, untold: NumberSet) {
        let old = mailbox.view
        var (changed, known) = (NumberSet(), NumberSet())
        let masks: (set: FlagBits, cleared: FlagBits) = expected?.masks(now.keywords) ?? ([], [])
        for position in changes.changed {
            let row = now[position]
            if let expected, expected.uids.contains(row.uid.value),
                let before = old.flags(of: row.uid, near: position),
                before.subtracting(masks.cleared).union(masks.set) == row.flags
            {
                known.appendAscending(row.uid.value)
            } else {
                changed.appendAscending(row.uid.value)
            }
        }
        // Of messages that are gone there is nothing to tell.
        let told = told.isEmpty ? told : told.subtracting(changes.expunged)
        var (flags, untold) = (changed, NumberSet())
        if !mayTellFlags {
            // What became of the client's own change otherwise than it believes is no news of others.
            let own = expected.map { $0.uids.intersection(changed) } ?? NumberSet()
            flags = told.union(own)
            untold = mailbox.untold.union(changed).subtracting(flags).subtracting(changes.expunged)
        } else if !told.isEmpty || !mailbox.untold.isEmpty {
            flags = changed.union(told).union(mailbox.untold.subtracting(changes.expunged))
        }
        guard enabled.contains(.condstore) else { return (flags, NumberSet(), untold) }
        let modSeqs = toldModSeq.isEmpty ? known : known.union(toldModSeq.subtracting(changes.expunged))
        return (flags, modSeqs.subtracting(flags), untold)
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
