import SMTPSyntax
import WireFraming

// VRFY and EXPN (RFC 5321 §3.5.3, §7.3): nobody learns from them who has an account.
extension SubmissionSession {
    mutating func serveVrfy(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        arguments.isEmpty ? refuse(.badArgument, &output) : answer(.cannotVerify, &output)
    }

    mutating func serveExpn(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        refuse(.notImplemented, &output)
    }
}
