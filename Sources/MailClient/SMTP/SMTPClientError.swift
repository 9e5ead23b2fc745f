package import SMTPSyntax
package import TLSPolicy

/// Why a server cannot be talked to, or could not be talked to any longer.
package enum SMTPClientError: Error, Sendable, Hashable {
    /// No connection, or it broke; the reason is for the log.
    case unreachable(reason: String)
    case timeout
    /// TLS was needed and did not come about as was demanded: nothing of value was said.
    case insecure(TLSProblem)
    /// The server wants no mail now, or none from us: its answer to the connection, EHLO or AUTH, or 421 at any time.
    case refused(ReceivedReply)
    /// It knows no mechanism that this program does.
    case noCommonMechanism(offered: [String])
    /// It does not speak SMTP, or breaks its rules.
    case protocolViolation(reason: String)
    /// The message cannot be sent as it is.
    case unsendable(MessageDataDefect)
    /// Its octets are not to be had, or are not as many as was said; the reason is for the log.
    case bodyUnreadable(reason: String)
    /// This program's own name cannot be said in EHLO.
    case unsendableName
}

package enum TLSProblem: Sendable, Hashable {
    /// STARTTLS is not among the server's extensions.
    case notOffered
    /// It offered it and then would not.
    case declined(ReceivedReply)
    /// Cleartext stood between STARTTLS and the handshake.
    case injectedOctets
    case handshakeFailed(reason: String)
    case unverified(PeerRefusal)
}

extension SMTPClientError {
    /// For logs and notices, in one line.
    package var text: String {
        switch self {
        case .unreachable(let reason): reason
        case .timeout: "nothing came in time"
        case .insecure(.notOffered): "TLS is demanded, and STARTTLS is not offered"
        case .insecure(.declined(let reply)): "TLS is demanded, and STARTTLS was declined: \(reply.text)"
        case .insecure(.injectedOctets): "cleartext came between STARTTLS and the handshake"
        case .insecure(.handshakeFailed(let reason)): "TLS handshake failed: \(reason)"
        case .insecure(.unverified(let refusal)): "the server's certificate is refused: \(refusal.reason)"
        case .refused(let reply): reply.text
        case .noCommonMechanism(let offered): "no common mechanism for AUTH among \(offered.joined(separator: " "))"
        case .protocolViolation(let reason): reason
        case .unsendable(.bareCR): "the message has a CR that ends no line"
        case .unsendable(.bareLF): "the message has a line that ends with LF alone"
        case .unsendable(.nul): "the message has a NUL"
        case .bodyUnreadable(let reason): "the message cannot be read: \(reason)"
        case .unsendableName: "this server's name is not fit for EHLO"
        }
    }
}
