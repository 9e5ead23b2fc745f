import WireFraming

/// Gathers a message's header as it comes, and finds its end: a blank line, or a line that is no field, where a body
/// begins whose blank line is missing.
struct HeaderCollector {
    enum State {
        case collecting
        /// What follows the header, as far as it has come; its first line is the blank one or the body's.
        case ended(rest: [UInt8])
        case tooLong
    }

    private(set) var state = State.collecting
    /// Complete lines of fields.
    private(set) var fields: [UInt8] = []
    /// The start of the present line.
    private var line: [UInt8] = []
    /// The first line starts with a space: behind this server's own trace it would continue that.
    private(set) var beginsWithContinuation = false

    /// Takes input while it collects; what comes later is the caller's. Lines end with CRLF.
    mutating func take(_ bytes: Span<UInt8>) {
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != 0x0A { end += 1 }
            let isWhole = end < bytes.count
            if isWhole { end += 1 }
            for index in start..<end { line.append(bytes[index]) }
            start = end
            if isWhole, endsAtLine() {
                for index in start..<bytes.count { line.append(bytes[index]) }
                state = .ended(rest: line)
                line = []
                return
            }
            guard fields.count + line.count <= SubmissionLimits.header else {
                state = .tooLong
                return
            }
        }
    }

    /// The message is over. A last line without end is made one.
    mutating func finish() {
        guard case .collecting = state else { return }
        if !line.isEmpty {
            line += [0x0D, 0x0A]
            if endsAtLine() {
                state = .ended(rest: line)
                return
            }
        }
        state = .ended(rest: [])
    }

    /// Keeps the line if it is of the header; true if it is not.
    private mutating func endsAtLine() -> Bool {
        if line.count <= 2 { return true }
        if line[0] == 0x20 || line[0] == 0x09 {
            if fields.isEmpty { beginsWithContinuation = true }
        } else if !isField() {
            return true
        }
        fields += line
        line.removeAll(keepingCapacity: true)
        return false
    }

    // field-name = 1*ftext        ftext = %d33-57 / %d59-126        RFC 5322 §3.6.8; blanks before the colon: §4.5.8
    private func isField() -> Bool {
        let name = line.prefix { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
        let colon = line[name.endIndex...].first { $0 != 0x20 && $0 != 0x09 }
        return !name.isEmpty && colon == UInt8(ascii: ":")
    }
}
