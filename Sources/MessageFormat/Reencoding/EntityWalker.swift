/// Why a message cannot be converted.
package enum ReencodingFailure: Error, Sendable, Hashable {
    /// A signature covers what would have to be changed.
    case signed
    /// Octets that the way does not take stand where no transfer encoding reaches: in a header, around parts, in a part
    /// that may not be encoded.
    case unencodable
    /// Deeper, of more parts, or with longer headers than is looked into; or no well-formed message.
    case tooComplex
}

/// Takes a message apart as its octets pass: headers, contents of parts, and what stands between. Put together again
/// they are the message.
struct EntityWalker: Sendable {
    /// Octets of one header.
    static let headerLimit = 256 * 1024
    /// Octets of a line that are looked at together: a delimiter is far shorter (RFC 2046 §5.1.1 has 70).
    private static let lineLimit = 4096
    /// Of which a decision is kept.
    static let partLimit = 10_000

    enum Event {
        case header(EntityHeader)
        /// Of the part whose header came last.
        case content(ArraySlice<UInt8>)
        /// The part is over: at a delimiter, or with the message.
        case endOfContent(isLast: Bool)
        /// Delimiters, preambles, epilogues.
        case between(ArraySlice<UInt8>)
    }

    private enum State: Sendable {
        case header
        case content
        case between
    }

    private struct Multipart: Sendable {
        var delimiter: [UInt8]
        var isDigest: Bool
    }

    private var state = State.header
    private var line: [UInt8] = []
    /// The present line is the rest of a longer one.
    private var isContinued = false
    private var header: [UInt8] = []
    private var isMessage = true
    private var open: [Multipart] = []
    private var depth = 0
    private var parts = 0
    /// A CRLF of the content that belongs to the delimiter if one follows.
    private var holdsLineEnd = false

    init() {}

    mutating func add(
        _ piece: Span<UInt8>, _ visit: (Event) throws(ReencodingFailure) -> Void
    ) throws(ReencodingFailure) {
        for index in piece.indices {
            let byte = piece[index]
            line.append(byte)
            let endsLine = byte == 0x0A && line.count > 1 && line[line.count - 2] == 0x0D
            // A CR stays, since its LF may follow.
            guard endsLine || (line.count >= Self.lineLimit && byte != 0x0D) else { continue }
            try take(endsLine: endsLine, visit)
        }
    }

    mutating func finish(_ visit: (Event) throws(ReencodingFailure) -> Void) throws(ReencodingFailure) {
        if !line.isEmpty { try take(endsLine: false, visit) }
        switch state {
        case .header:
            // No body to convert, or a part without end.
            throw .tooComplex
        case .content:
            if holdsLineEnd { try visit(.content([0x0D, 0x0A])) }
            try visit(.endOfContent(isLast: true))
        case .between: break
        }
    }

    private mutating func take(
        endsLine: Bool, _ visit: (Event) throws(ReencodingFailure) -> Void
    ) throws(ReencodingFailure) {
        defer {
            line.removeAll(keepingCapacity: true)
            isContinued = !endsLine
        }
        if !isContinued, let level = delimiterLevel() { return try takeDelimiter(level, visit) }
        switch state {
        case .header:
            header += line
            guard header.count <= Self.headerLimit else { throw .tooComplex }
            if endsLine, !isContinued, line.count == 2 { try endHeader(visit) }
        case .content:
            if holdsLineEnd { try visit(.content([0x0D, 0x0A])) }
            holdsLineEnd = endsLine
            try visit(.content(endsLine ? line.dropLast(2) : line[...]))
        case .between:
            try visit(.between(line[...]))
        }
    }

    // delimiter := CRLF "--" boundary         close-delimiter := delimiter "--"         transport-padding := *LWSP-char
    // RFC 2046 §5.1.1
    /// Whose delimiter the line is, outermost 0.
    private func delimiterLevel() -> Int? {
        guard line.count >= 4, line[0] == UInt8(ascii: "-"), line[1] == UInt8(ascii: "-") else { return nil }
        var end = line.count
        while end > 0, isFoldingSpace(line[end - 1]) { end -= 1 }
        return open.indices.reversed().first { level in
            let delimiter = open[level].delimiter
            guard line.starts(with: delimiter) else { return false }
            return end == delimiter.count
                || (end == delimiter.count + 2 && line[end - 1] == UInt8(ascii: "-")
                    && line[end - 2] == UInt8(ascii: "-"))
        }
    }

    private mutating func takeDelimiter(
        _ level: Int, _ visit: (Event) throws(ReencodingFailure) -> Void
    ) throws(ReencodingFailure) {
        switch state {
        case .header:
            // A part without a blank line behind its header.
            guard header.isEmpty else { throw .tooComplex }
        case .content:
            try visit(.endOfContent(isLast: false))
            if holdsLineEnd { try visit(.between([0x0D, 0x0A])) }
        case .between: break
        }
        holdsLineEnd = false
        try visit(.between(line[...]))
        let delimiter = open[level].delimiter
        let isClose = line.dropFirst(delimiter.count).starts(with: [UInt8(ascii: "-"), UInt8(ascii: "-")])
        open.removeLast(open.count - level - (isClose ? 0 : 1))
        depth = open.count
        state = isClose ? .between : .header
        isMessage = false
    }

    private mutating func endHeader(
        _ visit: (Event) throws(ReencodingFailure) -> Void
    ) throws(ReencodingFailure) {
        parts += 1
        guard parts <= Self.partLimit,
            let found = EntityHeader(
                header, isMessage: isMessage, isInDigest: !isMessage && open.last?.isDigest == true)
        else { throw .tooComplex }
        header = []
        switch found.kind {
        case .text, .other, .rigid: state = .content
        case .message, .multipart:
            depth += 1
            guard depth <= MessageLimits.depth else { throw .tooComplex }
            if case .multipart(let boundary, let isDigest) = found.kind {
                open.append(Multipart(delimiter: Array("--".utf8) + boundary, isDigest: isDigest))
                state = .between
                isMessage = false
            } else {
                state = .header
                isMessage = true
            }
        }
        try visit(.header(found))
    }
}
