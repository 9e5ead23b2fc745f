package import MailVocabulary

package struct AccountID: Sendable, Hashable, Comparable {
    package let value: Int64
    package init(_ value: Int64) { self.value = value }
    package static func < (a: AccountID, b: AccountID) -> Bool { a.value < b.value }
}

package struct MailboxID: Sendable, Hashable, Comparable {
    package let value: Int64
    package init(_ value: Int64) { self.value = value }
    package static func < (a: MailboxID, b: MailboxID) -> Bool { a.value < b.value }
}

/// A stored body; several messages (copies, recipients) may share one.
package struct BodyID: Sendable, Hashable, Comparable {
    package let value: Int64
    @inlinable package init(_ value: Int64) { self.value = value }
    package static func < (a: BodyID, b: BodyID) -> Bool { a.value < b.value }
}

package struct Account: Sendable, Hashable {
    package var id: AccountID
    /// Login name and primary address, canonical.
    package var address: Address
    package var isDisabled: Bool
    /// May set quotas over IMAP (RFC 9208 §4.1.3).
    package var isAdministrator: Bool

    package init(id: AccountID, address: Address, isDisabled: Bool = false, isAdministrator: Bool = false) {
        self.id = id
        self.address = address
        self.isDisabled = isDisabled
        self.isAdministrator = isAdministrator
    }
}

/// What proves a password, never the password.
package struct StoredCredentials: Sendable, Hashable {
    /// An argon2id verifier in PHC form: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
    package var argon2id: String
    package var scramSHA256: SCRAMVerifier
    /// For SCRAM-SHA-1 (RFC 5802); nil unless it was asked for when the password was set.
    package var scramSHA1: SCRAMVerifier?
    /// For CRAM-MD5 (RFC 2195); nil unless it was asked for.
    package var sharedSecret: SharedSecret?

    package init(
        argon2id: String, scramSHA256: SCRAMVerifier, scramSHA1: SCRAMVerifier? = nil,
        sharedSecret: SharedSecret? = nil
    ) {
        self.argon2id = argon2id
        self.scramSHA256 = scramSHA256
        self.scramSHA1 = scramSHA1
        self.sharedSecret = sharedSecret
    }
}

/// A password that the server can read: whoever reads the store has it.
package struct SharedSecret: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    package var octets: [UInt8]

    package init(_ octets: [UInt8]) { self.octets = octets }

    package var description: String { "[secret]" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// RFC 5802 §3; the salt and keys of SCRAM-SHA-256 (RFC 7677).
package struct SCRAMVerifier: Sendable, Hashable {
    package var salt: [UInt8]
    package var iterations: Int
    package var storedKey: [UInt8]
    package var serverKey: [UInt8]

    package init(salt: [UInt8], iterations: Int, storedKey: [UInt8], serverKey: [UInt8]) {
        self.salt = salt
        self.iterations = iterations
        self.storedKey = storedKey
        self.serverKey = serverKey
    }
}

/// A mailbox and its counters, as LIST and STATUS need them, without opening it.
package struct Mailbox: Sendable, Hashable {
    package var id: MailboxID
    package var account: AccountID
    package var name: MailboxName
    package var uidValidity: UIDValidity
    package var specialUse: SpecialUse?
    package var isSubscribed: Bool
    /// Next UID to be given; one above 2³²-1 when none is left.
    package var uidNext: UInt64
    package var highestModSeq: ModSeq
    package var messageCount: Int
    package var unseenCount: Int
    package var deletedCount: Int
    /// Messages above the UID up to which some session has been told of them as recent.
    package var recentCount: Int
    /// Octets of all messages.
    package var size: UInt64
    /// Octets of the messages with `\Deleted`.
    package var deletedSize: UInt64

    package init(
        id: MailboxID, account: AccountID, name: MailboxName, uidValidity: UIDValidity, specialUse: SpecialUse? = nil,
        isSubscribed: Bool = true, uidNext: UInt64 = 1, highestModSeq: ModSeq = ModSeq(1), messageCount: Int = 0,
        unseenCount: Int = 0, deletedCount: Int = 0, recentCount: Int = 0, size: UInt64 = 0,
        deletedSize: UInt64 = 0
    ) {
        self.id = id
        self.account = account
        self.name = name
        self.uidValidity = uidValidity
        self.specialUse = specialUse
        self.isSubscribed = isSubscribed
        self.uidNext = uidNext
        self.highestModSeq = highestModSeq
        self.messageCount = messageCount
        self.unseenCount = unseenCount
        self.deletedCount = deletedCount
        self.recentCount = recentCount
        self.size = size
        self.deletedSize = deletedSize
    }
}

/// A message as the index knows it. Its fields stand in an order that leaves no gaps between them: a large mailbox has
/// a hundred thousand of these in memory.
package struct MessageRow: Sendable, Hashable {
    package var uid: UID
    /// When it came into this mailbox, in seconds since 1970 (RFC 8514).
    package var savedDate: UInt32
    package var flags: FlagBits
    package var modSeq: ModSeq
    /// Octets (RFC822.SIZE).
    package var size: UInt32
    @usableFromInline var threadHigh: UInt32
    package var internalDate: Timestamp
    @usableFromInline var threadLow: UInt32
    package var body: BodyID

    /// Copies keep it (RFC 8474 §5.2).
    @inlinable package var thread: ThreadID {
        ThreadID(Int64(bitPattern: UInt64(threadHigh) << 32 | UInt64(threadLow)))
    }

    @inlinable
    package init(
        uid: UID, flags: FlagBits, modSeq: ModSeq, size: UInt32, internalDate: Timestamp, savedDate: UInt32 = 0,
        body: BodyID, thread: ThreadID = ThreadID(0)
    ) {
        self.uid = uid
        self.savedDate = savedDate
        self.flags = flags
        self.modSeq = modSeq
        self.size = size
        threadHigh = UInt32(truncatingIfNeeded: thread.value >> 32)
        self.internalDate = internalDate
        threadLow = UInt32(truncatingIfNeeded: thread.value)
        self.body = body
    }
}

/// A message to be added to a mailbox. The same `StagedBody` may stand in several; it is stored once.
package struct NewMessage: Sendable {
    package var body: any StagedBody
    package var flags: [Flag]
    package var internalDate: Timestamp
    /// `MessageFormat.MessageSummary`, encoded: computed once here, so that listing never opens a message.
    package var summary: [UInt8]
    /// What it is called and what it answers, the nearest first: how it finds its thread. At most a dozen.
    package var threadKeys: [ThreadKey]
    /// The UID it is to have, if it is not below UIDNEXT: for mail that moves in and was known by it before.
    package var uid: UID?

    package init(
        body: any StagedBody, flags: [Flag] = [], internalDate: Timestamp, summary: [UInt8],
        threadKeys: [ThreadKey] = [], uid: UID? = nil
    ) {
        self.body = body
        self.flags = flags
        self.internalDate = internalDate
        self.summary = summary
        self.threadKeys = threadKeys
        self.uid = uid
    }
}

/// Where added messages went: UIDs in the order given (RFC 4315 APPENDUID).
package struct AppendResult: Sendable, Hashable {
    package var mailbox: MailboxID
    package var uidValidity: UIDValidity
    package var uids: [UID]
    /// Whether the account is near its limit now.
    package var isNearQuota: Bool

    package init(mailbox: MailboxID, uidValidity: UIDValidity, uids: [UID], isNearQuota: Bool = false) {
        self.mailbox = mailbox
        self.uidValidity = uidValidity
        self.uids = uids
        self.isNearQuota = isNearQuota
    }
}

/// Which messages were copied, and where to: `source[i]` became `destination[i]` (RFC 4315 COPYUID). Ascending.
package struct CopyResult: Sendable, Hashable {
    package var uidValidity: UIDValidity
    package var source: [UID]
    package var destination: [UID]
    /// Whether the target's account is near its limit now.
    package var isNearQuota: Bool

    package init(uidValidity: UIDValidity, source: [UID], destination: [UID], isNearQuota: Bool = false) {
        self.uidValidity = uidValidity
        self.source = source
        self.destination = destination
        self.isNearQuota = isNearQuota
    }
}

package enum FlagChange: Sendable, Hashable {
    case add([Flag])
    case remove([Flag])
    case replace([Flag])
    /// Flags of other kinds stay as they are.
    case replaceOnly(FlagClasses, with: [Flag])
}

package enum StoreError: Error, Sendable, Equatable {
    case noSuchDomain
    case domainExists
    case domainInUse
    case noSuchAccount
    case accountExists
    case noSuchMailbox
    case mailboxExists
    /// INBOX, or a mailbox with inferiors where that is not allowed.
    case mailboxNotDeletable
    case specialUseTaken
    case tooManyMailboxes
    /// A rename into the mailbox's own inferiors, or one that would make an inferior's name too long or too deep.
    case invalidName
    case tooManyKeywords
    case tooManyAccessEntries
    case tooManyAnnotations
    case annotationTooLarge
    case noSuchAlias
    /// An alias without targets, with one that stands twice, or with too many.
    case badAliasTargets
    case noSuchSenderGrant
    case tooManySenderGrants
    case messageTooLarge
    /// No UID is left in the mailbox.
    case uidsExhausted
    /// The account holds as much as its quota allows; nothing was changed.
    case overQuota
    /// The disk is full, or the quota of the file system; nothing was changed.
    case noSpace
    /// The body is gone: its last message was expunged.
    case noSuchBody
    /// What is on disk is not what was written. The text names the place, never mail content.
    case damaged(String)
    /// The store cannot serve now; nothing was changed. The text is for the log.
    case unavailable(String)
}
