import SMTPSyntax
import WireFraming

// NOOP (RFC 5321 §4.1.1.9): an argument is ignored.
extension SubmissionSession {
    mutating func serveNoop(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        answer(.ok, &output)
    }
}
