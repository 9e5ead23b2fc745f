import SMTPSyntax
import WireFraming

// RSET (RFC 5321 §4.1.1.5): the transaction goes, EHLO and AUTH stay.
extension SubmissionSession {
    mutating func serveRset(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        guard arguments.isEmpty else { return refuse(.noParameters, &output) }
        endTransaction()
        return answer(.ok, &output)
    }
}
