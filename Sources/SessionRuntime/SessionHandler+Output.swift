import NIOCore
import WireFraming

extension SessionHandler where Session: ~Copyable {
    /// Writes everything appended so far, in buffers of one size: the TLS handler keeps its largest for the
    /// connection's life. This is the one place where the octets of an answer are copied on their way to TLS.
    func write(_ context: ChannelHandlerContext) {
        guard !output.bytes.isEmpty else { return }
        var left = output.bytes.count
        var buffer = context.channel.allocator.buffer(capacity: min(left, productionChunk))
        for piece in output.bytes.takePieces() {
            var rest = piece
            while !rest.isEmpty {
                let part = rest.prefix(productionChunk - buffer.readableBytes)
                buffer.writeBytes(part)
                rest = rest.dropFirst(part.count)
                left -= part.count
                guard buffer.readableBytes == productionChunk || left == 0 else { continue }
                flush(buffer, isLast: left == 0, context)
                if left > 0 { buffer = context.channel.allocator.buffer(capacity: min(left, productionChunk)) }
            }
        }
    }

    private func flush(_ buffer: ByteBuffer, isLast: Bool, _ context: ChannelHandlerContext) {
        var buffer = buffer
        if let deflater {
            var compressed = context.channel.allocator.buffer(capacity: buffer.readableBytes / 2)
            buffer.withUnsafeReadableBytes { deflater.deflate($0, into: &compressed) }
            buffer = compressed
        }
        let promise = isLast ? context.eventLoop.makePromise(of: Void.self) : nil
        context.writeAndFlush(wrapOutboundOut(buffer), promise: promise)
        if isLast { lastWrite = promise?.futureResult }
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
