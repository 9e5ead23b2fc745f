package import MailVocabulary

// Rules about mailbox names that every store follows.

/// The mailboxes every account starts with, all subscribed (RFC 6154 §2).
package enum DefaultMailboxes {
    package static let all: [(name: MailboxName, specialUse: SpecialUse?)] =
        [(MailboxName.inbox, nil)]
        + [
            ("Drafts", .drafts), ("Sent", .sent), ("Junk", .junk), ("Trash", .trash), ("Archive", .archive),
        ].compactMap { text, use in MailboxName(text).map { ($0, use) } }
}

package enum MailboxTree {
    /// The superiors of a name that do not exist, outermost first.
    package static func missingSuperiors(of name: MailboxName, exists: (MailboxName) -> Bool) -> [MailboxName] {
        var missing: [MailboxName] = []
        var next = name.parent
        while let superior = next {
            if !exists(superior) { missing.append(superior) }
            next = superior.parent
        }
        return missing.reversed()
    }

    /// New names for a mailbox and its inferiors, or the inferiors of a level that is no mailbox (RFC 9051 §6.3.6). Not
    /// for INBOX, whose inferiors stay. Throws `noSuchMailbox`, `invalidName`, `mailboxExists`.
    package static func renames(
        of name: MailboxName, to target: MailboxName, among names: some Collection<MailboxName>
    ) throws(StoreError) -> [(old: MailboxName, new: MailboxName)] {
        let present = Set(names)
        guard present.contains(name) || names.contains(where: { $0.isInferior(to: name) }) else {
            throw .noSuchMailbox
        }
        guard !target.isInferior(to: name) else { throw .invalidName }
        guard !present.contains(target), target != .inbox else { throw .mailboxExists }
        var renames = present.contains(name) ? [(old: name, new: target)] : []
        for inferior in names.sorted() where inferior.isInferior(to: name) {
            guard let new = MailboxName(target.text + inferior.text.dropFirst(name.text.count)) else {
                throw .invalidName
            }
            guard !present.contains(new) else { throw .mailboxExists }
            renames.append((inferior, new))
        }
        return renames
    }
}
