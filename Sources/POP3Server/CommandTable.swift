import POP3Syntax

/// What a command needs of the session before its arguments are even looked at. The table below is the policy; the
/// code in Commands/ need not repeat it.
struct CommandRule {
    var phases: Set<Phase>
    /// Allowed on a connection without TLS. Whatever concerns credentials is not (RFC 8314 §4.1).
    var beforeTLS: Bool
    /// Nothing may be buffered behind it: such bytes were sent before its answer was seen (RFC 2595 §4).
    var endsBatch = false
    /// Its arguments prove an identity: when it comes without TLS, the operator hears that a password was exposed.
    var carriesSecret = false
    /// Octets without the line end.
    var maximumLength = POP3Limits.command
}

/// The states of RFC 1939 in which commands are read.
enum Phase: CaseIterable { case authorization, transaction }

extension POP3Verb {
    var rule: CommandRule {
        switch self {
        case .auth:
            CommandRule(
                phases: [.authorization], beforeTLS: false, carriesSecret: true, maximumLength: POP3Limits.auth)
        case .pass:
            CommandRule(
                phases: [.authorization], beforeTLS: false, carriesSecret: true, maximumLength: POP3Limits.login)
        case .user: CommandRule(phases: [.authorization], beforeTLS: false, maximumLength: POP3Limits.login)
        case .stls: CommandRule(phases: [.authorization], beforeTLS: true, endsBatch: true)
        case .utf8: CommandRule(phases: [.authorization], beforeTLS: true)
        case .capa, .lang, .quit: CommandRule(phases: [.authorization, .transaction], beforeTLS: true)
        case .dele, .list, .noop, .retr, .rset, .stat, .top, .uidl:
            CommandRule(phases: [.transaction], beforeTLS: false)
        }
    }
}
