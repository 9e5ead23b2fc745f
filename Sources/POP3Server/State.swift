import MailStore
import SASL

/// Where a session stands (RFC 1939 §3), and what it knows there. A command takes the state out, and puts the next one
/// in: a path that forgets to leaves `.closed`, which refuses everything.
enum State: Sendable {
    case authorization(Authorization)
    /// AUTH has sent a challenge; the next line is its response.
    case exchange(SASLServerExchange, Authorization)
    /// STLS was answered.
    case handshaking
    /// A password is being verified and the maildrop opened.
    case opening(LoginAttempt, Authorization)
    case transaction(Maildrop)
    /// The store is reading for RETR or TOP; with the message, those to be kept for the next commands.
    case fetching(MessageTransfer, ahead: [BodyID], Maildrop)
    /// The socket takes a long reply.
    case sending(Transmission, Maildrop)
    /// QUIT is deleting.
    case updating
    case closed
}

/// What an unauthenticated client has told: all that STLS makes the session forget.
struct Authorization: Sendable {
    /// From USER, until PASS.
    var user: String?
    var isUTF8 = false
}

struct LoginAttempt: Sendable {
    /// As the client wrote it: for the log.
    var login: String
    var mechanism: String
}

enum Transmission: Sendable {
    case listing(Listing)
    case message(MessageTransfer)
}
