import Logging
import NIOCore
import WireFraming

// COMPRESS (RFC 4978): between the session and TLS. A peer's octets are inflated only as the session takes them, so
// that the bound on unread input holds for what they stand for, too.

extension SessionHandler where Session: ~Copyable {
    /// From the answer to COMPRESS on. False when it cannot be, and the connection must end.
    func startCompression(_ context: ChannelHandlerContext) -> Bool {
        // The session refuses the command when anything is buffered behind it; what is here came since, and before the
        // client could know the answer (RFC 4978 §3).
        guard input.readableBytes == 0 else {
            log.record(.violation("data behind the start of compression"))
            return false
        }
        guard let inflater = Inflater(), let deflater = Deflater() else {
            log.logger.error("no memory for compression")
            return false
        }
        compressedInput = CompressedInput(inflater)
        self.deflater = deflater
        return true
    }

    /// Behind an answer that was still compressed. False when the connection must end.
    func stopCompression(_ context: ChannelHandlerContext) -> Bool {
        guard input.readableBytes == 0 else {
            log.record(.violation("compressed data behind the end of compression"))
            return false
        }
        deflater = nil
        compressedInput?.end()
        return true
    }

    /// Makes another piece of input from what the peer sent compressed. False when there is nothing to make it of.
    func inflateInput(_ context: ChannelHandlerContext) -> Bool {
        guard compressedInput != nil, input.readableBytes < inputLimit else { return false }
        // What was read gives its room back: else the buffer would grow to all that a small piece stands for.
        input.discardReadBytes()
        let before = input.readableBytes
        do {
            try compressedInput?.inflate(into: &input)
        } catch {
            log.record(.violation("compressed data that is none"))
            close(context)
            return false
        }
        if compressedInput?.isOver == true { compressedInput = nil }
        return input.readableBytes > before
    }
}

/// The compressed side of a connection's input.
struct CompressedInput {
    private let inflater: Inflater
    private var received = ByteBuffer()
    private var lastStop = Inflater.Stop.atBlockEnd
    /// Set when compression ends: how many ends of blocks are still to pass.
    private var blocksLeft: Int?
    /// Whether the end has passed, and all that was left is given.
    private(set) var isOver = false

    init(_ inflater: Inflater) { self.inflater = inflater }

    var readableBytes: Int { received.readableBytes }

    mutating func add(_ buffer: inout ByteBuffer) {
        if received.readableBytes == 0 { received = buffer } else { received.writeBuffer(&buffer) }
    }

    /// Appends the next piece, of one block at most: what follows a block may be no part of the stream.
    mutating func inflate(into input: inout ByteBuffer) throws(Inflater.Damaged) {
        guard blocksLeft == nil else { return try passEnd(into: &input) }
        let before = input.readableBytes
        while received.readableBytes > 0, input.readableBytes == before {
            // The peer has ended its stream, and goes on.
            guard !inflater.hasEnded else { throw Inflater.Damaged() }
            lastStop = try inflater.inflate(&received, into: &input)
        }
        if received.readableBytes == 0 { received = ByteBuffer() }
    }

    /// The client ends its compression with the command that was just read (RFC 8437 §4.1), and may go on without it
    /// at once. Its stream ends with the empty block of a flush, or with a last block.
    mutating func end() {
        blocksLeft =
            switch lastStop {
            case .atStreamEnd: 0
            case .atBlockEnd: 1
            case .paused: 2
            }
    }

    private mutating func passEnd(into input: inout ByteBuffer) throws(Inflater.Damaged) {
        while let left = blocksLeft, left > 0 {
            guard received.readableBytes > 0 else { return }
            var more = ByteBuffer()
            switch try inflater.inflate(&received, into: &more) {
            case .atStreamEnd: blocksLeft = 0
            case .atBlockEnd: blocksLeft = left - 1
            case .paused: break
            }
            // A command behind the one that ended compression.
            guard more.readableBytes == 0 else { throw Inflater.Damaged() }
        }
        isOver = true
        input.writeBuffer(&received)
    }
}
