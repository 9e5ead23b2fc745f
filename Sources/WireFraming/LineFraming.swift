/// Where the first line of a buffer ends.
package enum LineFrame: Sendable, Equatable {
    /// No line end yet, and the limit is not reached.
    case incomplete
    /// A line: `length` octets without its end, `consumed` with it. `endsWithCRLF` is false for a bare LF.
    case line(length: Int, consumed: Int, endsWithCRLF: Bool)
    /// More than `limit` octets without a line end.
    case tooLong
}

/// Finds the first line. `searched` remembers how far earlier calls looked, so that a line dribbled in byte by byte
/// costs no more than one that comes whole; the caller sets it to 0 when it consumes.
///
/// - Parameter limit: octets allowed before the line end.
package func frameLine(_ input: Span<UInt8>, limit: Int, searched: inout Int) -> LineFrame {
    let end = min(input.count, limit + 2)
    var index = min(searched, end)
    while index < end, input[index] != 0x0A { index += 1 }
    searched = index
    if index < end {
        let endsWithCRLF = index > 0 && input[index - 1] == 0x0D
        let length = endsWithCRLF ? index - 1 : index
        return length > limit ? .tooLong : .line(length: length, consumed: index + 1, endsWithCRLF: endsWithCRLF)
    }
    return input.count >= limit + 2 ? .tooLong : .incomplete
}
