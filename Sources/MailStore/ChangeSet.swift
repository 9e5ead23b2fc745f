package import MailVocabulary

/// What a commit changed.
package struct ChangeSet: Sendable, Equatable {
    package var mailboxes: Set<MailboxID> = []
    /// Accounts whose list of mailboxes (names, subscriptions) changed.
    package var accounts: Set<AccountID> = []
    /// Whether somebody's rights on a mailbox changed.
    package var access = false
    /// Whether something in the queue may be due earlier.
    package var queue = false
    /// What happened to messages, and on whose account.
    package var messages: [MailboxID: MessageCauses] = [:]
    /// What happened to mailboxes otherwise, in order.
    package var events: [StoreEvent] = []
    /// Who makes the changes that are noted now.
    package var origin: UInt64?

    package init() {}

    package var isEmpty: Bool {
        mailboxes.isEmpty && accounts.isEmpty && !access && !queue && events.isEmpty
    }

    /// Messages of a mailbox changed.
    package mutating func note(_ events: MessageEvents, in mailbox: MailboxID) {
        mailboxes.insert(mailbox)
        messages[mailbox, default: MessageCauses()].add(events, by: origin)
    }

    /// - Parameter others: who hears of it beside those who watch the account.
    package mutating func note(_ kind: StoreEvent.Kind, of account: AccountID, others: Set<Audience> = []) {
        events.append(StoreEvent(kind, account: account, others: others, origin: origin))
    }
}

/// On whose behalf a task changes the store: what a session did itself it is not told. Nil for anybody else.
package enum ChangeOrigin {
    /// A watch's number.
    @TaskLocal package static var current: UInt64?
}

/// What happened to messages of a mailbox.
package struct MessageEvents: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let added = MessageEvents(rawValue: 1)
    package static let removed = MessageEvents(rawValue: 2)
    package static let flags = MessageEvents(rawValue: 4)
    /// The number of unseen messages is another, by flags alone.
    package static let unseen = MessageEvents(rawValue: 8)
    package static let uidValidity = MessageEvents(rawValue: 16)
}

/// What happened to messages of a mailbox, by whose doing.
package struct MessageCauses: Sendable, Hashable {
    /// By those who do not watch.
    private var events: MessageEvents = []
    private var byWatch: [UInt64: MessageEvents] = [:]

    package init() {}

    mutating func add(_ new: MessageEvents, by origin: UInt64?) {
        if let origin { byWatch[origin, default: []].formUnion(new) } else { events.formUnion(new) }
    }

    /// All but what this watch's owner did.
    package func events(exceptBy watch: UInt64) -> MessageEvents {
        byWatch.reduce(events) { $1.key == watch ? $0 : $0.union($1.value) }
    }
}

/// Who hears of an event.
package enum Audience: Sendable, Hashable {
    case account(AccountID)
    /// All accounts of a domain.
    case domain(Domain)
}

/// A mailbox by its owner's name.
package struct OwnedMailbox: Sendable, Hashable {
    package var id: MailboxID
    package var name: MailboxName
    package var owner: AccountID

    package init(id: MailboxID, name: MailboxName, owner: AccountID) {
        self.id = id
        self.name = name
        self.owner = owner
    }
}

/// Something that happened to an account's mailboxes, beside their messages. Names are the owner's.
package struct StoreEvent: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case created(MailboxID, MailboxName)
        case deleted(MailboxID, MailboxName)
        /// With its inferiors; a level may be renamed that is no mailbox itself. Of INBOX: its messages are under the new name, and it is there still.
        case renamed(from: MailboxName, to: MailboxName)
        /// Of the account, which may name what is not there or not its own.
        case subscribed(MailboxName, Bool)
        /// Entries of a mailbox, or of the server, were set or removed: shared ones, or the account's own.
        case annotated(OwnedMailbox?, [AnnotationName])
        /// Somebody's rights on a mailbox of this owner.
        case access(MailboxID, MailboxName, owner: Address)
    }

    package var kind: Kind
    /// Whose mailbox, subscription or annotation it is.
    package var account: AccountID
    /// Who hears of it beside those who watch the account.
    package var others: Set<Audience>
    package var origin: UInt64?

    package init(_ kind: Kind, account: AccountID, others: Set<Audience> = [], origin: UInt64? = nil) {
        self.kind = kind
        self.account = account
        self.others = others
        self.origin = origin
    }

    var audiences: Set<Audience> { others.union([.account(account)]) }
}
