/// Looks at a message's header as it streams by: counts `Received` fields, removes `Return-Path`, which only final
/// delivery may write (RFC 5321 §4.4), and finds the header's end. It holds back no more than the start of one line.
package struct HeaderScreen: Sendable {
    /// Enough of a line to know its field by.
    private static let longestName = Array("return-path:".utf8).count

    private enum State: Sendable {
        case lineStart
        case passing
        case dropping
        case body
    }

    private var state = State.lineStart
    /// The start of the present line, while its field is not known.
    private var held: [UInt8] = []
    /// What a continuation line belongs to; nil ahead of the first field.
    private var lastFieldIsDropped: Bool?
    package private(set) var receivedCount = 0
    /// The first line starts with a space: behind this server's own trace it would continue that.
    package private(set) var beginsWithContinuation = false

    package init() {}

    /// Passes on what is to be kept. Lines end with CRLF: the decoder before this sees to it.
    package mutating func pass(_ bytes: Span<UInt8>, to keep: (Span<UInt8>) -> Void) {
        var position = 0
        while position < bytes.count {
            switch state {
            case .body:
                keep(bytes.extracting(position..<bytes.count))
                return
            case .lineStart:
                held.append(bytes[position])
                position += 1
                decide(keep)
            case .passing, .dropping:
                let start = position
                while position < bytes.count, bytes[position] != 0x0A { position += 1 }
                let isLineEnd = position < bytes.count
                if isLineEnd { position += 1 }
                if case .passing = state { keep(bytes.extracting(start..<position)) }
                if isLineEnd { state = .lineStart }
            }
        }
    }

    /// The message is over: what was held back is a last line that never got long enough.
    package mutating func finish(_ keep: (Span<UInt8>) -> Void) {
        if !held.isEmpty { keep(held.span) }
        held = []
        state = .body
    }

    private mutating func decide(_ keep: (Span<UInt8>) -> Void) {
        let isLineEnd = held.last == 0x0A
        if held == [0x0D, 0x0A] || held == [0x0A] {
            state = .body
        } else if held[0] == 0x20 || held[0] == 0x09 {
            if lastFieldIsDropped == nil { beginsWithContinuation = true }
            state = lastFieldIsDropped == true ? .dropping : .passing
        } else if isLineEnd || held.last == UInt8(ascii: ":") || held.count == Self.longestName {
            if isField("received") { receivedCount += 1 }
            lastFieldIsDropped = isField("return-path")
            state = lastFieldIsDropped == true ? .dropping : .passing
        } else {
            return
        }
        if state != .dropping { keep(held.span) }
        held = []
        if isLineEnd, state != .body { state = .lineStart }
    }

    /// Whether the line starts with the name and a colon, or (RFC 5322 §4.5.8) a space ahead of the colon.
    private func isField(_ name: String) -> Bool {
        let length = name.utf8.count
        guard held.count > length else { return false }
        let start = held[..<length].map { isLetter($0) ? $0 | 0x20 : $0 }
        return start.elementsEqual(name.utf8) && [0x3A, 0x20, 0x09].contains(held[length])
    }
}
