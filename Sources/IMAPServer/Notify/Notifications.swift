import IMAPSyntax
import MailStore
import MailVocabulary

/// What a session tells of unasked, since its client has said so with NOTIFY (RFC 5465).
struct Notifications: Sendable {
    enum Selected: Sendable {
        /// Nothing at all: NOTIFY NONE, or SET without the selected mailbox.
        case nothing
        /// SELECTED-DELAYED: EXPUNGE only where it may be told otherwise too.
        case delayed
        case immediate
    }

    var selected = Selected.nothing
    /// FlagChange in the selected mailbox.
    var tellsFlags = false
    /// What is told of new messages in the selected mailbox.
    var newMessageItems: [FetchItem] = []
    /// Of the selected mailbox.
    var observation: (mailbox: MailboxID, Observation)?
    var watched: WatchedMailboxes?
    /// What came for an earlier NOTIFY and was not told then.
    var leftover = WatchedChanges()

    init() {}

    init(_ groups: [EventGroup]) {
        guard let group = groups.first(where: \.mailboxes.isSelected), !group.events.isEmpty else { return }
        selected = group.mailboxes == .selectedDelayed ? .delayed : .immediate
        tellsFlags = group.events.contains(.flagChange)
        newMessageItems = group.newMessageItems
    }

    /// How changes of the selected mailbox are told by a client's wish.
    func restricted(_ rules: UpdateRules) -> UpdateRules {
        var rules = rules
        switch selected {
        case .nothing:
            rules.mayAnnounceExpunge = false
            rules.mayAnnounceNew = false
        case .delayed: break
        // RFC 5465 §5.3: such a client does without sequence numbers.
        case .immediate: rules.mayAnnounceExpunge = true
        }
        rules.mayTellFlags = tellsFlags
        // RFC 5465 §5.1: FETCH includes UID and FLAGS.
        if tellsFlags { rules.tellsUIDs = true }
        rules.newMessageItems = newMessageItems
        return rules
    }

    /// What has come of mailboxes other than the selected one.
    mutating func takeChanges(selected: MailboxID?) -> WatchedChanges {
        guard let watched else { return WatchedChanges() }
        var changes = watched.watch.takeChanges()
        changes.changes = leftover.changes + changes.changes
        changes.isIncomplete = changes.isIncomplete || leftover.isIncomplete
        leftover = WatchedChanges()
        // Of the selected mailbox the client hears otherwise, or does not want to hear.
        changes.changes.removeAll { if case .messages(let mailbox, _) = $0 { mailbox.id == selected } else { false } }
        return changes
    }
}

/// Mailboxes other than the selected one, and what is wanted of them.
package struct WatchedMailboxes: Sendable {
    let watch: ChangeWatch
    let matcher: EventMatcher
    var foreign = ForeignMailboxes()
}
