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
        mailbox.holdsExpunged = !rules.mayAnnounceExpunge && !changes.expunged.isEmpty
        if mailbox.holdsExpunged {
            mailbox.view = now.retaining(expunged: changes.expunged, from: view)
        } else {
            mailbox.view = now
            mailbox.toldModSeq = now.highestModSeq
            if !changes.expunged.isEmpty {
                mailbox.owesModSeq = true
                told += mailbox.removeFromContexts(changes.expunged, numberedBy: view)
                told.append(removal(of: changes.expunged, enabled))
            }
        }
        let hasNew = changes.firstNew < now.count
        if hasNew { mailbox.claim(from: firstRecent, unclaimedFrom: view.uidNext) }
        let counts = mailbox.announceCounts(hasNew: hasNew, keywordsGrew: now.keywords != view.keywords)
        if !counts.isEmpty { told.append(.bytes(counts, written: 0)) }
        let flags = rules.flagsToTell(changes, of: now, since: view, enabled)
        for (uids, plan) in [
            (flags.withFlags, FetchPlan.flags(withUID: rules.tellsUIDs, enabled)),
            (flags.modSeqOnly, FetchPlan.modSeq(enabled)),
        ] where !uids.isEmpty {
            let positions = mailbox.view.positions(ofUIDs: uids)
            told.append(.flags(FlagsList(writer: FetchWriter(plan: plan, mailbox: mailbox), positions: positions)))
        }
        mailbox.touch(changes, in: now)
        if !mailbox.touched.isEmpty { told.append(.contexts) }
        return MailboxUpdate(mailbox: mailbox, told: told)
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
    private mutating func announceCounts(hasNew: Bool, keywordsGrew: Bool) -> [UInt8] {
        var output = OutputBuffer()
        if hasNew { output.append(exists: view.count) }
        let recentNow = recentCount
        if tellsRecent, hasNew || recentNow != announcedRecent {
            output.append(recent: recentNow)
            announcedRecent = recentNow
        }
        if keywordsGrew { output.appendFlagLists(view.keywords, changeableFlags) }
        return output.take()
    }
}

extension UpdateRules {
    /// UIDs of the messages whose flags are to be told; and of those of which the client knows the flags, but not the
    /// MODSEQ that they have for it (RFC 7162 §3.1.3).
    fileprivate func flagsToTell(
        _ changes: MailboxChanges, of now: MailboxSnapshot, since old: MailboxSnapshot, _ enabled: EnabledFeatures
    ) -> (withFlags: NumberSet, modSeqOnly: NumberSet) {
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
        let flags = told.isEmpty ? changed : changed.union(told.subtracting(changes.expunged))
        guard enabled.contains(.condstore) else { return (flags, NumberSet()) }
        let modSeqs = toldModSeq.isEmpty ? known : known.union(toldModSeq.subtracting(changes.expunged))
        return (flags, modSeqs.subtracting(flags))
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
