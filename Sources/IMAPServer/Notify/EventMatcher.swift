import IMAPSyntax
import MailVocabulary

/// What a client wants to be told of mailboxes other than the selected one (RFC 5465 §6).
struct EventMatcher: Sendable {
    fileprivate enum Mailboxes: Sendable {
        case inboxes
        case personal
        case subscribed
        case subtrees(Set<MailboxName>)
        case named(Set<MailboxName>)
    }
    private var groups: [(mailboxes: Mailboxes, events: NotifyEvents)] = []
    /// Of all groups.
    private(set) var events: NotifyEvents = []

    /// Groups of the selected mailbox are passed over.
    init(_ requested: [EventGroup]) {
        for group in requested {
            switch group.mailboxes {
            case .selected, .selectedDelayed, .subtreeOne: continue
            case .inboxes: groups.append((.inboxes, group.events))
            case .personal: groups.append((.personal, group.events))
            case .subscribed: groups.append((.subscribed, group.events))
            case .subtree(let names): groups.append((.subtrees(Set(names)), group.events))
            case .mailboxes(let names): groups.append((.named(Set(names)), group.events))
            }
            events.formUnion(group.events)
        }
    }

    var dependsOnSubscriptions: Bool {
        groups.contains { if case .subscribed = $0.mailboxes { true } else { false } }
    }

    /// Whether a mailbox that is not the user's own can be meant.
    var mayMatchForeign: Bool {
        groups.contains { group in
            switch group.mailboxes {
            case .inboxes, .personal: false
            case .subscribed: true
            case .subtrees(let names), .named(let names): names.contains(where: Namespaces.isForeign)
            }
        }
    }

    /// What is wanted of a mailbox: groups add to each other (RFC 5465 §6), but for those with NONE, after which nothing
    /// is wanted, wherever they stand.
    ///
    /// - Parameter isSubscribed: nil when it is not known: what may be wanted.
    func events(for name: MailboxName, isSubscribed: Bool?) -> NotifyEvents {
        var wanted: NotifyEvents = []
        for group in groups {
            guard let matches = group.mailboxes.matches(name, isSubscribed: isSubscribed) else {
                wanted.formUnion(group.events)
                continue
            }
            guard matches else { continue }
            if group.events.isEmpty { return [] }
            wanted.formUnion(group.events)
        }
        return wanted
    }
}

extension EventMatcher.Mailboxes {
    /// Nil when it is not known.
    fileprivate func matches(_ name: MailboxName, isSubscribed: Bool?) -> Bool? {
        switch self {
        // Mail is delivered to INBOX and nowhere else.
        case .inboxes: return name == .inbox
        case .personal: return !Namespaces.isForeign(name)
        case .subscribed: return isSubscribed
        case .named(let names): return names.contains(name)
        case .subtrees(let roots):
            var next: MailboxName? = name
            while let level = next {
                if roots.contains(level) { return true }
                next = level.parent
            }
            return false
        }
    }
}
