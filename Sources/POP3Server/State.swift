import MailStore
import SASL

/// Where a session stands (RFC 1939 §3), and what it knows there. A command takes the state out, and puts the next one
/// in: a path that forgets to leaves `.closed`, which refuses everything.
enum State: Sendable {
    case authorization(Authorization)
    /// AUTH has sent a challenge; the next line is its response.
    case exchange(any AuthenticationExchange, Authorization)
    /// AUTH has sent why it refuses; the next line is answered with that it does.
    case rejecting(AuthenticationRefusal, Authorization)
    /// STLS was answered.
    case handshaking
    /// What the client said is being judged, and the maildrop opened.
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

/// How the client is about to come in.
struct LoginAttempt: Sendable {
    /// Nil for USER and PASS.
    var exchange: (any AuthenticationExchange)?

    var mechanism: String { exchange?.mechanism.rawValue ?? "USER" }
}

enum Transmission: Sendable {
    case listing(Listing)
    case message(MessageTransfer)
}
