import MailDelivery
import MailStore
import MailVocabulary
import SMTPSyntax
import WireFraming

// A message's header, when it is whole and nothing of the message is written yet: who it says has sent it (RFC 6409
// §6.1), what is put right in it (§8), and this server's trace ahead of it (RFC 5321 §4.4).
extension SubmissionSession {
    mutating func judgeHeader(_ output: inout SessionOutput) -> Step {
        guard let reception else { return endMessage(&output) }
        let header = MessageHeader(reception.fields)
        if reception.beginsWithContinuation { return refuseHeader(.badHeader, &output) }
        guard header.receivedCount <= SubmissionLimits.receivedFields else { return refuseHeader(.loop, &output) }
        guard let login else {
            write(header, isOwnFrom: true)
            return continueMessage(&output)
        }
        guard !header.hasBadAuthor else { return refuseHeader(.badAuthor, &output) }
        let others = header.authors.filter { $0 != login.address }
        guard others.isEmpty else {
            pendingHeader = header
            return .perform(.authorise(others, login))
        }
        write(header, isOwnFrom: true)
        return continueMessage(&output)
    }

    mutating func finishHeader(_ standing: SenderStanding, _ output: inout SessionOutput) -> Step {
        let header = pendingHeader
        pendingHeader = nil
        guard let header else { return refuseHeader(.delivery(.unavailable(reason: "no header")), &output) }
        switch standing {
        case .own, .granted:
            write(header, isOwnFrom: standing == .own)
            return continueMessage(&output)
        case .refused: return refuseHeader(.notOwnAuthor, &output)
        case .unavailable(let reason): return refuseHeader(.delivery(.unavailable(reason: reason)), &output)
        }
    }

    private mutating func refuseHeader(_ defect: MessageDefect, _ output: inout SessionOutput) -> Step {
        reception?.refuse(defect)
        return continueMessage(&output)
    }

    private mutating func continueMessage(_ output: inout SessionOutput) -> Step {
        if reception?.isOver == true { return endMessage(&output) }
        switch mode {
        case .commands: return continueURL(&output)
        case .chunk: return continueChunk(&output)
        case .exchange, .rejecting, .message, .skipping, .closed: return .ready
        }
    }

    private mutating func write(_ header: MessageHeader, isOwnFrom: Bool) {
        guard let reception, let transaction else { return }
        let delivery = acceptance.settings
        let repairs = isLMTP ? [] : delivery.repairs
        let hasReturnPath = acceptance.wantsReturnPath(
            transaction.envelope, transaction.recipients, submitter: login, isHeld: transaction.notBefore != nil)
        var trace = hasReturnPath ? transaction.envelope.reversePath.returnPathField : ""
        trace += receivedField(reception, transaction)
        if let login {
            trace += header.additions(
                HeaderRepair(
                    repairs, account: login.address, isOwnFrom: isOwnFrom, date: reception.date.messageDate,
                    identifier: reception.identifier, hostname: context.hostname))
        }
        self.reception?.begin(
            trace: trace, fields: header.fields(withoutBlindCopies: repairs.contains(.bcc)),
            separates: repairs.contains(.blankLine), hasReturnPath: hasReturnPath)
    }

    private func receivedField(_ reception: MessageReception, _ transaction: Transaction) -> String {
        let hides = acceptance.settings.hidesClient && !isLMTP
        return ReceivedField(
            client: hides ? nil : client, peer: context.peer, hostname: context.hostname,
            transmission: .init(
                isSecured: isSecured, isAuthenticated: login != nil,
                isInternationalized: transaction.envelope.isInternationalized, isLMTP: isLMTP),
            identifier: reception.identifier,
            recipient: transaction.recipients.count == 1 ? transaction.recipients.first?.recipient.mailbox : nil,
            tls: context.tls, date: reception.date
        ).text
    }
}
