package import MailVocabulary

/// What an operator may set for submission.
package struct SubmissionSettings: Sendable {
    /// The store counts a message's octets in 32 bits; 1 GiB leaves room for the trace.
    package static let largestMessageSize = 1 << 30

    /// Octets of a message as it is sent, without dot-stuffing (RFC 1870 §3).
    package let maximumMessageSize: Int
    /// Where mail for the server's postmaster goes when no account has that name (RFC 5321 §4.5.1).
    package let postmaster: Address?

    package init(maximumMessageSize: Int = 50 << 20, postmaster: Address? = nil) {
        self.maximumMessageSize = min(max(maximumMessageSize, 1024), Self.largestMessageSize)
        self.postmaster = postmaster
    }
}

/// Bounds on what a client can make the server do; each has its own reply.
enum SubmissionLimits {
    /// Octets of a command line without CRLF (RFC 5321 §4.5.3.1.4 with CRLF: 512).
    static let commandLine = 510
    /// Extensions lengthen MAIL: SIZE by 26 (RFC 1870 §3), BODY by 17 (RFC 6152 §2), SMTPUTF8 by 10 (RFC 6531 §3.1),
    /// AUTH by 500 (RFC 4954 §3).
    static let mailLine = commandLine + 26 + 17 + 10 + 500
    /// Octets of a line that is too long that are read on, to find its end; then the connection closes.
    static let skippedLine = 64 * 1024
    /// Recipients of one message (RFC 5321 §4.5.3.1.8 asks for 100).
    static let recipients = 1000
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
    /// Octets of message taken per step, so that a large body is spilled in time.
    static let messageRun = 64 * 1024

    /// RFC 5321 §4.5.3.2.7.
    static let patience = Duration.seconds(300)
    static let patienceBeforeAuthentication = Duration.seconds(60)
}
