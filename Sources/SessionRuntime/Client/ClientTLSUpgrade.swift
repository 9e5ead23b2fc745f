import NIOCore
import NIOSSL
import Synchronization
import TLSPolicy

/// The handlers of one client-side handshake, and what it led to.
struct ClientTLSUpgrade {
    private let observer = HelloObserver(side: .client)
    private let handler: NIOSSLClientHandler
    private let request: ClientTLS
    private let judgement: Judgement

    /// What the verifier said, for the loop to read when the handshake is over.
    private final class Judgement: Sendable {
        private let verdict = Mutex<PeerVerdict?>(nil)
        var value: PeerVerdict? { verdict.withLock { $0 } }
        func set(_ new: PeerVerdict) { verdict.withLock { $0 = new } }
    }

    init(_ request: ClientTLS, _ runtime: ClientRuntime) throws {
        let judgement = Judgement()
        let verify = request.verify
        self.judgement = judgement
        self.request = request
        handler = try NIOSSLClientHandler(
            context: try runtime.context(applicationProtocols: request.applicationProtocols),
            serverHostname: request.serverName,
            customVerificationCallback: { certificates, promise in
                let chain = certificates.compactMap { try? $0.toDERBytes() }
                guard chain.count == certificates.count else {
                    judgement.set(.refused(PeerRefusal(.malformed, "a certificate cannot be read")))
                    return promise.succeed(.failed)
                }
                Task {
                    let verdict = await verify(chain)
                    judgement.set(verdict)
                    if case .refused = verdict {
                        promise.succeed(.failed)
                    } else {
                        promise.succeed(.certificateVerified)
                    }
                }
            })
    }

    /// Puts the handlers at the network's end of the pipeline, in one step: no byte passes between.
    func install(in pipeline: ChannelPipeline.SynchronousOperations) throws {
        try pipeline.addHandlers([observer, handler], position: .first)
    }

    /// Why the peer's certificates were refused, when they were.
    var refusal: PeerRefusal? {
        if case .refused(let refusal)? = judgement.value { refusal } else { nil }
    }

    /// The handshake is done. Throws when nobody judged the peer, which no way through NIOSSL should lead to.
    func result(
        negotiatedProtocol: String?, in pipeline: ChannelPipeline.SynchronousOperations
    ) throws -> SecuredPeer {
        pipeline.removeHandler(observer, promise: nil)
        guard let verdict = judgement.value, refusal == nil else {
            throw ClientConnectionError.handshakeFailed(reason: "the peer's certificates were not judged")
        }
        guard
            var tls = TLSInspector.describe(handler, applicationProtocol: negotiatedProtocol)
                ?? observer.describe(applicationProtocol: negotiatedProtocol)
        else { throw ClientConnectionError.handshakeFailed(reason: "it is not known what was negotiated") }
        tls.serverName = request.serverName
        return SecuredPeer(tls: tls, verdict: verdict)
    }
}
