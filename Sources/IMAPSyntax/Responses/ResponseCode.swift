package import MailVocabulary

/// What stands in brackets in a status response (RFC 9051 §7.1, RFC 5530, RFC 4315, RFC 7162).
package enum ResponseCode: Sendable, Hashable {
    case alreadyExists
    case appendUID(UIDValidity, NumberSet)
    case authenticationFailed
    case authorizationFailed
    /// RFC 5465 §3.1: the names of the events that are supported.
    case badEvent([String])
    /// The charsets understood.
    case badCharset([String])
    /// RFC 4469 §4.1.
    case badURL(String)
    case cannot
    case capability([String])
    case clientBug
    case closed
    /// RFC 4978.
    case compressionActive
    case contactAdmin
    /// The sets name UIDs in the same order: number n of the one became number n of the other.
    case copyUID(UIDValidity, source: NumberSet, destination: NumberSet)
    case corruption
    case expired
    case expungeIssued
    case hasChildren
    case highestModSeq(ModSeq)
    /// RFC 9585: of the command with this tag, so many are done, of so many.
    case inProgress(tag: String, done: UInt32, of: UInt32)
    case inUse
    case limit
    /// RFC 9738 §3.1: so many messages at most for one command; `lowest` is the lowest UID that was done, if it is known.
    case messageLimit(UInt32, lowest: UInt32?)
    /// RFC 5464 §4.2.1: the size of the largest value left out.
    case metadataLongEntries(Int)
    /// RFC 5464 §4.3: how large a value may be.
    case metadataMaximumSize(Int)
    /// RFC 5464 §4.3.
    case metadataTooMany
    /// RFC 8474 §4.
    case mailboxID(String)
    /// RFC 7162 §3.1.3: not changed, as they had changed since.
    case modified(NumberSet)
    case noModSeq
    case nonExistent
    case noPermission
    case notSaved
    /// RFC 5465 §5.8.
    case notificationOverflow
    /// RFC 5267 §4.3.1: the search with this tag will not be kept up to date.
    case noUpdate(tag: String)
    case overQuota
    case parse
    /// `canCreateKeywords` adds `\*`.
    case permanentFlags([Flag], canCreateKeywords: Bool)
    case privacyRequired
    case readOnly
    case readWrite
    case serverBug
    case tooBig
    case tryCreate
    case uidNext(UInt64)
    case uidNotSticky
    /// RFC 9586 §3: message sequence numbers are not to be used any more.
    case uidRequired
    case uidValidity(UIDValidity)
    case unavailable
    case unknownCTE
    /// IMAP4rev1: the sequence number of the first message without `\Seen`.
    case unseen(UInt32)
    /// RFC 4467 §4.1: how a URL can be authorised.
    case urlMechanisms
    /// RFC 6154 §3.
    case useAttribute
}
