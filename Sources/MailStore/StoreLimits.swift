/// What every store refuses to exceed.
package enum StoreLimits {
    /// Bounds LIST and the work of a rename; the largest mailboxes trees seen in practice have a few thousand.
    package static let mailboxesPerAccount = 10_000
    /// Of mailboxes that exist or not: bounds LSUB, as the other bounds LIST.
    package static let subscriptionsPerAccount = mailboxesPerAccount
    /// Of one mailbox's access control list: people, not a directory.
    package static let accessEntriesPerMailbox = 1_000
    /// Mailboxes of others that one account sees: bounds its LIST, whatever others share.
    package static let sharedMailboxes = mailboxesPerAccount
    /// Octets; RFC822.SIZE is kept in 32 bits.
    package static let messageSize = Int(UInt32.max)
    /// UIDs are 32-bit (RFC 9051 §2.3.1.1).
    package static let lastUID = UInt64(UInt32.max)
}
