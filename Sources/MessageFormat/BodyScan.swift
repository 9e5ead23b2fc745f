/// What a message's octets ask of the ways it can go: read once, in pieces, however they are cut.
package struct BodyScan: Sendable, Hashable {
    private enum State: Sendable, Hashable {
        case lineStart
        case inLine
        /// A CR came last; `isLineStart` when nothing was before it on the line.
        case cr(isLineStart: Bool)
    }

    private var state = State.lineStart
    private var isHeader = true

    package private(set) var count = 0
    /// An octet above 127 in the message's own header.
    package private(set) var headerHas8Bit = false
    /// An octet above 127 anywhere behind it.
    package private(set) var bodyHas8Bit = false
    /// A CR or LF that is not part of CRLF.
    package private(set) var hasBareLineEnd = false
    package private(set) var hasNUL = false
    /// Octets of the longest line, without its CRLF.
    package private(set) var longestLine = 0
    private var lineLength = 0

    package init() {}

    package var has8Bit: Bool { headerHas8Bit || bodyHas8Bit }
    /// It can go by DATA (RFC 5321 §2.3.8); else only as BINARYMIME.
    package var isLines: Bool { !hasBareLineEnd && !hasNUL }

    package mutating func add(_ piece: Span<UInt8>) {
        count += piece.count
        for index in piece.indices {
            let byte = piece[index]
            lineLength += 1
            if case .cr(let isLineStart) = state {
                if byte == 0x0A {
                    if isLineStart { isHeader = false }
                    state = .lineStart
                    longestLine = max(longestLine, lineLength - 2)
                    lineLength = 0
                    continue
                }
                hasBareLineEnd = true
                state = .inLine
            }
            switch byte {
            case 0x0D: state = .cr(isLineStart: state == .lineStart)
            case 0x0A:
                hasBareLineEnd = true
                if state == .lineStart { isHeader = false }
                state = .lineStart
            case 0:
                hasNUL = true
                state = .inLine
            case 0x80...0xFF:
                if isHeader { headerHas8Bit = true } else { bodyHas8Bit = true }
                state = .inLine
            case _: state = .inLine
            }
        }
    }

    /// The message is over.
    package mutating func finish() {
        if case .cr = state { hasBareLineEnd = true }
        state = .lineStart
        longestLine = max(longestLine, lineLength)
        lineLength = 0
    }
}
