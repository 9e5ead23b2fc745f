import POP3Syntax
import WireFraming

extension POP3Session {
    // "STLS"          RFC 2595 §4
    /// The table has seen to it that nothing is buffered behind the command; `secured` forgets what came before it.
    mutating func startTLS(_ output: inout SessionOutput) -> Step {
        guard tls == nil else { return mistake("command not permitted when TLS active", &output) }
        guard context.canStartTLS else { return mistake("TLS is not available", code: .permanent, &output) }
        state = .handshaking
        output.bytes.ok("begin TLS negotiation")
        return .startTLS
    }
}
