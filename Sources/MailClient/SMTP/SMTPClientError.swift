/// Why a server cannot be talked to, or could not be talked to any longer.
package enum SMTPClientError: Error, Sendable, Hashable {
    /// No connection to any of its addresses, or it broke; the reason is for the log.
    case unreachable(reason: String)
    case timeout
    /// TLS was needed and did not come about as the policy demands.
    case insecure(reason: String)
    /// It does not speak SMTP, or breaks its rules.
    case protocolViolation(reason: String)
}
