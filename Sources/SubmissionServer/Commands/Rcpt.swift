import MailStore
import SMTPSyntax
import WireFraming

// RCPT (RFC 5321 §4.1.1.3): a recipient is looked up before it is promised.
extension SubmissionSession {
    mutating func serveRcpt(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        let command: RcptCommand
        do throws(SMTPSyntaxError) {
            command = try RcptCommand(parsing: arguments)
        } catch {
            // A list with bad addresses is its user's mistake, not its program's.
            return refuseRecipient(error.reply(badPath: .badRecipient), &output)
        }
        guard let transaction, command.forwardPath.isASCII || transaction.command.isInternationalized else {
            return refuseRecipient(.needsSMTPUTF8, &output)
        }
        guard transaction.recipients.count < SubmissionLimits.recipients else {
            return answer(.tooManyRecipients, &output)
        }
        pendingPath = command.forwardPath
        return .perform(.resolve(command.forwardPath, declaredSize: transaction.command.declaredSize ?? 0))
    }

    mutating func finishRecipient(_ resolution: RecipientResolution, _ output: inout SessionOutput) -> Step {
        let path = pendingPath
        pendingPath = nil
        switch resolution {
        case .local(let account):
            // Twice the same is two answers and one delivery.
            if transaction?.recipients.contains(where: { $0.id == account.id }) == false {
                transaction?.recipients.append(account)
                if transaction?.firstPath == nil { transaction?.firstPath = path }
            }
            return answer(.recipientOK, &output)
        case .noSuchUser: return refuseRecipient(.noSuchUser, &output)
        case .disabled: return refuseRecipient(.disabledUser, &output)
        case .full(let isPermanent):
            return refuseRecipient(isPermanent ? .mailboxTooSmall : .mailboxFull, &output)
        case .notLocal: return refuseRecipient(.notLocal, &output)
        case .unavailable(let reason):
            output.events.append(.notice("recipient lookup failed: \(reason)"))
            return answer(.unavailable, &output)
        }
    }

    private mutating func refuseRecipient(_ reply: SMTPReply, _ output: inout SessionOutput) -> Step {
        nuisance.refusedRecipients += 1
        guard nuisance.refusedRecipients <= SubmissionLimits.refusedRecipients else {
            output.events.append(.violation("too many refused recipients"))
            return close(.tooManyErrors, &output)
        }
        return answer(reply, &output)
    }
}
