/// Finds where TOP's answer ends: behind the header, the empty line and so many lines (RFC 1939 §7). The message may
/// come in chunks.
package struct TopLimit: Sendable {
    private var isInHeader = true
    /// Of the line so far, besides a CR at its end.
    private var lineIsEmpty = true
    private var linesLeft: UInt32
    package private(set) var isReached = false

    package init(lines: UInt32) { linesLeft = lines }

    /// How many of these octets belong to the answer.
    package mutating func admit(_ bytes: Span<UInt8>) -> Int {
        guard !isReached else { return 0 }
        for index in bytes.indices {
            let byte = bytes[index]
            if byte == 0x0A {
                endLine()
                if isReached { return index + 1 }
                lineIsEmpty = true
            } else if byte != 0x0D {
                lineIsEmpty = false
            }
        }
        return bytes.count
    }

    private mutating func endLine() {
        if isInHeader {
            isInHeader = !lineIsEmpty
            isReached = lineIsEmpty && linesLeft == 0
        } else {
            linesLeft &-= 1
            isReached = linesLeft == 0
        }
    }
}
