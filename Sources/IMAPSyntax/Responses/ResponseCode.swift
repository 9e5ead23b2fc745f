package import MailVocabulary

/// What stands in brackets in a status response (RFC 9051 §7.1, RFC 5530, RFC 4315, RFC 7162).
package enum ResponseCode: Sendable, Hashable {
    case alreadyExists
    case appendUID(UIDValidity, NumberSet)
    case authenticationFailed
    case authorizationFailed
    /// The charsets understood.
    case badCharset([String])
    case cannot
    case capability([String])
    case clientBug
    case closed
    case contactAdmin
    /// The sets name UIDs in the same order: number n of the one became number n of the other.
    case copyUID(UIDValidity, source: NumberSet, destination: NumberSet)
    case corruption
    case expired
    case expungeIssued
    case hasChildren
    case highestModSeq(ModSeq)
    case inUse
    case limit
    /// RFC 8474 §4.
    case mailboxID(String)
    /// RFC 7162 §3.1.3: not changed, as they had changed since.
    case modified(NumberSet)
    case noModSeq
    case nonExistent
    case noPermission
    case notSaved
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
    case uidValidity(UIDValidity)
    case unavailable
    case unknownCTE
    /// IMAP4rev1: the sequence number of the first message without `\Seen`.
    case unseen(UInt32)
    /// RFC 6154 §3.
    case useAttribute
}
