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
    /// False where messages that come are not told (RFC 5465).
    var mayAnnounceNew = true
    /// False where flags that others change are not told (RFC 5465).
    var mayTellFlags = true
    /// UIDs of messages that the command itself removed: told in any case.
    var removed = NumberSet()
    /// What is told of new messages, beside that they are there (RFC 5465 §5.2).
    var newMessageItems: [FetchItem] = []
    /// Whether FETCH answers carry the UID, as those to UID commands must (RFC 3501 §6.4.8).
    var tellsUIDs = false
    /// Messages whose flags are told whether they changed or not: those of a STORE.
    var told = NumberSet()
    /// Messages whose MODSEQ is told whether it changed or not: those of a conditional STORE (RFC 7162 §3.1.3).
    var toldModSeq = NumberSet()
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
    mutating func tellUpdates(_ asked: UpdateRules, _ output: inout SessionOutput) -> Step? {
        if let step = observeSelected(asked) { return step }
        guard let mailbox = state.mailbox else { return nil }
        let rules = notifications?.restricted(asked) ?? asked
        if rightsMayHaveChanged {
            return lookUpRights { session, output in
                session.outgoing.insert(.updates(rules), at: 0)
                return session.pump(&output)
            }
        }
        guard let now = store.current(mailbox.id) else { return refresh(mailbox, rules) }
        let isUnchanged = now.highestModSeq == mailbox.comparedAt
        let isNothingOpen = !mailbox.holdsWhatMayBeTold(rules)
        if isUnchanged, isNothingOpen, rules.told.isEmpty, rules.toldModSeq.isEmpty {
            return updateContexts(&output)
        }
        let hasNew = now.uidNext > mailbox.view.uidNext && rules.mayAnnounceNew
        if hasNew, mailbox.claimsRecent { return refresh(mailbox, rules) }
        guard now.differingChunks(since: mailbox.view) <= Self.chunksComparedAtOnce else {
            return refresh(mailbox, rules)
        }
        announce(mailbox.updated(to: now, now.changes(since: mailbox.view), firstRecent: nil, rules, enabled))
        return nil
    }

    /// Chunks that are compared on the connection's thread, which serves others too.
    private static let chunksComparedAtOnce = 8

    /// Asks for the mailbox when its index is not at hand, new messages are to be claimed as recent, or finding out
    /// what changed takes long.
    private mutating func refresh(_ mailbox: SelectedMailbox, _ rules: UpdateRules) -> Step {
        perform(.refresh(RefreshTask(mailbox: mailbox, rules: rules, enabled: enabled))) { session, outcome, output in
            switch outcome {
            case .refreshed(let update):
                session.announce(update)
                return session.pump(&output)
            case .failed(.noSuchMailbox):
                // RFC 2180 §3.3 leaves it open; a farewell is the one answer that no client can take for success.
                return session.farewell("The selected mailbox was deleted", &output)
            case _:
                return session.farewell("The selected mailbox cannot be read now", &output)
            }
        }
    }

    /// Puts the new view in place, and what is to be told of it at the head of the queue.
    private mutating func announce(_ update: MailboxUpdate) {
        state.replaceMailbox(update.mailbox)
        outgoing.insert(contentsOf: update.told, at: 0)
    }
}
