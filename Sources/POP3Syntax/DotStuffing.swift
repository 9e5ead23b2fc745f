package import WireFraming

/// Encodes a message as the lines of a multi-line reply (RFC 1939 §3), chunk by chunk.
///
/// A line that begins with "." gets another in front. A line begins behind any LF, not only behind CRLF: many clients
/// read so, and a message with bare LF could otherwise end its own reply early and have the rest of it read as answers.
package struct DotStuffing: Sendable {
    private var isAtLineStart = true
    private var lastWasCR = false
    private var endsWithCRLF = true

    package init() {}

    package mutating func encode(_ bytes: Span<UInt8>, into output: inout OutputBuffer) {
        guard bytes.count > 0 else { return }
        var start = 0
        if isAtLineStart, bytes[0] == 0x2E { output.append(0x2E) }
        var index = 0
        let last = bytes.count - 1
        while index < last {
            if bytes[index] == 0x0A, bytes[index + 1] == 0x2E {
                output.append(bytes.extracting(start...index))
                output.append(0x2E)
                start = index + 1
            }
            index += 1
        }
        output.append(bytes.extracting(start...last))
        noteEnd(of: bytes)
    }

    private mutating func noteEnd(of bytes: Span<UInt8>) {
        let last = bytes[bytes.count - 1]
        let beforeWasCR = bytes.count > 1 ? bytes[bytes.count - 2] == 0x0D : lastWasCR
        isAtLineStart = last == 0x0A
        endsWithCRLF = last == 0x0A && beforeWasCR
        lastWasCR = last == 0x0D
    }

    /// Ends the message's last line if the message does not, then the reply.
    package mutating func finish(into output: inout OutputBuffer) {
        if !endsWithCRLF { output.appendLineEnd() }
        output.appendTerminator()
        self = DotStuffing()
    }
}
