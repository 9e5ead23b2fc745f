/// What a server of this machine is for.
package enum SubmissionRole: Sendable, Hashable {
    /// RFC 6409: the server's own users hand in mail for anybody.
    case submission
    /// RFC 2033: an MTA in front, which is trusted, hands over mail for this server's users.
    case lmtp
}

/// What an operator may set for submission and LMTP.
package struct SubmissionSettings: Sendable {
    /// The store counts a message's octets in 32 bits; 1 GiB leaves room for the trace.
    package static let largestMessageSize = 1 << 30
    /// RFC 5321 §4.5.3.1.8 asks for 100.
    package static let leastRecipients = 100
    /// What one transaction can hold in memory.
    package static let mostRecipients = 10_000

    package let role: SubmissionRole
    /// Octets of a message as it is sent, without dot-stuffing (RFC 1870 §3).
    package let maximumMessageSize: Int
    /// Of one message.
    package let maximumRecipients: Int
    /// Seconds for which a message may wait before it goes (RFC 4865); nil: not at all.
    package var maximumHold: Int64? = 30 * 86_400
    /// Seconds: `BY` of less is refused (RFC 2852 §4).
    package var minimumDeliverBy: Int64 = 60
    /// The highest that users may ask for, -9 to 9 (RFC 6710); what is above counts as this.
    package var maximumPriority = 4

    package init(
        role: SubmissionRole = .submission, maximumMessageSize: Int = 50 << 20, maximumRecipients: Int = 1000
    ) {
        self.role = role
        self.maximumMessageSize = min(max(maximumMessageSize, 1024), Self.largestMessageSize)
        self.maximumRecipients = min(max(maximumRecipients, Self.leastRecipients), Self.mostRecipients)
    }
}

/// Bounds on what a client can make the server do; each has its own reply.
enum SubmissionLimits {
    /// Octets of a command line without CRLF (RFC 5321 §4.5.3.1.4 with CRLF: 512).
    static let commandLine = 510
    /// Extensions lengthen MAIL: SIZE by 26 (RFC 1870 §3), BODY by 17 (RFC 6152 §2), SMTPUTF8 by 10 (RFC 6531 §3.1),
    /// AUTH by 500 (RFC 4954 §3), RET and ENVID by 8 and 107 (RFC 3461 §4), REQUIRETLS by 11 (RFC 8689 §2), HOLDFOR or
    /// HOLDUNTIL by 34 (RFC 4865 §3), BY by 17 (RFC 2852 §3), MT-PRIORITY by 15 (RFC 6710 §3).
    static let mailLine = commandLine + 26 + 17 + 10 + 500 + 8 + 107 + 11 + 34 + 17 + 15
    /// NOTIFY lengthens RCPT by 28, ORCPT by 507 (RFC 3461 §4).
    static let rcptLine = commandLine + 28 + 507
    /// A URL (RFC 4468 §3.1 leaves it open; IMAP's are of 4,096 at most).
    static let burlLine = 5 + 4096 + 5
    /// Octets of a line that is too long that are read on, to find its end; then the connection closes.
    static let skippedLine = 64 * 1024
    /// Where the recipients of one message may lead, aliases and all.
    static let destinations = 10_000
    /// Recipients refused in one connection: more is a search for addresses.
    static let refusedRecipients = 100
    /// Commands that are unknown, malformed or out of place, in one connection.
    static let badCommands = 10
    /// Passwords that did not let in, in one connection.
    static let authenticationFailures = 3
    /// Commands of any kind before authentication, in one connection.
    static let commandsBeforeAuthentication = 50
    /// `Received` fields: a message with as many is in a loop (RFC 5321 §6.3 asks for at least 100).
    static let receivedFields = 100
    /// Octets of a header: nothing of it is passed on before all of it is known. Long lists of recipients in To and Cc
    /// come to some hundred kilobytes.
    static let header = 1 << 20
    /// Octets of message taken per step, so that a large body is spilled in time.
    static let messageRun = 64 * 1024
    /// Octets that a URL's content is copied in.
    static let urlPiece = 128 * 1024
    /// Octets of a chunk that is refused and read on: more, and the connection closes instead.
    static let drainedChunk = 1 << 30

    /// RFC 5321 §4.5.3.2.7.
    static let patience = Duration.seconds(300)
    static let patienceBeforeAuthentication = Duration.seconds(60)
}
