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

    /// Whose end of the connection this is.
    enum Side {
        case client
        case server
    }

    private let side: Side
    private var fromClient = HandshakeCollector()
    private var fromServer = HandshakeCollector()
    private(set) var clientHello: ClientHello?

    init(side: Side = .server) { self.side = side }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        note(buffer.readableBytesUInt8Span, isClients: side == .server)
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let buffer = unwrapOutboundIn(data)
        note(buffer.readableBytesUInt8Span, isClients: side == .client)
        context.write(data, promise: promise)
    }

    private func note(_ bytes: Span<UInt8>, isClients: Bool) {
        if !isClients {
            fromServer.add(bytes)
        } else if clientHello == nil {
            fromClient.add(bytes)
            clientHello = ClientHello(fromClient)
        }
    }

    /// What the server's messages say was negotiated.
    func describe(applicationProtocol: String?) -> TLSDescription? {
        guard let choice = ServerChoice(fromServer) else { return nil }
        return TLSDescription(
            version: choice.version, cipherSuite: choice.cipherSuite, group: choice.group, isResumed: false,
            serverName: clientHello?.serverName, applicationProtocol: applicationProtocol)
    }
}
