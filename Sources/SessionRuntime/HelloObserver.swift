import NIOCore
import TLSPolicy

/// Sits on the network's side of the TLS handler and reads copies of the plaintext hellos as they pass. It alone knows
/// which application protocols a client offered: NIOSSL completes the handshake when none matches, where RFC 7301 §3.2
/// wants a refusal. It is also the independent witness for what `TLSInspector` says, and answers when that cannot.
final class HelloObserver: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var fromClient = HandshakeCollector()
    private var fromServer = HandshakeCollector()
    private(set) var clientHello: ClientHello?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if clientHello == nil, !fromClient.isFinished {
            let buffer = unwrapInboundIn(data)
            fromClient.add(buffer.readableBytesUInt8Span)
            clientHello = ClientHello(fromClient)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if !fromServer.isFinished {
            let buffer = unwrapOutboundIn(data)
            fromServer.add(buffer.readableBytesUInt8Span)
        }
        context.write(data, promise: promise)
    }

    /// What the server's messages say was negotiated.
    func describe(applicationProtocol: String?) -> TLSDescription? {
        guard let choice = ServerChoice(fromServer) else { return nil }
        return TLSDescription(
            version: choice.version, cipherSuite: choice.cipherSuite, group: choice.group, isResumed: false,
            serverName: clientHello?.serverName, applicationProtocol: applicationProtocol)
    }
}
