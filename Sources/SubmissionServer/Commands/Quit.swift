import SMTPSyntax
import WireFraming

// QUIT (RFC 5321 §4.1.1.10). Input behind it is lost with the connection.
extension SubmissionSession {
    mutating func serveQuit(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        guard arguments.isEmpty else { return refuse(.noParameters, &output) }
        return close(.closing, &output)
    }
}
