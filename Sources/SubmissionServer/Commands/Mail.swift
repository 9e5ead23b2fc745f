import SMTPSyntax
import WireFraming

// MAIL (RFC 5321 §4.1.1.2, RFC 1870, RFC 6152, RFC 6531, RFC 4954 §5). The null reverse-path is for receipts that
// user agents send. Whether the login may use the address is not judged here: the login itself is recorded.
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
