import MailStore
import MailVocabulary
import SMTPSyntax
import WireFraming

// MAIL (RFC 5321 §4.1.1.2, RFC 1870, RFC 6152, RFC 6531, RFC 4954 §5). The null reverse-path is for receipts that
// user agents send. In this server's own domains nobody sends as another (RFC 6409 §6.1); senders elsewhere are taken.
extension SubmissionSession {
    mutating func serveMail(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        let command: MailCommand
        do throws(SMTPSyntaxError) {
            command = try MailCommand(parsing: arguments)
        } catch {
            return refuse(error.reply(badPath: .badSender), &output)
        }
        guard command.declaredSize ?? 0 <= UInt64(settings.maximumMessageSize) else {
            return answer(.tooLarge, &output)
        }
        guard let login, let sender = command.reversePath.address, sender.canonical != login.address.canonical else {
            return accept(command, &output)
        }
        pendingMail = command
        return .perform(.findDomain(sender.domain))
    }

    /// Of a sender that is not the login's own address.
    mutating func finishSender(_ lookup: DomainLookup, _ output: inout SessionOutput) -> Step {
        let command = pendingMail
        pendingMail = nil
        guard let command else { return answer(.unavailable, &output) }
        switch lookup {
        case .foreign: return accept(command, &output)
        case .local:
            output.events.append(.notice("sender of another refused login=\(loginName)"))
            return answer(.notOwnSender, &output)
        case .unavailable(let reason):
            output.events.append(.notice("sender lookup failed: \(reason)"))
            return answer(.unavailable, &output)
        }
    }

    private mutating func accept(_ command: MailCommand, _ output: inout SessionOutput) -> Step {
        transaction = Transaction(command: command)
        return answer(.senderOK, &output)
    }
}

extension SMTPSyntaxError {
    func reply(badPath: SMTPReply) -> SMTPReply {
        switch self {
        case .badArgument: .badArgument
        case .badPath: badPath
        case .badParameter: .badParameter
        case .unknownParameter: .unknownParameter
        case .needsSMTPUTF8: .needsSMTPUTF8
        }
    }
}
