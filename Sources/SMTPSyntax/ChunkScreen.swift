import WireFraming

/// Looks at a message that comes by BDAT (RFC 3030), however it is cut: as in DATA, CR and LF stand only together, and
/// there is no NUL, unless it is declared as BINARYMIME.
package struct ChunkScreen: Sendable {
    private let isBinary: Bool
    private var lastIsCR = false
    private var lastIsLineEnd = true
    private var lineLength = 0
    /// The first thing found wrong.
    package private(set) var defect: MessageDataDecoder.Defect?

    package init(isBinary: Bool) { self.isBinary = isBinary }

    /// What came last is no line end, and the message is text.
    package var lacksLineEnd: Bool { !isBinary && !lastIsLineEnd }

    package mutating func check(_ bytes: Span<UInt8>) {
        guard !isBinary, defect == nil else { return }
        for index in bytes.indices {
            let byte = bytes[index]
            if lastIsCR, byte != 0x0A { return note(.bareCR) }
            if byte == 0x0A {
                guard lastIsCR else { return note(.bareLF) }
                lineLength = 0
            } else {
                if byte == 0 { return note(.nul) }
                lineLength += 1
                // The CR of a line end is not counted: it comes as one more.
                if lineLength > MessageDataDecoder.maximumLineLength + 1 { return note(.lineTooLong) }
            }
            lastIsCR = byte == 0x0D
        }
        if !bytes.isEmpty { lastIsLineEnd = bytes[bytes.count - 1] == 0x0A }
    }

    /// The message is over.
    package mutating func finish() {
        if lastIsCR, defect == nil { note(.bareCR) }
    }

    private mutating func note(_ found: MessageDataDecoder.Defect) { defect = found }
}
