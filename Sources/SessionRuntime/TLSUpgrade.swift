import NIOCore
import NIOSSL
import TLSPolicy

/// The handlers of one server-side handshake, and the verdict on it: the same for a TLS port and for STARTTLS.
struct TLSUpgrade {
    private let observer = HelloObserver()
    private let handler: NIOSSLServerHandler
    private let offered: [String]

    init(_ tls: TLSContext, applicationProtocols: [String]) throws {
        handler = NIOSSLServerHandler(context: try tls.context(applicationProtocols: applicationProtocols))
        offered = applicationProtocols
    }

    /// Puts the handlers at the network's end of the pipeline, in one step: no byte passes between.
    func install(in pipeline: ChannelPipeline.SynchronousOperations) throws {
        try pipeline.addHandlers([observer, handler], position: .first)
    }

    /// The handshake is done: what was negotiated, or nil for a client that wanted another protocol.
    func verdict(negotiatedProtocol: String?) -> TLSDescription? {
        // A hello that was not understood may have asked for anything: an attacker can see to that.
        guard let wanted = observer.clientHello?.applicationProtocols else { return nil }
        guard wanted.isEmpty || negotiatedProtocol.map(offered.contains) == true else { return nil }
        return TLSInspector.describe(handler, applicationProtocol: negotiatedProtocol)
            ?? observer.describe(applicationProtocol: negotiatedProtocol)
    }

    /// The hellos have passed: the observer has nothing left to see.
    func removeObserver(from pipeline: ChannelPipeline.SynchronousOperations) {
        pipeline.removeHandler(observer, promise: nil)
    }
}
