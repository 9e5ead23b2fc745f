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
    /// Octets of one annotation's value: twice of it fits a command. RFC 5464 §4.1 asks for 1024.
    package static let annotationSize = 32 * 1024
    /// Of one mailbox, shared ones and each account's own counted apart. RFC 5464 §4.1 asks for 10.
    package static let annotationsPerMailbox = 100
    /// Octets of all values that an account answers for: its own, and the shared ones of its mailboxes. Bounds what one
    /// GETMETADATA answers to twice as much.
    package static let annotationOctetsPerAccount = 1 << 20
    /// Of one alias: a team, not a mailing list, which needs bounces of its own.
    package static let aliasTargets = 1_000
    /// Addresses that one account may send as beside its own.
    package static let senderGrantsPerAccount = 1_000
    /// Octets; RFC822.SIZE is kept in 32 bits.
    package static let messageSize = Int(UInt32.max)
    /// UIDs are 32-bit (RFC 9051 §2.3.1.1).
    package static let lastUID = UInt64(UInt32.max)
}
