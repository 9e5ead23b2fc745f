import NIOCore
import WireFraming

extension SessionHandler where Session: ~Copyable {
    /// Writes everything appended so far, in pieces: the TLS handler keeps its largest buffer for the connection's
    /// life.
    func write(_ context: ChannelHandlerContext) {
        guard !output.bytes.isEmpty else { return }
        let bytes = output.bytes.take()
        var start = 0
        while start < bytes.count {
            let end = min(start + productionChunk, bytes.count)
            var buffer = context.channel.allocator.buffer(capacity: end - start)
            if let deflater {
                bytes[start..<end].withUnsafeBytes { deflater.deflate($0, into: &buffer) }
            } else {
                buffer.writeBytes(bytes[start..<end])
            }
            let isLast = end == bytes.count
            let promise = isLast ? context.eventLoop.makePromise(of: Void.self) : nil
            context.writeAndFlush(wrapOutboundOut(buffer), promise: promise)
            if isLast { lastWrite = promise?.futureResult }
            start = end
        }
    }

    /// Copies a small rest out of the network's buffer, and lets that go: an idle connection owns no input buffer.
    func compactInput(_ context: ChannelHandlerContext) {
        guard input.readerIndex > 0 else { return }
        if input.readableBytes == 0 {
            input = ByteBuffer()
        } else if input.readableBytes < input.storageCapacity / 2 {
            var compact = context.channel.allocator.buffer(capacity: input.readableBytes)
            compact.writeBuffer(&input)
            input = compact
        }
    }
}
