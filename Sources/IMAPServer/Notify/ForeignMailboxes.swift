import MailStore
import MailVocabulary

/// Others' mailboxes that a user may look up, as a session that watches them was last told: what has become of one can
/// be told only by whom knows what it was.
package struct ForeignMailboxes: Sendable {
    /// Mailboxes of one session: some 200 octets each. Who sees more cannot have them watched.
    static let limit = 2_000

    struct Known: Sendable {
        /// The owner's name for it, and the user's.
        var ownersName: MailboxName
        var name: MailboxName
        var owner: AccountID
        var rights: MailboxRights

        /// What all events need (RFC 5465 §5).
        var isWatched: Bool { rights.isSuperset(of: [.lookUp, .read]) }
    }

    private(set) var known: [MailboxID: Known] = [:] {
        didSet { changes &+= 1 }
    }
    /// How often it was changed.
    private(set) var changes = 0
    private(set) var owners: [AccountID: Address] = [:]
    /// Those that were told as `\NoAccess`.
    var toldNoAccess: Set<MailboxID> = []

    subscript(_ id: MailboxID) -> Known? { known[id] }

    /// Whether there is one that is below the name.
    func hasInferiors(_ name: MailboxName) -> Bool { known.values.contains { $0.name.isInferior(to: name) } }

    /// Takes a mailbox in, or its rights. Nil for one whose name would be too long for the user. Throws
    /// `NotificationOverflow`.
    mutating func add(
        _ id: MailboxID, _ ownersName: MailboxName, owner: AccountID, _ address: Address, _ rights: MailboxRights
    ) throws(NotificationOverflow) -> Known? {
        guard let name = Namespaces.name(of: ownersName, owner: address) else { return nil }
        guard known[id] != nil || known.count < Self.limit else { throw NotificationOverflow() }
        let mailbox = Known(ownersName: ownersName, name: name, owner: owner, rights: rights)
        known[id] = mailbox
        owners[owner] = address
        return mailbox
    }

    mutating func remove(_ id: MailboxID) -> Known? { known.removeValue(forKey: id) }

    mutating func setRights(_ rights: MailboxRights, on id: MailboxID) { known[id]?.rights = rights }

    /// Renames a mailbox of an owner and what is below it. The old names of the topmost ones that the user sees, and the
    /// new ones: nil for one that is too long.
    mutating func rename(
        _ from: MailboxName, to target: MailboxName, of owner: AccountID
    ) -> [(old: MailboxName, new: MailboxName?)] {
        let moved = known.filter { entry in
            entry.value.owner == owner
                && (entry.value.ownersName == from || entry.value.ownersName.isInferior(to: from))
        }.sorted { $0.value.ownersName < $1.value.ownersName }
        var renames: [(old: MailboxName, new: MailboxName?)] = []
        for (id, mailbox) in moved {
            let rest = mailbox.ownersName.text.dropFirst(from.text.count)
            let ownersName = MailboxName(target.text + rest)
            let name = ownersName.flatMap { new in owners[owner].flatMap { Namespaces.name(of: new, owner: $0) } }
            if let ownersName, let name {
                known[id]?.ownersName = ownersName
                known[id]?.name = name
            } else {
                known[id] = nil
            }
            // RFC 5465 §5.4: nothing is told of its children.
            if !renames.contains(where: { mailbox.name.isInferior(to: $0.old) }) {
                renames.append((mailbox.name, name))
            }
        }
        return renames
    }
}

/// There is more to be watched, or has happened more, than a session can hold (RFC 5465 §5.8).
struct NotificationOverflow: Error {}
