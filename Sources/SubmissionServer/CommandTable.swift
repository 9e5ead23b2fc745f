import SASL
import SMTPSyntax

/// How far a session has come. Encryption is a column of its own in the command table.
enum SubmissionStage: UInt8, CaseIterable {
    /// Nothing but the greeting, or a handshake, has happened.
    case connected
    /// HELO: no extensions, so no AUTH, so no mail.
    case basic
    /// EHLO.
    case greeted
    /// By LMTP: LHLO.
    case authenticated
    /// MAIL was accepted, and no recipient yet.
    case sender
    case recipients
    /// BDAT or BURL has begun the message.
    case parts
}

struct StageSet: OptionSet {
    let rawValue: UInt8

    init(rawValue: UInt8) { self.rawValue = rawValue }
    init(_ stage: SubmissionStage) { rawValue = 1 << stage.rawValue }

    static let greeted = StageSet(.greeted)
    static let authenticated = StageSet(.authenticated)
    static let transaction: StageSet = [StageSet(.sender), StageSet(.recipients)]
    static let content: StageSet = [StageSet(.recipients), StageSet(.parts)]
    static let any = StageSet(rawValue: .max)

    /// Which a message's recipients must be known for.
    var needsRecipients: Bool { !isEmpty && isSubset(of: .content) }
}

/// What input behind a command, sent before its answer, means (RFC 2920 §3.1).
enum BatchPosition {
    /// Nothing: the command may stand anywhere in a group.
    case anywhere
    /// The client does not wait as it should, which harms nobody.
    case last
    /// It is not commands but the message or the SASL response: if the command is refused, it must not be read as
    /// commands, so the connection closes.
    case handsOver
    /// An attack on the upgrade (RFC 3207 §6): the command is refused and the connection closes.
    case alone
}

/// One command's policy.
struct CommandRule {
    var stages: StageSet
    var allowedBeforeTLS: Bool
    var batch: BatchPosition
    /// Never accepted in the clear, whatever the column before says.
    var carriesSecret: Bool
    /// Octets of its line without CRLF.
    var maximumLength = SubmissionLimits.commandLine

    /// The refusal that a session at this stage gives, ahead of looking at arguments; nil when the command may go on.
    func refusal(at stage: SubmissionStage, isSecured: Bool) -> SMTPReply? {
        guard isSecured || (allowedBeforeTLS && !carriesSecret) else { return .needsTLS }
        guard !stages.contains(StageSet(stage)) else { return nil }
        switch stage {
        case .connected: return .sendEHLO
        case .basic: return stages.contains(.greeted) ? .sendEHLO : .needsAuthentication
        case .greeted: return .needsAuthentication
        case .authenticated:
            return stages.isSubset(of: [.transaction, .content]) ? .sendMail : .badSequence
        case .sender: return stages.needsRecipients ? .noValidRecipients : .badSequence
        case .recipients, .parts: return .badSequence
        }
    }

    /// The same where nobody logs in and no TLS is needed (RFC 2033 §4.2: without recipients, DATA is out of place).
    func refusalByLMTP(at stage: SubmissionStage) -> SMTPReply? {
        guard let refusal = refusal(at: stage, isSecured: true) else { return nil }
        switch refusal {
        case .sendEHLO: return .sendLHLO
        case .noValidRecipients: return .badSequence
        case _: return refusal
        }
    }
}

extension SMTPVerb {
    /// Octets of "AUTH", a mechanism's name, two spaces and the longest response.
    private static let authLine = 4 + 1 + 20 + 1 + SASLLimits.encodedResponse

    static let longestLine = max(SubmissionLimits.mailLine, SubmissionLimits.burlLine, authLine)

    /// Whether a server of this role knows the command at all.
    func isKnown(to role: SubmissionRole) -> Bool {
        switch self {
        case .ehlo, .helo, .startTLS, .auth, .burl: role == .submission
        case .lhlo: role == .lmtp
        case .mail, .rcpt, .data, .bdat, .rset, .noop, .quit, .vrfy, .expn, .help: true
        }
    }

    var rule: CommandRule {
        switch self {
        case .ehlo, .helo, .lhlo, .noop, .help, .quit:
            CommandRule(stages: .any, allowedBeforeTLS: true, batch: .last, carriesSecret: false)
        case .rset:
            CommandRule(stages: .any, allowedBeforeTLS: true, batch: .anywhere, carriesSecret: false)
        case .startTLS:
            CommandRule(stages: .any, allowedBeforeTLS: true, batch: .alone, carriesSecret: false)
        case .vrfy, .expn:
            CommandRule(stages: .any, allowedBeforeTLS: false, batch: .last, carriesSecret: false)
        case .auth:
            CommandRule(
                stages: .greeted, allowedBeforeTLS: false, batch: .handsOver, carriesSecret: true,
                maximumLength: Self.authLine)
        case .mail:
            CommandRule(
                stages: .authenticated, allowedBeforeTLS: false, batch: .anywhere, carriesSecret: false,
                maximumLength: SubmissionLimits.mailLine)
        case .rcpt:
            CommandRule(
                stages: .transaction, allowedBeforeTLS: false, batch: .anywhere, carriesSecret: false,
                maximumLength: SubmissionLimits.rcptLine)
        case .data:
            CommandRule(
                stages: StageSet(.recipients), allowedBeforeTLS: false, batch: .handsOver, carriesSecret: false)
        case .bdat:
            // What follows is counted, and read whatever the answer is.
            CommandRule(stages: .content, allowedBeforeTLS: false, batch: .anywhere, carriesSecret: false)
        case .burl:
            CommandRule(
                stages: .content, allowedBeforeTLS: false, batch: .anywhere, carriesSecret: false,
                maximumLength: SubmissionLimits.burlLine)
        }
    }
}
