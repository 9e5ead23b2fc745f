import IMAPSyntax
import WireFraming

// COMPRESS (RFC 4978). The session only says when: the connection's driver compresses, and the session never sees it.

extension IMAPSession {
    mutating func compress(_ tag: String, _ algorithm: String, _ output: inout SessionOutput) -> Step {
        guard algorithm == "DEFLATE" else {
            return refuse(tag, Refusal(status: .bad, text: "Algorithms: DEFLATE"), &output)
        }
        guard !isCompressed else {
            return conclude(tag, .no, .compressionActive, "DEFLATE is active", &output)
        }
        isCompressed = true
        ending = .startCompression
        return conclude(tag, .ok, "DEFLATE active", &output)
    }
}
