import MailDelivery
import MailStore
import MailVocabulary
import SMTPSyntax
import WireFraming

// DATA (RFC 5321 §4.1.1.4). Input that came with the command, ahead of 354, is message; had the command been refused,
// the connection would have closed rather than read it as commands.
extension SubmissionSession {
    mutating func serveData(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        guard arguments.isEmpty else { return refuse(.noParameters, &output) }
        // RFC 3030 §3: what may hold anything can end at no line.
        guard transaction?.envelope.body != .binaryMIME else { return refuse(.needsBDAT, &output) }
        return .perform(.beginMessage)
    }

    mutating func startMessage(_ start: MessageStart, _ output: inout SessionOutput) -> Step {
        reception = MessageReception(
            start, limit: settings.maximumMessageSize, isBinary: transaction?.envelope.body == .binaryMIME)
        guard let part = pendingPart else {
            mode = .message
            return answer(.sendData, &output)
        }
        pendingPart = nil
        transaction?.isInParts = true
        return take(part, &output)
    }

    mutating func receiveMessage(
        _ input: Span<UInt8>, _ consumed: inout Int, _ output: inout SessionOutput
    ) -> Step {
        guard !input.isEmpty else { return .needInput }
        switch reception?.receive(input, consumed: &consumed) {
        case .more:
            if let writer = reception?.writer, writer.needsSpill { return .perform(.spill(writer)) }
            return consumed < input.count ? .ready : .needInput
        case .header: return judgeHeader(&output)
        case .ended: return endMessage(&output)
        case nil:
            mode = .commands
            return answer(.unavailable, &output)
        }
    }

    /// All of it is there, and its header was judged.
    mutating func endMessage(_ output: inout SessionOutput) -> Step {
        mode = .commands
        guard let reception, let transaction else { return answer(.unavailable, &output) }
        guard reception.defect == nil, let writer = reception.writer else { return refuseMessage(&output) }
        guard !transaction.isDiscarded else { return finishDelivery(.discarded, &output) }
        var message = IncomingMessage(
            writer: writer, identifier: reception.identifier, arrival: reception.date,
            envelope: transaction.envelope, recipients: transaction.recipients, submitter: login)
        message.hasReturnPath = reception.hasReturnPath
        message.notBefore = transaction.notBefore
        message.filters = transaction.filters
        message.hasJudgedHeader = isLMTP
        message.isPerRecipient = isLMTP
        return .perform(.deliver(message))
    }

    mutating func finishDelivery(_ result: AcceptanceResult, _ output: inout SessionOutput) -> Step {
        switch result {
        case .taken(let failures): return acceptMessage(failures, "accepted", &output)
        case .discarded: return acceptMessage([:], "discarded by a filter", &output)
        case .refused(let reply): reception?.refuse(.filtered(reply))
        case .failed(let failure): reception?.refuse(.delivery(failure))
        }
        return refuseMessage(&output)
    }

    private mutating func acceptMessage(
        _ failures: [Int: DeliveryFailure], _ word: String, _ output: inout SessionOutput
    ) -> Step {
        let recipients = transaction?.recipients.count ?? 0
        let (identifier, size) = (reception?.identifier ?? "", reception?.size ?? 0)
        endTransaction()
        output.events.append(
            .notice(
                "message \(word) id=\(identifier) size=\(size) recipients=\(recipients - failures.count)\(origin)"))
        guard isLMTP else { return answer(.accepted(identifier), &output) }
        // RFC 2033 §4.2: for each recipient, in the order of their commands.
        for index in 0..<recipients {
            if let failure = failures[index] {
                output.events.append(
                    .notice("message refused: \(MessageDefect.delivery(failure).text) id=\(identifier)\(origin)"))
                failure.reply.write(to: &output.bytes)
            } else {
                SMTPReply.accepted(identifier).write(to: &output.bytes)
            }
        }
        return .ready
    }

    mutating func refuseMessage(_ output: inout SessionOutput) -> Step {
        let identifier = reception?.identifier ?? ""
        let defect = reception?.defect ?? .delivery(.unavailable(reason: "no body"))
        let replies = isLMTP ? transaction?.recipients.count ?? 1 : 1
        endTransaction()
        let text = "message refused: \(defect.text) id=\(identifier)\(origin)"
        output.events.append(defect.isViolation ? .violation(text) : .notice(text))
        for _ in 0..<replies { defect.reply.write(to: &output.bytes) }
        return .ready
    }

    var loginName: String { login?.address.description ?? "" }

    /// Whose message it is, for the log, that knows the peer.
    private var origin: String { isLMTP ? "" : " login=\(loginName)" }
}
