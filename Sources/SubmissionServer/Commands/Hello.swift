import SASL
import SMTPSyntax
import WireFraming

// EHLO and HELO (RFC 5321 §4.1.1.1). Both end a transaction, neither an authentication (RFC 4954 §3).
extension SubmissionSession {
    mutating func serveEhlo(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        guard let name = try? ClientName(parsing: arguments) else { return refuse(.badArgument, &output) }
        (client, isExtended, transaction) = (name, true, nil)
        return answer(SMTPReply(250, lines: [context.hostname] + extensions), &output)
    }

    mutating func serveHelo(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        guard let name = try? ClientName(parsing: arguments) else { return refuse(.badArgument, &output) }
        (client, isExtended, transaction) = (name, false, nil)
        return answer(SMTPReply(250, lines: [context.hostname]), &output)
    }

    /// What is offered now: STARTTLS only where it can succeed, AUTH only where nobody listens.
    private var extensions: [String] {
        var offered = [
            "PIPELINING", "SIZE \(settings.maximumMessageSize)", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8",
        ]
        if isSecured {
            offered.append("AUTH " + SASLMechanism.allCases.map(\.rawValue).joined(separator: " "))
        } else if context.canStartTLS {
            offered.append("STARTTLS")
        }
        return offered
    }
}
