/// Gives a message CRLF line ends, piece by piece: a bare LF becomes CRLF, and so does a CR that no LF follows, for a
/// message whose lines others count differently can hide one header from one reader and show it to another. CR CR LF is
/// therefore two line ends.
package struct LineEndNormaliser: Sendable {
    /// Whether a NUL has passed: it is let through, and refusing it is the caller's business (RFC 9051 §6.3.12: only a
    /// literal8 may have one).
    package private(set) var hasNUL = false
    /// Whether something had to be changed.
    package private(set) var hasChanged = false
    /// The last octet was a CR; its line end has been written already.
    private var endsInCR = false

    package init() {}

    /// Appends the normalised piece to `output`. At most twice as long as the piece.
    package mutating func append(_ piece: Span<UInt8>, to output: inout [UInt8]) {
        var runStart = 0
        for index in piece.indices {
            let byte = piece[index]
            if byte > 0x0D {
                if endsInCR { noteBareCR() }
                continue
            }
            let followsCR = endsInCR
            endsInCR = false
            guard byte == 0x0A || byte == 0x0D else {
                if followsCR { hasChanged = true }
                if byte == 0 { hasNUL = true }
                continue
            }
            output.append(piece, runStart..<index)
            runStart = index + 1
            if byte == 0x0A {
                if followsCR { continue }
                hasChanged = true
            } else {
                if followsCR { hasChanged = true }
                endsInCR = true
            }
            output += [0x0D, 0x0A]
        }
        output.append(piece, runStart..<piece.count)
    }

    /// The message has ended. Nothing remains to be written; a CR at the very end has its LF.
    package mutating func finish() {
        if endsInCR { noteBareCR() }
    }

    private mutating func noteBareCR() {
        endsInCR = false
        hasChanged = true
    }
}
