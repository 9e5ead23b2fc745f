import MailTestSupport
import POP3Server
import POP3Syntax
import WireFraming

extension POP3Verb {
    /// A well-formed command for each verb.
    var sample: String {
        switch self {
        case .auth: "AUTH PLAIN AG1yb3NlAHRhbnN0YWFm"
        case .dele, .retr, .list, .uidl: "\(rawValue) 1"
        case .lang: "LANG en"
        case .pass: "PASS tanstaaf"
        case .top: "TOP 1 0"
        case .user: "USER mrose"
        case .capa, .noop, .quit, .rset, .stat, .stls, .utf8: rawValue
        }
    }
}

extension SessionDriver where Session: ~Copyable {
    /// Whether the session says that it has proved nobody.
    var isAnonymous: Bool { !session.isAuthenticated }
}

/// The dot-stuffing of one reply undone: what a client would store. Nil when the reply is not complete.
func unstuffed(_ reply: [UInt8]) -> [UInt8]? {
    let crlf: [UInt8] = [0x0D, 0x0A]
    guard let head = reply.firstRange(of: crlf), reply.suffix(5) == [0x0D, 0x0A, 0x2E, 0x0D, 0x0A] else { return nil }
    let lines = reply[head.upperBound...].dropLast(3)
    var result: [UInt8] = []
    var isAtLineStart = true
    for byte in lines {
        if isAtLineStart, byte == 0x2E {
            isAtLineStart = false
            continue
        }
        result.append(byte)
        isAtLineStart = byte == 0x0A
    }
    return result
}
