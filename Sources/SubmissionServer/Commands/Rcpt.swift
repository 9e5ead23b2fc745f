import MailDelivery
import MailStore
import SMTPSyntax
import WireFraming

// RCPT (RFC 5321 §4.1.1.3): a recipient is looked up before it is promised.
extension SubmissionSession {
    mutating func serveRcpt(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        let command: RcptCommand
        do throws(SMTPSyntaxError) {
            command = try RcptCommand(parsing: arguments, offered)
        } catch {
            // A list with bad addresses is its user's mistake, not its program's.
            return refuseRecipient(error.reply(badPath: .badRecipient), &output)
        }
        guard let transaction, command.forwardPath.isASCII || transaction.envelope.isInternationalized else {
            return refuseRecipient(.needsSMTPUTF8, &output)
        }
        guard transaction.recipients.count < settings.maximumRecipients,
            transaction.destinations < SubmissionLimits.destinations
        else { return answer(.tooManyRecipients, &output) }
        pendingRecipient = command
        return .perform(
            .resolve(
                RecipientRequest(
                    command: command, declaredSize: transaction.declaredSize,
                    recipients: transaction.recipients.count, account: login, filters: transaction.filters)))
    }

    mutating func finishRecipient(_ answer: RecipientAnswer, _ output: inout SessionOutput) -> Step {
        let command = pendingRecipient
        pendingRecipient = nil
        switch answer {
        case .refused(let reply): return refuseRecipient(reply, &output)
        case .discarded(let resolution):
            transaction?.isDiscarded = true
            return finishRecipient(command, resolution, &output)
        case .resolved(let resolution): return finishRecipient(command, resolution, &output)
        }
    }

    private mutating func finishRecipient(
        _ command: RcptCommand?, _ resolution: RecipientResolution, _ output: inout SessionOutput
    ) -> Step {
        switch resolution {
        case .accepted(let destinations):
            guard let command, let recipient = SMTPRecipient(command, resolution) else {
                return answer(.unavailable, &output)
            }
            add(AcceptedRecipient(recipient, destinations))
            return answer(.recipientOK, &output)
        case .noSuchUser: return refuseRecipient(.noSuchUser, &output)
        case .disabled: return refuseRecipient(.disabledUser, &output)
        case .full(let isPermanent):
            return refuseRecipient(isPermanent ? .mailboxTooSmall : .mailboxFull, &output)
        case .notLocal: return refuseRecipient(isLMTP ? .noSuchDomain : .notLocal, &output)
        case .badAlias:
            output.events.append(.notice("an alias leads to itself, too deep or to too many"))
            return refuseRecipient(.aliasLoop, &output)
        case .unavailable(let reason):
            output.events.append(.notice("recipient lookup failed: \(reason)"))
            return answer(.unavailable, &output)
        }
    }

    /// Twice the same is two answers and one delivery; LMTP then answers twice at the end, too.
    private mutating func add(_ recipient: AcceptedRecipient) {
        let isKnown = transaction?.recipients.contains { $0.destinations == recipient.destinations } ?? true
        guard !isKnown || isLMTP else { return }
        transaction?.recipients.append(recipient)
        transaction?.destinations += recipient.destinations.count
    }

    private mutating func refuseRecipient(_ reply: SMTPReply, _ output: inout SessionOutput) -> Step {
        // An MTA in front does not search for addresses: it hands over whatever comes.
        guard !isLMTP else { return answer(reply, &output) }
        nuisance.refusedRecipients += 1
        guard nuisance.refusedRecipients <= SubmissionLimits.refusedRecipients else {
            output.events.append(.violation("too many refused recipients"))
            return close(.tooManyErrors, &output)
        }
        return answer(reply, &output)
    }
}
