import MailStore
import MailVocabulary
import SMTPSyntax
import WireFraming

// DATA (RFC 5321 §4.1.1.4). Input that came with the command, ahead of 354, is message; had the command been refused,
// the connection would have closed rather than read it as commands.
extension SubmissionSession {
    mutating func serveData(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        guard arguments.isEmpty else { return refuse(.noParameters, &output) }
        return .perform(.beginMessage)
    }

    mutating func startMessage(_ start: MessageStart, _ output: inout SessionOutput) -> Step {
        reception = MessageReception(start, trace: trace(start), limit: settings.maximumMessageSize)
        mode = .message
        return answer(.sendData, &output)
    }

    mutating func receiveMessage(
        _ input: Span<UInt8>, _ consumed: inout Int, _ output: inout SessionOutput
    ) -> Step {
        guard !input.isEmpty else { return .needInput }
        guard reception?.receive(input, consumed: &consumed) == true else {
            if let writer = reception?.writer, writer.needsSpill { return .perform(.spill(writer)) }
            return consumed < input.count ? .ready : .needInput
        }
        mode = .commands
        guard let reception, let transaction else { return answer(.unavailable, &output) }
        guard reception.defect == nil, let writer = reception.writer else { return refuseMessage(&output) }
        return .perform(
            .deliver(
                SubmissionDelivery(
                    writer: writer, recipients: transaction.recipients.map(\.id), date: reception.date)))
    }

    mutating func finishDelivery(_ failure: DeliveryFailure?, _ output: inout SessionOutput) -> Step {
        if let failure {
            reception?.refuse(.store(failure))
            return refuseMessage(&output)
        }
        let recipients = transaction?.recipients.count ?? 0
        let (identifier, size) = (reception?.identifier ?? "", reception?.size ?? 0)
        (transaction, reception) = (nil, nil)
        output.events.append(
            .notice(
                "message accepted id=\(identifier) size=\(size) recipients=\(recipients) login=\(loginName)"))
        return answer(.accepted(identifier), &output)
    }

    private mutating func refuseMessage(_ output: inout SessionOutput) -> Step {
        let identifier = reception?.identifier ?? ""
        let defect = reception?.defect ?? .store(.unavailable(reason: "no body"))
        (transaction, reception) = (nil, nil)
        let text = "message refused: \(defect.text) id=\(identifier) login=\(loginName)"
        output.events.append(defect.isViolation ? .violation(text) : .notice(text))
        return answer(defect.reply, &output)
    }

    var loginName: String { login?.address.description ?? "" }

    // Return-path-line = "Return-Path:" FWS Reverse-path <CRLF>         RFC 5321 §4.4
    /// The fields of final delivery: Return-Path above Received.
    private func trace(_ start: MessageStart) -> String {
        guard let transaction, let client else { return "" }
        let isInternationalized = transaction.command.isInternationalized
        let received = ReceivedField(
            client: client, peer: context.peer, hostname: context.hostname,
            transmission: .init(
                isSecured: isSecured, isAuthenticated: isAuthenticated, isInternationalized: isInternationalized),
            identifier: start.identifier, recipient: onlyRecipient(transaction), tls: context.tls, date: start.date)
        return "Return-Path: \(transaction.command.reversePath.text)\r\n" + received.text
    }

    private func onlyRecipient(_ transaction: Transaction) -> SMTPMailbox? {
        guard transaction.recipients.count == 1, let account = transaction.recipients.first else { return nil }
        if case .mailbox(let mailbox)? = transaction.firstPath { return mailbox }
        return SMTPMailbox(account.address)
    }
}
