import IMAPSyntax
import MailStore
import MailVocabulary

/// NOTIFY SET, for mailboxes other than the selected one.
package struct WatchTask: Sendable {
    let user: Account
    let matcher: EventMatcher
    let tellsStatus: Bool
    let selected: MailboxID?
}

extension IMAPService {
    /// Begins to watch, then looks at what is there: what happens in between is told twice rather than not at all.
    func watch(
        _ task: WatchTask, _ wake: @escaping @Sendable () -> Void
    ) async throws -> (WatchedMailboxes, [Notice]) {
        var watched = WatchedMailboxes(watch: store.watch(wake), matcher: task.matcher)
        watched.observe(for: task.user)
        if task.matcher.mayMatchForeign {
            // Owners first: a mailbox that appears in between is found by the second look.
            for shared in try await store.sharedMailboxes(with: task.user.id) { try watched.add(shared) }
            watched.observe(for: task.user)
            watched.foreign = ForeignMailboxes()
            for shared in try await store.sharedMailboxes(with: task.user.id) { try watched.add(shared) }
            watched.observe(for: task.user)
        }
        let notices = try await presentState(&watched, task)
        return (watched, notices)
    }

    /// STATUS where it is asked for, and which mailboxes cannot be watched (RFC 5465 §3.1).
    private func presentState(_ watched: inout WatchedMailboxes, _ task: WatchTask) async throws -> [Notice] {
        let matcher = task.matcher
        let names = matcher.dependsOnSubscriptions ? try await store.subscriptions(of: task.user.id) : []
        let subscriptions = Set(names)
        var notices: [Notice] = []
        func tellStatus(_ mailbox: Mailbox, _ name: MailboxName, _ wanted: NotifyEvents) {
            guard task.tellsStatus, mailbox.id != task.selected, let items = wanted.statusItems else { return }
            notices.append(.status(name, mailbox.values(items, appendLimit: 0)))
        }
        if task.tellsStatus, matcher.events.contains(.messageNew) {
            for mailbox in try await store.mailboxes(of: task.user.id) where !Namespaces.isForeign(mailbox.name) {
                let isSubscribed = subscriptions.contains(mailbox.name)
                tellStatus(mailbox, mailbox.name, matcher.events(for: mailbox.name, isSubscribed: isSubscribed))
            }
        }
        guard matcher.mayMatchForeign else { return notices }
        for shared in try await store.sharedMailboxes(with: task.user.id) {
            guard let known = watched.foreign[shared.mailbox.id] else { continue }
            let wanted = matcher.events(for: known.name, isSubscribed: subscriptions.contains(known.name))
            guard !wanted.isEmpty else { continue }
            if known.isWatched {
                tellStatus(shared.mailbox, known.name, wanted)
            } else {
                watched.foreign.toldNoAccess.insert(shared.mailbox.id)
                notices.append(.list(ListEntry(name: known.name.text, attributes: ["\\NoAccess"])))
            }
        }
        return notices
    }
}

extension WatchedMailboxes {
    /// Takes in a mailbox that the user may look up. Throws `NotificationOverflow`.
    fileprivate mutating func add(_ shared: SharedMailbox) throws(NotificationOverflow) {
        guard shared.rights.contains(.lookUp) else { return }
        _ = try foreign.add(
            shared.mailbox.id, shared.mailbox.name, owner: shared.mailbox.account, shared.owner, shared.rights)
    }

    /// Hears of the accounts that are known, and of messages in mailboxes that may be wanted.
    func observe(for user: Account) {
        var audiences: Set<Audience> = [.account(user.id)]
        if matcher.mayMatchForeign {
            // Rights that are given to anyone.
            audiences.insert(.domain(user.address.domain))
            audiences.formUnion(foreign.owners.keys.map(Audience.account))
        }
        var wantedForeign: Set<MailboxID> = []
        for (id, mailbox) in foreign.known where mailbox.isWatched && wantsMessages(of: mailbox.name) {
            wantedForeign.insert(id)
        }
        watch.observe(audiences) { [self = MessageInterest(user: user.id, matcher, wantedForeign)] in self.covers($0) }
    }

    private func wantsMessages(of name: MailboxName) -> Bool {
        !matcher.events(for: name, isSubscribed: nil).isDisjoint(with: .ofMessages)
    }
}

/// In which mailboxes changes of messages are of interest.
private struct MessageInterest: Sendable {
    let user: AccountID
    let matcher: EventMatcher
    let foreign: Set<MailboxID>

    init(user: AccountID, _ matcher: EventMatcher, _ foreign: Set<MailboxID>) {
        self.user = user
        self.matcher = matcher
        self.foreign = foreign
    }

    func covers(_ mailbox: Mailbox) -> Bool {
        guard mailbox.account == user else { return foreign.contains(mailbox.id) }
        return !Namespaces.isForeign(mailbox.name)
            && !matcher.events(for: mailbox.name, isSubscribed: nil).isDisjoint(with: .ofMessages)
    }
}
