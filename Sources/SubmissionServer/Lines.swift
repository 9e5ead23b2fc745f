import SMTPSyntax
import WireFraming

// Lines of input: commands, and responses of a SASL exchange.
extension SubmissionSession {
    /// A line, taken from the input; nil, with the step to return, when there is none to be had.
    mutating func takeLine(
        _ input: Span<UInt8>, _ consumed: inout Int, limit: Int, tooLong: SMTPReply, _ output: inout SessionOutput
    ) -> (line: Range<Int>?, step: Step) {
        switch frameLine(input, limit: limit, searched: &searched) {
        case .incomplete:
            return (nil, .needInput)
        case .tooLong:
            searched = 0
            guard case .ready = refuse(tooLong, &output) else { return (nil, .close) }
            return (nil, skipLine(input, &consumed, seen: 0, &output))
        case .line(let length, let end, let endsWithCRLF):
            searched = 0
            consumed = end
            guard endsWithCRLF else {
                output.events.append(.violation("line ended by LF alone"))
                return (nil, close(.bareLF, &output))
            }
            return (0..<length, .ready)
        }
    }

    mutating func skipLine(
        _ input: Span<UInt8>, _ consumed: inout Int, seen: Int, _ output: inout SessionOutput
    ) -> Step {
        guard !input.isEmpty else { return .needInput }
        var index = 0
        while index < input.count, input[index] != 0x0A { index += 1 }
        guard index == input.count else {
            consumed = index + 1
            mode = .commands
            return .ready
        }
        consumed = index
        guard seen + index <= SubmissionLimits.skippedLine else {
            output.events.append(.violation("line without end"))
            return close(.tooManyErrors, &output)
        }
        mode = .skipping(seen + index)
        return .needInput
    }
}
