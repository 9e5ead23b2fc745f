import CZlib
import NIOCore

/// Takes a raw DEFLATE stream (RFC 1951) apart, piece by piece: however little a peer sends, one call makes at most
/// `pieceSize` octets of it. Confined to its connection's loop.
final class Inflater {
    /// What stopped a call.
    enum Stop {
        /// There is room for more, or more input, or both: call again when the session has taken what there is.
        case paused
        /// Between two blocks of the stream.
        case atBlockEnd
        /// The peer ended the stream; what is left of the input is not part of it.
        case atStreamEnd
    }

    struct Damaged: Error {}

    /// Octets of one call's output: a bomb grows by this much before the session has had its say.
    static let pieceSize = 16 * 1024

    private let stream: UnsafeMutablePointer<z_stream>
    private(set) var hasEnded = false

    /// Nil when there is no memory. The window (32 KiB, as peers may use all of it) is allocated when it is needed.
    init?() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard inflateInit2_(stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            return nil
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Consumes input, and appends what it stands for, to the end of a block at most.
    func inflate(_ input: inout ByteBuffer, into output: inout ByteBuffer) throws(Damaged) -> Stop {
        guard !hasEnded else { return .atStreamEnd }
        var result = Z_OK
        input.readWithUnsafeReadableBytes { readable in
            stream.pointee.next_in = readable.bindMemory(to: UInt8.self).baseAddress
            stream.pointee.avail_in = UInt32(min(readable.count, Int(UInt32.max)))
            let offered = stream.pointee.avail_in
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.pieceSize) { room in
                stream.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
                stream.pointee.avail_out = UInt32(Self.pieceSize)
                // Once more behind a last block: only then it says that it was the last.
                repeat {
                    result = CZlib.inflate(stream, Z_BLOCK)
                } while result == Z_OK && stream.pointee.data_type & Self.isAtLastBlockEnd == Self.isAtLastBlockEnd
                return Self.pieceSize - Int(stream.pointee.avail_out)
            }
            return Int(offered - stream.pointee.avail_in)
        }
        (stream.pointee.next_in, stream.pointee.next_out) = (nil, nil)
        switch result {
        case Z_STREAM_END:
            hasEnded = true
            return .atStreamEnd
        // Z_BUF_ERROR: there was nothing to do.
        case Z_OK, Z_BUF_ERROR: return stream.pointee.data_type & Self.isAtBlockEnd != 0 ? .atBlockEnd : .paused
        case _: throw Damaged()
        }
    }

    /// Of `data_type`, after `Z_BLOCK`.
    private static let isAtBlockEnd: Int32 = 128
    private static let isAtLastBlockEnd: Int32 = 128 + 64
}
