import SMTPSyntax
package import WireFraming

/// How far a transaction has come.
struct TransactionProgress {
    enum Expected {
        case reset
        case mail
        case rcpt(Int)
        case data
    }

    let transaction: SMTPTransaction
    /// By recipient; nil while there is none.
    var answers: [SMTPRecipientAnswer?]
    /// What was sent and has no reply yet, in order.
    var expected: [Expected] = []
    var isMailSent = false
    var isDataSent = false
    /// Of the recipients, the next to be named.
    var next = 0
    var accepted: [Int] = []
    var encoder = MessageDataEncoder()
    /// Octets of the chunk that are still to be sent.
    var chunkLeft = 0

    init(_ transaction: SMTPTransaction) {
        self.transaction = transaction
        answers = Array(repeating: nil, count: transaction.recipients.count)
    }

    mutating func answerRest(_ answer: SMTPRecipientAnswer) {
        for index in answers.indices where answers[index] == nil { answers[index] = answer }
    }

    mutating func failRest(_ error: SMTPClientError) { answerRest(.unanswered(error)) }
}

extension SMTPClientSession {
    /// Commands that are sent ahead of their replies (RFC 2920): as many as a server's buffers hold, so that neither
    /// side waits for the other to read.
    static var pipelinedCommands: Int { 50 }

    /// Begins a transaction; only after `.ready`.
    package mutating func begin(
        _ transaction: SMTPTransaction, _ output: inout OutputBuffer
    ) -> SMTPClientStep {
        self.transaction = TransactionProgress(transaction)
        guard case .ready = state else { return fail(.protocolViolation(reason: "the session is not ready")) }
        // REQUIRETLS is never given up (RFC 8689 §4.2.1), nor does a binary message go where it would be cut.
        let isPossible =
            (!transaction.envelope.requiresTLS || (isSecured && features.offers(.requireTLS)))
            && (!transaction.isChunked
                || (features.offers(.binaryMIME) && features.offers(.chunking) && transaction.parameters.size != nil))
        guard isPossible else {
            self.transaction?.answerRest(.unsendable)
            return .ready
        }
        state = .addressing
        return proceed(&output)
    }

    /// The answers of the transaction that has ended, by recipient; empty when there was none.
    package mutating func takeAnswers() -> [SMTPRecipientAnswer] {
        defer { transaction = nil }
        let missing = SMTPRecipientAnswer.unanswered(.protocolViolation(reason: "no answer"))
        return transaction?.answers.map { $0 ?? missing } ?? []
    }

    /// Sends what may be sent now; once all is answered, goes on to the message.
    private mutating func proceed(_ output: inout OutputBuffer) -> SMTPClientStep {
        // Taken out, so that it is changed in place and not copied for each reply.
        guard var progress = transaction.take() else { return .ready }
        let window = features.offers(.pipelining) ? Self.pipelinedCommands : 1
        while progress.expected.count < window, sendNext(&progress, &output) {}
        if features.offers(.pipelining), progress.expected.count < window { sendData(&progress, &output) }
        transaction = progress
        guard progress.expected.isEmpty else { return .needInput }
        guard !progress.accepted.isEmpty else { return finish() }
        if progress.transaction.isChunked {
            transaction?.chunkLeft = progress.transaction.parameters.size ?? 0
            CommandWriter.lastChunk(octets: progress.transaction.parameters.size ?? 0, to: &output)
            state = .body
            return .sendBody
        }
        output.append("DATA\r\n")
        transaction?.isDataSent = true
        state = .data
        return .needInput
    }

    /// The next command; false when there is none.
    private mutating func sendNext(_ progress: inout TransactionProgress, _ output: inout OutputBuffer) -> Bool {
        if needsReset {
            needsReset = false
            output.append("RSET\r\n")
            progress.expected.append(.reset)
            return true
        }
        guard progress.isMailSent else { return sendMail(&progress, &output) }
        while progress.next < progress.answers.count {
            let index = progress.next
            progress.next += 1
            // After a MAIL that was refused all have their answer.
            guard progress.answers[index] == nil else { continue }
            do throws(UnsendableArgument) {
                try CommandWriter.rcpt(
                    progress.transaction.recipients[index],
                    isInternationalized: progress.transaction.parameters.isInternationalized, features, to: &output)
                progress.expected.append(.rcpt(index))
                return true
            } catch { progress.answers[index] = .unsendable }
        }
        return false
    }

    /// The group's last command (RFC 2920 §3.1), when somebody may yet be accepted. A chunk never goes ahead of the
    /// answers: its octets would go for nothing.
    private func sendData(_ progress: inout TransactionProgress, _ output: inout OutputBuffer) {
        let isAwaited = progress.expected.contains { if case .rcpt = $0 { true } else { false } }
        guard !progress.isDataSent, !progress.transaction.isChunked, progress.next == progress.answers.count,
            isAwaited || !progress.accepted.isEmpty
        else { return }
        output.append("DATA\r\n")
        progress.isDataSent = true
        progress.expected.append(.data)
    }

    private func sendMail(_ progress: inout TransactionProgress, _ output: inout OutputBuffer) -> Bool {
        progress.isMailSent = true
        let transaction = progress.transaction
        let isInternationalized = transaction.parameters.isInternationalized
        guard !isInternationalized || features.offers(.smtpUTF8) else {
            progress.answerRest(.unsendable)
            return false
        }
        do throws(UnsendableArgument) {
            try CommandWriter.mail(transaction.envelope, transaction.parameters, features, to: &output)
        } catch {
            progress.answerRest(.unsendable)
            return false
        }
        progress.expected.append(.mail)
        return true
    }

    mutating func takeAddressing(_ reply: ReceivedReply, _ output: inout OutputBuffer) -> SMTPClientStep {
        guard let expected = transaction?.expected.first else {
            return fail(.protocolViolation(reason: "an answer that no command asked for: \(reply.text)"))
        }
        if case .data = expected {
            transaction?.expected.removeFirst()
            return takeData(reply, &output)
        }
        guard !reply.isIntermediate else {
            return fail(.protocolViolation(reason: "an answer that no command asked for: \(reply.text)"))
        }
        transaction?.expected.removeFirst()
        switch expected {
        case .data: break
        case .reset:
            guard reply.isPositive else { return fail(.refused(reply)) }
        case .mail:
            hasOpenTransaction = reply.isPositive
            if !reply.isPositive { transaction?.answerRest(.refused(reply)) }
        case .rcpt(let index):
            if transaction?.answers[index] != nil { break }
            if reply.isPositive {
                transaction?.accepted.append(index)
            } else {
                transaction?.answers[index] = .refused(reply)
            }
        }
        return proceed(&output)
    }

    mutating func takeData(_ reply: ReceivedReply, _ output: inout OutputBuffer) -> SMTPClientStep {
        guard reply.code == 354 else {
            guard !reply.isPositive, !reply.isIntermediate else {
                return fail(.protocolViolation(reason: "an answer that DATA does not have: \(reply.text)"))
            }
            transaction?.answerRest(.refused(reply))
            return finish()
        }
        guard transaction?.accepted.isEmpty != true else { return endEmptyMessage(&output) }
        state = .body
        return .sendBody
    }

    /// The server wants a message that it has nobody for: RFC 2920 §3.1 has a lone dot for that. One that speaks LMTP
    /// must not (RFC 2033 §4.2), and would have no answer to the dot.
    private mutating func endEmptyMessage(_ output: inout OutputBuffer) -> SMTPClientStep {
        guard settings.dialect == .smtp else {
            return fail(.protocolViolation(reason: "the server wants a message without recipients"))
        }
        output.append(".\r\n")
        state = .emptyMessageEnd
        return .needInput
    }

    mutating func takeEmptyMessageEnd(_ reply: ReceivedReply) -> SMTPClientStep {
        guard !reply.isIntermediate else {
            return fail(.protocolViolation(reason: "an answer that a message does not have: \(reply.text)"))
        }
        hasOpenTransaction = false
        return finish()
    }

    /// A piece of the message; `.sendBody` when more may come.
    package mutating func body(_ piece: Span<UInt8>, _ output: inout OutputBuffer) -> SMTPClientStep {
        guard case .body = state, transaction != nil else {
            return fail(.protocolViolation(reason: "no message was asked for"))
        }
        if transaction?.transaction.isChunked == true {
            guard piece.count <= transaction?.chunkLeft ?? 0 else {
                return fail(.bodyUnreadable(reason: "it has more octets than was said"))
            }
            transaction?.chunkLeft -= piece.count
            output.append(piece)
            return .sendBody
        }
        do throws(MessageDataDefect) { try transaction?.encoder.encode(piece, to: &output) } catch {
            return fail(.unsendable(error))
        }
        return .sendBody
    }

    /// The message has been given.
    package mutating func bodyEnded(_ output: inout OutputBuffer) -> SMTPClientStep {
        guard case .body = state, transaction != nil else {
            return fail(.protocolViolation(reason: "no message was asked for"))
        }
        if transaction?.transaction.isChunked == true {
            guard transaction?.chunkLeft == 0 else {
                return fail(.bodyUnreadable(reason: "it has fewer octets than was said"))
            }
        } else {
            do throws(MessageDataDefect) { try transaction?.encoder.finish(&output) } catch {
                return fail(.unsendable(error))
            }
        }
        state = .bodyEnd
        return .needInput
    }

    /// The connection takes no more of the message: what the server said before it ended may still be read.
    package mutating func bodyBroken() { if case .body = state { state = .bodyEnd } }

    mutating func takeFinal(_ reply: ReceivedReply) -> SMTPClientStep {
        guard !reply.isIntermediate, let accepted = transaction?.accepted else {
            return fail(.protocolViolation(reason: "an answer that a message does not have: \(reply.text)"))
        }
        let answer = reply.isPositive ? SMTPRecipientAnswer.taken(reply) : .refused(reply)
        if settings.dialect == .lmtp, let index = accepted.first {
            // One for each recipient that was accepted, in their order (RFC 2033 §4.2).
            transaction?.accepted.removeFirst()
            transaction?.answers[index] = answer
            guard accepted.count == 1 else { return .needInput }
        } else {
            transaction?.answerRest(answer)
        }
        // After a chunk that failed nothing but RSET is sure to be understood (RFC 3030 §2).
        hasOpenTransaction = !reply.isPositive && transaction?.transaction.isChunked == true
        return finish()
    }

    private mutating func finish() -> SMTPClientStep {
        transactions += 1
        needsReset = hasOpenTransaction
        hasOpenTransaction = false
        state = .ready
        return .ready
    }
}
