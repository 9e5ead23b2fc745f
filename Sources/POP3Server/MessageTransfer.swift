import MailStore
import POP3Syntax
import WireFraming

/// A message on its way to the client: read by ranges, encoded by pieces, never held whole.
struct MessageTransfer: Sendable {
    /// Octets read at a time: few enough to hold for every session, many enough that a read is worth its trip.
    static let readLength = 256 * 1024
    /// The same for TOP, which mostly needs a header.
    static let topReadLength = 16 * 1024
    /// Octets encoded at a time; stuffing can make half as many more of them.
    private static let piece = 8 * 1024

    let body: BodyID
    let size: Int
    /// Nil for RETR.
    private var top: TopLimit?
    private var stuffing = DotStuffing()
    /// Octets read so far.
    private var nextOffset = 0
    private var chunk: [UInt8] = []
    private var position = 0
    /// Whether the +OK line is out: after it, a failure can only be told by closing.
    var hasBegun = false

    init(_ row: MessageRow, top: TopLimit?) {
        body = row.body
        size = Int(row.size)
        self.top = top
    }

    /// What to read next; nil when nothing is left.
    var nextRange: Range<Int>? {
        guard nextOffset < size, top?.isReached != true else { return nil }
        let length = top == nil ? Self.readLength : Self.topReadLength
        return nextOffset..<min(size, nextOffset + length)
    }

    var needsRead: Bool { position == chunk.count && nextRange != nil }

    /// Takes in what was read. False when it is not what the index promises: the body is damaged.
    mutating func accept(_ bytes: [UInt8]) -> Bool {
        guard let expected = nextRange, bytes.count == expected.count else { return false }
        chunk = bytes
        position = 0
        nextOffset = expected.upperBound
        return true
    }

    /// Takes in a body that was read whole.
    mutating func acceptWhole(_ bytes: [UInt8]) -> Bool {
        guard bytes.count == size else { return false }
        chunk = bytes
        nextOffset = size
        return true
    }

    var chunkIsInternationalised: Bool { isInternationalisedHeader(chunk.span) }

    func announce(_ output: inout OutputBuffer) {
        guard top == nil else { return output.ok("top of message follows") }
        output.append("+OK ")
        output.append(decimal: size)
        output.appendLine(" octets")
    }

    /// Appends at most `productionChunk` octets. True when the reply is complete.
    mutating func write(_ output: inout OutputBuffer) -> Bool {
        let limit = output.count + productionChunk - 2 * Self.piece
        let chunk = chunk
        while position < chunk.count, output.count <= limit, top?.isReached != true {
            let end = min(chunk.count, position + Self.piece)
            let bytes = chunk.span.extracting(position..<end)
            let admitted = top?.admit(bytes) ?? bytes.count
            stuffing.encode(bytes.extracting(0..<admitted), into: &output)
            position = end
        }
        let isComplete = top?.isReached == true || (position == chunk.count && nextOffset == size)
        if isComplete { stuffing.finish(into: &output) }
        return isComplete
    }
}
