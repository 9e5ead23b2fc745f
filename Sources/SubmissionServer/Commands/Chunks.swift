import MailDelivery
import MailStore
import SMTPSyntax
import WireFraming

// BDAT (RFC 3030 §2). Its octets follow at once and are counted: they are read whatever the answer is, and where their
// number is not known, or too large to be read for nothing, the connection closes: they must not be read as commands.
extension SubmissionSession {
    mutating func serveBdat(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        guard let command = try? BdatCommand(parsing: arguments) else { return closeAtChunk(.badChunk, &output) }
        guard reception == nil else { return take(.chunk(command), &output) }
        pendingPart = .chunk(command)
        return .perform(.beginMessage)
    }

    /// A chunk that comes at a wrong time.
    mutating func refuseChunk(
        _ arguments: Span<UInt8>, _ refusal: SMTPReply, _ output: inout SessionOutput
    ) -> Step {
        guard let command = try? BdatCommand(parsing: arguments) else { return closeAtChunk(refusal, &output) }
        guard command.size > 0 else { return answerOrRefuse(refusal, &output) }
        // Nobody reads for a stranger.
        guard isTrusted, client != nil, command.size <= SubmissionLimits.drainedChunk else {
            return closeAtChunk(refusal, &output)
        }
        mode = .chunk(
            ChunkProgress(remaining: command.size, size: command.size, isLast: command.isLast, refusal: refusal))
        return .ready
    }

    private mutating func closeAtChunk(_ reply: SMTPReply, _ output: inout SessionOutput) -> Step {
        output.events.append(.violation("a chunk that cannot be read"))
        reply.write(to: &output.bytes)
        return close(.chunkBehindRefused, &output)
    }

    /// The message has begun: its next part.
    mutating func take(_ part: MessagePart, _ output: inout SessionOutput) -> Step {
        switch part {
        case .url(let command): return openURL(command)
        case .chunk(let command):
            if let reception, command.size > settings.maximumMessageSize - reception.size {
                self.reception?.refuse(.tooLarge)
                guard command.size <= SubmissionLimits.drainedChunk else { return closeAtChunk(.tooLarge, &output) }
            }
            let progress = ChunkProgress(remaining: command.size, size: command.size, isLast: command.isLast)
            guard command.size > 0 else { return endPart(progress, &output) }
            mode = .chunk(progress)
            return .ready
        }
    }

    mutating func receiveChunk(
        _ progress: ChunkProgress, _ input: Span<UInt8>, _ consumed: inout Int, _ output: inout SessionOutput
    ) -> Step {
        guard !input.isEmpty else { return .needInput }
        let count = min(progress.remaining, input.count, SubmissionLimits.messageRun)
        consumed = count
        var progress = progress
        progress.remaining -= count
        mode = .chunk(progress)
        guard progress.refusal == nil else { return continueChunk(&output) }
        switch reception?.receiveChunk(input.extracting(0..<count)) {
        case .header: return judgeHeader(&output)
        case .more, .ended, nil:
            if let writer = reception?.writer, writer.needsSpill { return .perform(.spill(writer)) }
            return continueChunk(&output)
        }
    }

    /// A chunk ends with its last octet: the client sends nothing more before it has the answer.
    mutating func continueChunk(_ output: inout SessionOutput) -> Step {
        guard case .chunk(let progress) = mode, progress.remaining == 0 else { return .ready }
        return endPart(progress, &output)
    }

    /// All octets of a part are there.
    mutating func endPart(_ progress: ChunkProgress, _ output: inout SessionOutput) -> Step {
        mode = .commands
        if let refusal = progress.refusal { return answerOrRefuse(refusal, &output) }
        guard reception?.defect == nil else {
            // RFC 2033 §4.3: only the last part is answered for each recipient.
            return progress.isLast ? refuseMessage(&output) : refusePart(&output)
        }
        guard progress.isLast else { return answer(.chunkOK(progress.size), &output) }
        switch reception?.finishChunks() {
        case .header: return judgeHeader(&output)
        case .more, .ended, nil: return endMessage(&output)
        }
    }

    private mutating func refusePart(_ output: inout SessionOutput) -> Step {
        let reply = (reception?.defect ?? .delivery(.unavailable(reason: "no body"))).reply
        let text = "message refused: \(reception?.defect?.text ?? "") id=\(reception?.identifier ?? "")"
        output.events.append(reception?.defect?.isViolation == true ? .violation(text) : .notice(text))
        endTransaction()
        return answer(reply, &output)
    }

    mutating func continueAfterSpill(_ output: inout SessionOutput) -> Step {
        switch mode {
        case .commands: continueURL(&output)
        case .chunk: continueChunk(&output)
        case .exchange, .rejecting, .message, .skipping, .closed: .ready
        }
    }
}
