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
        let last = bytes.count - 1
        var index = indexOfLF(in: bytes, from: 0)
        while index < last {
            if bytes[index + 1] == 0x2E {
                output.append(bytes.extracting(start...index))
                output.append(0x2E)
                start = index + 1
            }
            index = indexOfLF(in: bytes, from: index + 1)
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

/// The first LF at or behind `start`; the count of octets when there is none. Eight octets at a time: a search octet by
/// octet was the largest part of what sending a message costs.
private func indexOfLF(in bytes: Span<UInt8>, from start: Int) -> Int {
    let low: UInt64 = 0x0101_0101_0101_0101
    let high: UInt64 = 0x8080_8080_8080_8080
    var index = start
    while index + 8 <= bytes.count {
        let loaded = unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
        // An octet of `word` is 0 where there is LF; the lowest set bit of `found` is exactly at the first such octet.
        let word = UInt64(littleEndian: loaded) ^ (low &* 0x0A)
        let found = (word &- low) & ~word & high
        if found != 0 { return index + found.trailingZeroBitCount / 8 }
        index += 8
    }
    while index < bytes.count, bytes[index] != 0x0A { index += 1 }
    return index
}
