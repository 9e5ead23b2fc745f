import IMAPSyntax
import MailStore
import MailVocabulary

/// What has happened in other mailboxes, to be told as far as it is wanted.
package struct NotificationTask: Sendable {
    let user: Account
    let watched: WatchedMailboxes
    let changes: [WatchedChange]
    let enabled: EnabledFeatures
}

extension IMAPService {
    func tell(_ task: NotificationTask) async throws -> (ForeignMailboxes, [Notice]) {
        var run = NotificationRun(service: self, task: task)
        for change in task.changes {
            try Task.checkCancellation()
            try await run.follow(change)
        }
        var notices = try await run.notices()
        var watched = task.watched
        let before = watched.foreign
        watched.foreign = run.foreign
        guard watched.foreign.changes != before.changes else { return (run.foreign, notices) }
        watched.observe(for: task.user)
        // What came into them before they were watched.
        for (id, mailbox) in watched.foreign.known where mailbox.isWatched && before[id]?.isWatched != true {
            guard let now = try await store.mailbox(mailbox.ownersName, of: mailbox.owner), now.messageCount > 0,
                let items = try await run.wanted(mailbox.name).statusItems(after: .added, task.enabled)
            else { continue }
            notices.append(.status(mailbox.name, now.values(items, appendLimit: 0)))
        }
        return (run.foreign, notices)
    }
}

/// Makes notices of changes, in their order. Costs what changed: of the user's mailboxes no list is kept or read.
struct NotificationRun {
    /// What is told of a name is what is true of it in the end; its place is where it was first affected.
    private enum Pending {
        case notice(Notice)
        case name(MailboxName, oldName: MailboxName?)
    }

    let service: IMAPService
    let task: NotificationTask
    var foreign: ForeignMailboxes
    private var pending: [Pending] = []
    private var places: [MailboxName: Int] = [:]

    init(service: IMAPService, task: NotificationTask) {
        self.service = service
        self.task = task
        foreign = task.watched.foreign
    }

    private var user: AccountID { task.user.id }
    private var matcher: EventMatcher { task.watched.matcher }

    mutating func follow(_ change: WatchedChange) async throws {
        switch change {
        case .messages(let mailbox, let events): try await follow(events, in: mailbox)
        case .event(let event, let isOwn): try await follow(event, isOwn: isOwn)
        }
    }

    // Messages

    private mutating func follow(_ events: MessageEvents, in mailbox: Mailbox) async throws {
        guard let name = name(of: OwnedMailbox(id: mailbox.id, name: mailbox.name, owner: mailbox.account)),
            let items = try await wanted(name).statusItems(after: events, task.enabled)
        else { return }
        pending.append(.notice(.status(name, mailbox.values(items, appendLimit: 0))))
    }

    /// The user's name for a mailbox that may be watched; nil for one that may not.
    private func name(of mailbox: OwnedMailbox) -> MailboxName? {
        if let known = foreign[mailbox.id] { return known.isWatched ? known.name : nil }
        guard mailbox.owner == user, !Namespaces.isForeign(mailbox.name) else { return nil }
        return mailbox.name
    }

    fileprivate func wanted(_ name: MailboxName) async throws -> NotifyEvents {
        let asks = matcher.dependsOnSubscriptions
        let isSubscribed = asks ? try await service.store.isSubscribed(name, of: user) : false
        return matcher.events(for: name, isSubscribed: isSubscribed)
    }

    // Mailboxes

    /// - Parameter isOwn: whether this session did it, which knows then (RFC 5465 §5).
    private mutating func follow(_ event: StoreEvent, isOwn: Bool) async throws {
        switch event.kind {
        case .created(let id, let name):
            try await tell(try await visibleName(ofNew: id, name, event.account), isOwn: isOwn)
        case .deleted(let id, let name):
            let gone = event.account == user ? own(name) : foreign.remove(id)?.name
            try await tell(gone, isOwn: isOwn)
        case .renamed(let from, let to): try await followRename(from, to, of: event.account, isOwn: isOwn)
        case .subscribed(let name, _):
            // Who watches an owner for a mailbox's sake hears what is the owner's own: it is not for him.
            guard event.account == user else { return }
            // Whatever it is now, it was one of those subscribed before or is one since.
            let isWanted = matcher.events(for: name, isSubscribed: true).contains(.subscriptionChange)
            if isWanted, !isOwn { list(name) }
        case .annotated(nil, let names):
            guard event.account == user, !isOwn, matcher.events.contains(.serverMetadataChange) else { return }
            pending.append(.notice(.metadata(.server, names)))
        case .annotated(let mailbox?, let names):
            guard !isOwn, let name = name(of: mailbox), try await wanted(name).contains(.mailboxMetadataChange) else {
                return
            }
            let visible = names.filter { !$0.isPrivate || event.account == user }
            if !visible.isEmpty { pending.append(.notice(.metadata(.mailbox(name), visible))) }
        case .access(let id, let name, let owner):
            guard event.account != user, matcher.mayMatchForeign else { return }
            try await followAccess(id, name, of: event.account, owner, isOwn: isOwn)
        }
    }

    private func own(_ name: MailboxName) -> MailboxName? { Namespaces.isForeign(name) ? nil : name }

    /// What the user calls a new mailbox; nil when it cannot be seen.
    private mutating func visibleName(
        ofNew id: MailboxID, _ name: MailboxName, _ owner: AccountID
    ) async throws -> MailboxName? {
        guard owner != user else { return own(name) }
        guard let address = foreign.owners[owner] else { return nil }
        // With the rights that it has from the one above it.
        let rights = try await service.store.rights(of: user, on: id)
        guard rights.contains(.lookUp) else { return nil }
        return try foreign.add(id, name, owner: owner, address, rights)?.name
    }

    /// A mailbox came or went: that affects the one above it, too (RFC 5465 §5.4).
    private mutating func tell(_ name: MailboxName?, isOwn: Bool) async throws {
        guard let name, !isOwn else { return }
        for affected in [name, name.parent].compactMap({ $0 })
        where try await wanted(affected).contains(.mailboxName) { list(affected) }
    }

    private mutating func followRename(
        _ from: MailboxName, _ to: MailboxName, of owner: AccountID, isOwn: Bool
    ) async throws {
        if owner == user {
            return try await tellRename(own(from), own(to), isOwn: isOwn)
        }
        // A new mailbox has taken INBOX's messages: that it is there has been told.
        guard from != .inbox else { return }
        for (old, new) in foreign.rename(from, to: to, of: owner) { try await tellRename(old, new, isOwn: isOwn) }
    }

    /// - Parameters:
    ///   - old: nil where it could not be seen.
    ///   - new: nil where it cannot be seen.
    private mutating func tellRename(_ old: MailboxName?, _ new: MailboxName?, isOwn: Bool) async throws {
        guard !isOwn else { return }
        var isWanted = false
        for name in [old, new].compactMap({ $0 }) where try await wanted(name).contains(.mailboxName) {
            isWanted = true
        }
        guard isWanted, let name = new ?? old else { return }
        // What names mean changes here: what is told of one before does not stand for what comes. INBOX stays, and a new
        // mailbox has its messages.
        if old != .inbox { places = [:] }
        list(name, oldName: new == nil ? nil : old)
    }

    // Rights

    /// RFC 5465 §5.4, §5.9: the right `l` that is given or taken away makes a mailbox come or go.
    private mutating func followAccess(
        _ id: MailboxID, _ ownersName: MailboxName, of owner: AccountID, _ address: Address, isOwn: Bool
    ) async throws {
        let rights = try await service.store.rights(of: user, on: id)
        let before = foreign[id]
        guard rights.contains(.lookUp) else {
            guard let gone = foreign.remove(id) else { return }
            return try await tellLoss(of: id, gone, isGone: true, isOwn: isOwn)
        }
        guard let before else {
            guard let known = try foreign.add(id, ownersName, owner: owner, address, rights) else { return }
            let isRestored = foreign.toldNoAccess.remove(id) != nil
            if isRestored, !isOwn { list(known.name) }
            return try await tell(known.name, isOwn: isOwn)
        }
        foreign.setRights(rights, on: id)
        if before.isWatched, !rights.contains(.read) {
            try await tellLoss(of: id, before, isGone: false, isOwn: isOwn)
        } else if rights.contains(.read), foreign.toldNoAccess.remove(id) != nil, !isOwn {
            list(before.name)
        }
    }

    /// - Parameter isGone: the mailbox cannot even be looked up.
    private mutating func tellLoss(
        of id: MailboxID, _ mailbox: ForeignMailboxes.Known, isGone: Bool, isOwn: Bool
    ) async throws {
        let wanted = try await wanted(mailbox.name)
        if isGone, wanted.contains(.mailboxName) { return try await tell(mailbox.name, isOwn: isOwn) }
        guard !wanted.isEmpty, foreign.toldNoAccess.count < ForeignMailboxes.limit else { return }
        foreign.toldNoAccess.insert(id)
        guard !isOwn else { return }
        pending.append(.notice(.list(ListEntry(name: mailbox.name.text, attributes: ["\\NoAccess"]))))
    }

    // Names

    private mutating func list(_ name: MailboxName, oldName: MailboxName? = nil) {
        guard let place = places[name] else {
            places[name] = pending.count
            return pending.append(.name(name, oldName: oldName))
        }
        // Told as new before.
        if let oldName { pending[place] = .name(name, oldName: oldName) }
    }

    /// All of them, with what is true now of the names.
    func notices() async throws -> [Notice] {
        var notices: [Notice] = []
        for item in pending {
            switch item {
            case .notice(let notice): notices.append(notice)
            case .name(let name, let oldName):
                let attributes = try await attributes(of: name)
                notices.append(.list(ListEntry(name: name.text, attributes: attributes, oldName: oldName?.text)))
            }
        }
        return notices
    }

    /// RFC 5465 §5.4, §5.5: all of them, as LIST would tell them.
    private func attributes(of name: MailboxName) async throws -> [String] {
        let store = service.store
        let found = try await service.find(name, for: task.user)
        let mailbox = found.flatMap { $0.rights.contains(.lookUp) ? $0 : nil }
        var attributes: [String] = []
        if mailbox == nil { attributes.append("\\NonExistent") }
        if let mailbox, !mailbox.rights.contains(.read) { attributes.append("\\NoAccess") }
        if try await store.isSubscribed(name, of: user) { attributes.append("\\Subscribed") }
        let isForeign = Namespaces.isForeign(name)
        let hasInferiors = isForeign ? foreign.hasInferiors(name) : try await store.hasInferiors(name, of: user)
        attributes.append(hasInferiors ? "\\HasChildren" : "\\HasNoChildren")
        if let mailbox, mailbox.isOwn, let use = mailbox.mailbox.specialUse { attributes.append(use.rawValue) }
        return attributes
    }
}
