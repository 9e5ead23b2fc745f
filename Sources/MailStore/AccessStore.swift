package import MailVocabulary

/// Whom an entry of an access control list is about, and whether it gives or takes (RFC 4314 §2). Accounts are kept by
/// number: one that is made anew under an old address has none of the old one's rights.
package struct AccessIdentifier: Sendable, Hashable {
    /// Nil: `anyone`, every account of the owner's domain.
    package var account: AccountID?
    /// `-identifier`: the rights are taken away, whatever else gives them.
    package var isNegative: Bool

    package init(_ account: AccountID?, isNegative: Bool = false) {
        self.account = account
        self.isNegative = isNegative
    }
}

/// One entry of an access control list.
package struct AccessEntry: Sendable, Hashable {
    package var identifier: AccessIdentifier
    /// The account's; nil for `anyone`.
    package var address: Address?
    package var rights: MailboxRights

    package init(identifier: AccessIdentifier, address: Address?, rights: MailboxRights) {
        self.identifier = identifier
        self.address = address
        self.rights = rights
    }
}

/// A mailbox that somebody else shares, as one account sees it.
package struct SharedMailbox: Sendable, Hashable {
    package var mailbox: Mailbox
    package var owner: Address
    package var rights: MailboxRights

    package init(mailbox: Mailbox, owner: Address, rights: MailboxRights) {
        self.mailbox = mailbox
        self.owner = owner
        self.rights = rights
    }
}

/// Who may do what on whose mailboxes. The owner is in no list: every right is the owner's, always. Nobody of another
/// domain ever has one. A new mailbox has the list of the nearest superior that was there before it (RFC 4314 §4).
package protocol AccessStore: Sendable {
    /// In the order of addresses, `anyone` first, an identifier before its negative. Throws `noSuchMailbox`.
    func accessList(of mailbox: MailboxID) async throws -> [AccessEntry]
    /// An entry that is left without a right is removed. Throws `noSuchMailbox`, `noSuchAccount` for one of another
    /// domain and for the owner, `tooManyAccessEntries` beyond `StoreLimits.accessEntriesPerMailbox`.
    func changeAccess(_ change: RightsChange, of identifier: AccessIdentifier, on mailbox: MailboxID) async throws
    /// The account's rights: the owner has all, another what it and `anyone` are given, less what they are denied.
    /// None for a mailbox that is not there.
    func rights(of account: AccountID, on mailbox: MailboxID) async throws -> MailboxRights
    /// Others' mailboxes on which the account has a right: at most `StoreLimits.sharedMailboxes`. Costs what is
    /// shared, not what is there.
    func sharedMailboxes(with account: AccountID) async throws -> [SharedMailbox]
    /// Rises with each commit that changes somebody's rights: what was looked up before it may not hold any more.
    var accessGeneration: UInt64 { get }
}

/// Adds up the entries that concern one account.
package struct EffectiveRights: Sendable {
    private var granted: MailboxRights = []
    private var denied: MailboxRights = []

    package init() {}

    package mutating func add(_ rights: MailboxRights, isNegative: Bool) {
        if isNegative { denied.formUnion(rights) } else { granted.formUnion(rights) }
    }

    package var rights: MailboxRights { granted.subtracting(denied) }
}
