import IMAPSyntax
import MailStore
import MailVocabulary

/// SELECT, EXAMINE.
package struct OpenTask: Sendable {
    let user: Account
    let name: MailboxName
    /// Takes the messages nobody was told of yet.
    let claimsRecent: Bool
    /// What the client knows of an earlier session.
    let resync: QuickResync?
}

package struct OpenedMailbox: Sendable {
    var found: FoundMailbox
    var snapshot: MailboxSnapshot
    /// The first UID that is recent for this session.
    var firstRecent: UInt64
    var missed = MissedChanges()
}

/// What happened in a mailbox while a client was away (RFC 7162 §3.2.5).
struct MissedChanges: Sendable {
    /// UIDs that are gone.
    var vanished = NumberSet()
    /// Positions of messages whose flags changed; ascending.
    var changed: [Range<Int>] = []
}

extension IMAPService {
    func open(_ task: OpenTask) async throws -> OpenedMailbox {
        let found = try await require(.read, on: task.name, for: task.user)
        let id = found.mailbox.id
        // Claimed before it is read: a message that comes in between may be recent twice, but never to nobody.
        let claimed = task.claimsRecent && found.isWritable ? try await store.claimRecent(id) : nil
        let snapshot = try await store.open(id)
        let firstRecent = claimed ?? snapshot.firstUID(ofLast: found.mailbox.recentCount)
        var opened = OpenedMailbox(found: found, snapshot: snapshot, firstRecent: firstRecent)
        if let resync = task.resync, resync.uidValidity == snapshot.uidValidity.value {
            opened.missed = try await missed(resync, snapshot)
        }
        return opened
    }

    private func missed(_ resync: QuickResync, _ snapshot: MailboxSnapshot) async throws -> MissedChanges {
        var missed = MissedChanges()
        let since = ModSeq(resync.modSeq)
        guard since < snapshot.highestModSeq else { return missed }
        var vanished = try await vanished(from: snapshot, since: since)
        if let known = resync.knownUIDs { vanished = vanished.intersection(known) }
        if let last = resync.matches?.lastMatch(in: snapshot) { vanished = vanished.subtracting(NumberSet(1...last)) }
        missed.vanished = vanished
        let all = resync.knownUIDs.map { snapshot.positions(ofUIDs: $0) } ?? [0..<snapshot.count]
        missed.changed = snapshot.positions(all, changedSince: since)
        return missed
    }

    /// UIDs below UIDNEXT of messages that are gone and that the view does not have: what VANISHED (EARLIER) tells.
    /// Of a message that the view has the client hears in its time.
    func vanished(from view: MailboxSnapshot, since modSeq: ModSeq) async throws -> NumberSet {
        let expunged = try await store.expunged(view.mailbox, since: modSeq)
        return expunged.intersection(view.missingUIDs)
    }
}

extension QuickResync.SequenceMatches {
    /// The last UID that has the sequence number that the client thinks: up to it, nothing is missing that the client
    /// does not know of (RFC 7162 §3.2.5.2).
    fileprivate func lastMatch(in snapshot: MailboxSnapshot) -> UInt32? {
        var last: UInt32?
        // Where one does not match, none after it does; and no number is beyond the mailbox, however many are told.
        for (number, uid) in zip(sequenceNumbers.lazy, uids.lazy) {
            guard number >= 1, Int(number) <= snapshot.count, snapshot[Int(number) - 1].uid.value == uid else { break }
            last = uid
        }
        return last
    }
}

extension MailboxSnapshot {
    /// Those of the positions whose rows have a higher MODSEQ (RFC 7162 §3.1.4.1).
    func positions(_ positions: [Range<Int>], changedSince modSeq: ModSeq) -> [Range<Int>] {
        var changed: [Range<Int>] = []
        for range in positions {
            forEach(in: range) { position, row in
                guard row.modSeq > modSeq else { return }
                if let last = changed.last, last.upperBound == position {
                    changed[changed.count - 1] = last.lowerBound..<position + 1
                } else {
                    changed.append(position..<position + 1)
                }
            }
        }
        return changed
    }

    /// The UID from which on there are `count` messages.
    fileprivate func firstUID(ofLast count: Int) -> UInt64 {
        guard count > 0, !isEmpty else { return uidNext }
        return UInt64(self[max(0, self.count - count)].uid.value)
    }
}
