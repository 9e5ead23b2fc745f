import MailClient
import SMTPSyntax
import TLSPolicy

/// A host that cannot be used: what is told to those who get no answer from another.
struct HopFailure: Error {
    var outcome: RecipientOutcome

    /// Nobody further is to be tried.
    var isLast = false

    init(_ outcome: RecipientOutcome, isLast: Bool = false) {
        self.outcome = outcome
        self.isLast = isLast
    }

    init(_ error: SMTPClientError, _ hop: Hop, _ security: String? = nil) {
        let status: String
        switch error {
        case .unreachable: status = "4.4.1"
        case .timeout: status = "4.4.2"
        // What is demanded of the connection cannot be had (RFC 7672 §2.1.1, RFC 8461 §5): it may be another time.
        case .insecure: status = "4.7.5"
        case .refused(let reply): status = "4.\(reply.status?.subject ?? 0).\(reply.status?.detail ?? 0)"
        case .noCommonMechanism: status = "4.7.0"
        case .protocolViolation: status = "4.5.0"
        case .unsendable: status = "5.6.0"
        case .bodyUnreadable, .unsendableName: status = "4.3.0"
        }
        var result = RecipientOutcome.Result.deferred
        if case .unsendable = error { result = .failed }
        outcome = RecipientOutcome(
            result, status: status, diagnostic: error.text, remoteHost: hop.name, security: security)
    }
}
