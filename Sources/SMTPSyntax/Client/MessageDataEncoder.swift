package import WireFraming

/// Why a body cannot follow DATA as it is.
package enum MessageDataDefect: Error, Sendable, Hashable {
    case bareCR
    case bareLF
    case nul
}

/// Writes the octets behind DATA (RFC 5321 §4.5.2), however the message is cut. A line that begins with a dot gets
/// another. A CR or LF alone, or a NUL, is never written on: some server would take it for a line's end, and what
/// follows for commands (RFC 5321 §2.3.8). Whoever meets a defect ends the connection, since half a message is there.
package struct MessageDataEncoder: Sendable {
    private enum State: Sendable {
        case lineStart
        case inLine
        case cr
    }

    private var state = State.lineStart

    package init() {}

    package mutating func encode(
        _ piece: Span<UInt8>, to output: inout OutputBuffer
    ) throws(MessageDataDefect) {
        var runStart = 0
        for index in piece.indices {
            let byte = piece[index]
            switch state {
            case .cr:
                guard byte == 0x0A else { throw .bareCR }
                state = .lineStart
                continue
            case .lineStart:
                if byte == UInt8(ascii: ".") {
                    output.append(piece.extracting(runStart..<index))
                    output.append(byte)
                    runStart = index
                }
                state = .inLine
            case .inLine: break
            }
            switch byte {
            case 0x0D: state = .cr
            case 0x0A: throw .bareLF
            case 0: throw .nul
            case _: break
            }
        }
        output.append(piece.extracting(runStart..<piece.count))
    }

    /// The end; a last line without an end gets one.
    package mutating func finish(_ output: inout OutputBuffer) throws(MessageDataDefect) {
        switch state {
        case .cr: throw .bareCR
        case .inLine: output.append("\r\n.\r\n")
        case .lineStart: output.append(".\r\n")
        }
        state = .lineStart
    }
}
