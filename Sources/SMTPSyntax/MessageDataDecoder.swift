/// Reads the octets behind DATA up to the line that holds only a dot (RFC 5321 §4.5.2), however they are cut.
///
/// Only CRLF ends a line and only CRLF "." CRLF ends the message. A CR or LF alone, or a NUL, does neither: it makes
/// the message unacceptable (RFC 5321 §2.3.8), and what follows is still read as message until the true end, so that
/// no other server's idea of an end can smuggle commands past this one.
package struct MessageDataDecoder: Sendable {
    /// Octets of a line without CRLF. RFC 5321 §4.5.3.1.6 asks for 998; mail programs write far longer lines, and
    /// nothing here depends on their length. Beyond this a "line" is not text.
    package static let maximumLineLength = 65_536

    package enum Defect: Sendable, Hashable {
        case bareCR
        case bareLF
        case nul
        case lineTooLong
    }

    package enum Piece: Sendable, Hashable {
        /// This range of the input is message.
        case run(Range<Int>)
        /// A CRLF whose CR came at the end of an earlier input is message.
        case lineEnd
        /// All input is used.
        case needInput
        /// The end of the message; what follows is the next command.
        case end
    }

    private enum State: Sendable {
        case lineStart
        /// "." at a line's start, not yet known to be the end or stuffing.
        case dot
        /// "." CR at a line's start.
        case dotCR
        case inLine
        /// CR within a line; `isHeld` when it was the last octet of an earlier input.
        case cr(isHeld: Bool)
        case ended
    }

    // The CRLF of the DATA command itself may be the first of CRLF "." CRLF.
    private var state = State.lineStart
    private var lineLength = 0
    /// The first thing found wrong. Pieces go on coming, for their number, and are not to be kept.
    package private(set) var defect: Defect?

    package init() {}

    /// The next piece of `input` from `position` on, which is advanced.
    package mutating func next(_ input: Span<UInt8>, position: inout Int) -> Piece {
        let start = position
        var runStart = position
        while position < input.count {
            let byte = input[position]
            switch state {
            case .lineStart:
                guard byte == UInt8(ascii: ".") else {
                    state = .inLine
                    continue
                }
                // The dot is not part of the run: hand over what is before it first.
                if runStart < position { return .run(runStart..<position) }
                position += 1
                runStart = position
                state = .dot
            case .dot:
                // A dot ahead of anything but the end was stuffed, and is dropped.
                state = byte == 0x0D ? .dotCR : .inLine
                if byte == 0x0D { position += 1 }
            case .dotCR:
                if byte == 0x0A {
                    position += 1
                    state = .ended
                    return .end
                }
                note(.bareCR)
                state = .inLine
                runStart = position
            case .inLine:
                scanLine(input, &position)
            case .cr(let isHeld):
                guard byte == 0x0A else {
                    note(.bareCR)
                    state = .inLine
                    continue
                }
                position += 1
                state = .lineStart
                lineLength = 0
                if isHeld { return .lineEnd }
            case .ended:
                return .end
            }
        }
        return atEndOfInput(input, start: start, runStart: runStart)
    }

    /// Within a line: on to its CR, or the end of input.
    private mutating func scanLine(_ input: Span<UInt8>, _ position: inout Int) {
        let start = position
        while position < input.count, input[position] != 0x0D {
            if input[position] == 0x0A { note(.bareLF) }
            if input[position] == 0 { note(.nul) }
            position += 1
        }
        lineLength = min(lineLength + (position - start), Self.maximumLineLength + 1)
        if lineLength > Self.maximumLineLength { note(.lineTooLong) }
        if position < input.count {
            position += 1
            state = .cr(isHeld: false)
        }
    }

    /// A CR that is last is held back until what follows it is known.
    private mutating func atEndOfInput(_ input: Span<UInt8>, start: Int, runStart: Int) -> Piece {
        var end = input.count
        if case .cr(let isHeld) = state {
            if !isHeld, end > start { end -= 1 }
            state = .cr(isHeld: true)
        }
        if case .dotCR = state { return .needInput }
        return runStart < end ? .run(runStart..<end) : .needInput
    }

    private mutating func note(_ found: Defect) {
        if defect == nil { defect = found }
    }
}
