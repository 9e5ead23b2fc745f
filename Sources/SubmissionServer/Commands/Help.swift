import SMTPSyntax
import WireFraming

// HELP (RFC 5321 §4.1.1.8): an argument is ignored.
extension SubmissionSession {
    mutating func serveHelp(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        answer(.help(settings.role), &output)
    }
}
