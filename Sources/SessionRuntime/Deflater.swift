import CZlib
import NIOCore

/// Makes a raw DEFLATE stream (RFC 1951) of what a connection writes. Confined to its connection's loop.
final class Deflater {
    /// A window of 8 KiB and a table of 8 KiB entries: with zlib's own 38 KiB a compressed connection costs some
    /// 90 KiB, not 300, and mail compresses nearly as well.
    private static let windowBits: Int32 = -13
    private static let memoryLevel: Int32 = 6
    /// Of 1...9. Responses shrink to a quarter at any level; beyond this one each percent costs twice the time.
    private static let level: Int32 = 3
    /// A piece that shrank by less than this part of it (one in 32) is taken for the middle of an attachment that is
    /// compressed already.
    private static let worthwhile = 32
    /// So many pieces are then passed on as they are, before the next is tried: a message's end is not far.
    private static let piecesPassedOn = 7
    /// Octets below which a piece says nothing about what follows.
    private static let telling = 4 * 1024

    private let stream: UnsafeMutablePointer<z_stream>
    private var isStoring = false
    private var piecesToStore = 0

    /// Nil when there is no memory.
    init?() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = deflateInit2_(
            stream, Self.level, Z_DEFLATED, Self.windowBits, Self.memoryLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            stream.deallocate()
            return nil
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Appends the compressed form of a piece, all of it: the peer can read what it was given so far.
    func deflate(_ piece: UnsafeRawBufferPointer, into output: inout ByteBuffer) {
        let before = output.readableBytes
        setStoring(piecesToStore > 0, &output)
        stream.pointee.next_in = piece.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_in = UInt32(piece.count)
        pull(roomFor: piece.count, &output) { CZlib.deflate($0, Z_SYNC_FLUSH) }
        stream.pointee.next_in = nil
        if piecesToStore > 0 {
            piecesToStore -= 1
        } else if piece.count >= Self.telling {
            let saved = piece.count - (output.readableBytes - before)
            if saved < piece.count / Self.worthwhile { piecesToStore = Self.piecesPassedOn }
        }
    }

    private func setStoring(_ stores: Bool, _ output: inout ByteBuffer) {
        guard stores != isStoring else { return }
        isStoring = stores
        let level = stores ? 0 : Self.level
        pull(roomFor: 0, &output) { deflateParams($0, level, Z_DEFAULT_STRATEGY) }
    }

    /// Calls `produce` until it leaves room: all is out then.
    private func pull(
        roomFor octets: Int, _ output: inout ByteBuffer, _ produce: (UnsafeMutablePointer<z_stream>) -> Int32
    ) {
        let room = octets + octets / 1024 + 64
        repeat {
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { free in
                stream.pointee.next_out = free.bindMemory(to: UInt8.self).baseAddress
                stream.pointee.avail_out = UInt32(free.count)
                _ = produce(stream)
                return free.count - Int(stream.pointee.avail_out)
            }
        } while stream.pointee.avail_out == 0
        stream.pointee.next_out = nil
    }
}
