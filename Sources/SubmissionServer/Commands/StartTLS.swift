import SMTPSyntax
import WireFraming

// STARTTLS (RFC 3207 §4). That nothing is buffered behind it was checked before.
extension SubmissionSession {
    mutating func serveStartTLS(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        guard !isSecured else { return refuse(.alreadySecured, &output) }
        guard arguments.isEmpty else { return refuse(.noParameters, &output) }
        guard context.canStartTLS else { return answer(.cannotStartTLS, &output) }
        SMTPReply.startTLS.write(to: &output.bytes)
        return .startTLS
    }
}
