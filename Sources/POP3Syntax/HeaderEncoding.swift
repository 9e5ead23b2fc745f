import WireFraming

/// Whether a message's header is internationalised (RFC 6532): it holds UTF-8 beyond ASCII. A header with other 8-bit
/// octets is merely malformed, and was sent as it is before RFC 6856; it still is.
///
/// - Parameter start: the message's first octets; a header that does not end in them is judged by what is there.
package func isInternationalisedHeader(_ start: Span<UInt8>) -> Bool {
    var end = 0
    var lineStart = 0
    var isASCII = true
    var lineIsEmpty = true
    while end < start.count {
        let byte = start[end]
        if byte == 0x0A {
            if lineIsEmpty { break }
            lineIsEmpty = true
            lineStart = end + 1
        } else if byte != 0x0D {
            lineIsEmpty = false
            if byte >= 0x80 { isASCII = false }
        }
        end += 1
    }
    guard !isASCII else { return false }
    // A line cut by the chunk's end may be cut within a character: it is left out, unless it is all there is.
    if end == start.count, lineStart > 0 { end = lineStart }
    return ByteCursor(start).isUTF8(0..<end)
}

extension ByteCursor {
    fileprivate func isUTF8(_ range: Range<Int>) -> Bool { String(validating: array(range), as: UTF8.self) != nil }
}
