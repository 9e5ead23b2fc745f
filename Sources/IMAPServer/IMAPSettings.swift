package import IMAPSyntax

/// What an operator can set of the IMAP server, and its caps with their reasons.
package struct IMAPSettings: Sendable {
    /// Octets of one appended message; a larger one is refused before it is invited.
    package var maximumMessageSize: UInt64 = 100 << 20
    /// How long an authenticated client may be silent, in IDLE too: RFC 3501 §5.4 asks for at least 30 minutes.
    package var patience: Duration = .seconds(30 * 60)
    /// Before authentication a silent connection is only a cost.
    package var unauthenticatedPatience: Duration = .seconds(60)
    /// What `ID` answers, in order.
    package var identification: [IDField] = [IDField(name: "name", value: "Latchmail")]

    /// Whether UNAUTHENTICATE is offered: RFC 8437 §8 wants it to be an operator's choice, as it gets past a proxy that
    /// only looks at the first login.
    package var offersUnauthenticate = true

    /// LITERAL+ or, when false, LITERAL-: whether a literal of more than 4096 octets may come without an invitation
    /// (RFC 7888 §5).
    package var offersLongLiterals = true

    /// How many messages one command processes (RFC 9738); nil for any number, as the server needs no limit.
    package var messageLimit: MessageLimit?

    /// Vouches for the URLs that are authorised (RFC 4467). Without it URLAUTH is not offered.
    package var urlAuthentication: URLAuthentication?

    package init() {}

    /// RFC 7888 §5.
    static let longestLiteralMinus: UInt64 = 4096

    /// Failed logins until the connection closes: enough for a mistyped password, few enough that guessing needs a
    /// new handshake every time.
    static let maximumFailedLogins = 3
    /// Commands answered BAD until the connection closes, before authentication: broken software and probes.
    static let maximumUnauthenticatedErrors = 10
    static let maximumErrors = 50
    /// Messages of one APPEND: each waits with its octets, in a file of its own, until the last has come.
    static let maximumAppendedMessages = 1000
    /// Octets of all literals of one command before authentication: a name and a password.
    static let unauthenticatedLiteralLimit: UInt64 = 2048
}
