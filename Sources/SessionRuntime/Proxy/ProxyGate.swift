import Logging
import MailVocabulary
import NIOCore
import WireFraming

/// The first handler of a connection from a proxy: takes the PROXY header, without which nothing is let through, then
/// makes way for what the connection is, TLS or session.
final class ProxyGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let time: TimeAmount
    private let log: ConnectionLog
    private let admit: (ChannelHandlerContext, ProxyHeader) throws -> Void
    private var input = ByteBuffer()
    private var isDone = false
    private var deadline: Scheduled<Void>?

    /// - Parameter admit: adds the connection's handlers to the pipeline.
    init(
        time: TimeAmount, log: ConnectionLog,
        admit: @escaping (ChannelHandlerContext, ProxyHeader) throws -> Void
    ) {
        self.time = time
        self.log = log
        self.admit = admit
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = NIOLoopBound(context.channel, eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: time) { [log] in
            log.refused("no PROXY header in time")
            channel.value.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDone else { return }
        var more = unwrapInboundIn(data)
        input.writeBuffer(&more)
        // A read brings 64 KiB at most, and a header is complete or too long before that.
        switch ProxyHeader.read(input.readableBytesUInt8Span) {
        case .incomplete: break
        case .malformed(let reason):
            log.refused(reason)
            isDone = true
            context.close(promise: nil)
        case .header(let header, let length):
            isDone = true
            input.moveReaderIndex(forwardBy: length)
            makeWay(header, context)
        }
    }

    private func makeWay(_ header: ProxyHeader, _ context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        do { try admit(context, header) } catch { return context.close(promise: nil) }
        pipeline.removeHandler(context: context, promise: nil)
        guard input.readableBytes > 0 else { return }
        // From the beginning: TLS, if there is any, stands before this handler's place.
        pipeline.fireChannelRead(NIOAny(input))
        pipeline.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        log.logger.debug("connection failed", metadata: ["reason": "\(describeFailure(error))"])
        context.close(promise: nil)
    }
}
