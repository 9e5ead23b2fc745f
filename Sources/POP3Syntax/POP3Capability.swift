package import SASL
package import WireFraming

/// A line of CAPA's answer (IANA POP3 Capabilities registry).
package enum POP3Capability: Sendable, Hashable {
    case authRespCode
    case expireNever
    case implementation(String)
    case lang
    case loginDelay(seconds: Int)
    case pipelining
    case respCodes
    case sasl([SASLMechanism])
    case stls
    case top
    case uidl
    case user
    /// With the argument: names and passwords may be UTF-8 too.
    case utf8User

    // capability = capa-tag *(SP param) CRLF ; 512 octets maximum          RFC 2449 §3
    package func write(to output: inout OutputBuffer) {
        switch self {
        case .authRespCode: output.append("AUTH-RESP-CODE")
        case .expireNever: output.append("EXPIRE NEVER")
        case .implementation(let name):
            output.append("IMPLEMENTATION ")
            output.append(name)
        case .lang: output.append("LANG")
        case .loginDelay(let seconds):
            output.append("LOGIN-DELAY ")
            output.append(decimal: seconds)
        case .pipelining: output.append("PIPELINING")
        case .respCodes: output.append("RESP-CODES")
        case .sasl(let mechanisms):
            output.append("SASL")
            for mechanism in mechanisms {
                output.append(0x20)
                output.append(mechanism.rawValue)
            }
        case .stls: output.append("STLS")
        case .top: output.append("TOP")
        case .uidl: output.append("UIDL")
        case .user: output.append("USER")
        case .utf8User: output.append("UTF8 USER")
        }
        output.appendLineEnd()
    }
}
