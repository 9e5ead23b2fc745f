import NIOCore
import NIOSSL
import Synchronization
package import TLSPolicy
package import WireFraming

/// How TLS is to come about on a connection.
package struct ClientTLS: Sendable {
    /// For SNI (RFC 6066 §3): a DNS name in A-labels; nil for a peer known by its address only.
    package var serverName: String?
    /// RFC 7301; empty to offer none.
    package var applicationProtocols: [String]
    /// Judges the certificates that the peer presents: DER, its own first. The only judge there is.
    package var verify: @Sendable (_ chain: [[UInt8]]) async -> PeerVerdict

    package init(
        serverName: String?, applicationProtocols: [String] = [],
        verify: @escaping @Sendable (_ chain: [[UInt8]]) async -> PeerVerdict
    ) {
        self.serverName = serverName
        self.applicationProtocols = applicationProtocols
        self.verify = verify
    }
}

/// What a handshake led to.
package struct SecuredPeer: Sendable, Hashable {
    package var tls: TLSDescription
    /// Never `refused`: that is an error.
    package var verdict: PeerVerdict

    package init(tls: TLSDescription, verdict: PeerVerdict) {
        (self.tls, self.verdict) = (tls, verdict)
    }
}

/// A connection that this program opened. Errors are `ClientConnectionError`; after one, and when a task that waits on
/// it is cancelled, it is closed.
package final class ClientConnection: ByteStream {
    /// Octets that are kept unread; the peer's sending waits meanwhile.
    package static let inputLimit = 64 * 1024

    package let peer: StreamAddress
    /// This side's IP address, nil on a UNIX socket.
    package let localAddress: String?
    private let channel: any Channel
    private let runtime: ClientRuntime
    private let handler: NIOLoopBound<ClientHandler>
    private let state: ClientConnectionState
    private let patience: Mutex<Duration>

    init(_ channel: any Channel, runtime: ClientRuntime, peer: StreamAddress, timeout: Duration) async throws {
        self.channel = channel
        self.runtime = runtime
        self.peer = peer
        localAddress = channel.localAddress?.ipAddress
        patience = Mutex(timeout)
        (handler, state) = try await channel.eventLoop.submit {
            let handler = try channel.pipeline.syncOperations.handler(type: ClientHandler.self)
            return (NIOLoopBound(handler, eventLoop: channel.eventLoop), handler.state)
        }.get()
    }

    deinit { if state.isOpen, !runtime.isShutDown { channel.close(mode: .all, promise: nil) } }

    /// For each read and write from here on.
    package var timeout: Duration {
        get { patience.withLock { $0 } }
        set { patience.withLock { $0 = newValue } }
    }

    /// Open, and nothing has come that was not read: what a connection must be to be used again.
    package var isQuiet: Bool { state.isQuiet }

    package func write(_ bytes: [UInt8]) async throws {
        let limit = TimeAmount(timeout)
        try await wait { handler, promise in handler.write(bytes, within: limit, promise) }
    }

    package func read() async throws -> [UInt8]? {
        let limit = TimeAmount(timeout)
        return try await wait { handler, promise in handler.read(within: limit, promise) }
    }

    /// The handshake: at once on a TLS port, or when the peer has agreed to STARTTLS. Cleartext that has come and was
    /// not read is an error, since nothing may stand between the two.
    ///
    /// - Parameter within: for the whole of it, verification included.
    package func startTLS(_ request: ClientTLS, within limit: Duration) async throws -> SecuredPeer {
        let runtime = runtime
        let amount = TimeAmount(limit)
        return try await wait { handler, promise in
            handler.startTLS(request, runtime, within: amount, promise)
        }
    }

    /// Inside TLS with close_notify; waits no longer than a moment for the peer's.
    package func close() {
        guard state.isOpen, !runtime.isShutDown else { return }
        let handler = handler
        channel.eventLoop.execute { handler.value.end(.closed(reason: "closed on this side")) }
    }

    /// Does something on the loop that completes the promise; closes the connection when the task is cancelled.
    private func wait<R: Sendable>(
        _ body: @escaping @Sendable (ClientHandler, EventLoopPromise<R>) -> Void
    ) async throws -> R {
        // A loop that has ended would never do what is asked.
        guard !runtime.isShutDown else { throw ClientConnectionError.closed(reason: "closed") }
        let promise = channel.eventLoop.makePromise(of: R.self)
        let handler = handler
        channel.eventLoop.execute { body(handler.value, promise) }
        return try await withTaskCancellationHandler {
            try await promise.futureResult.get()
        } onCancel: {
            close()
        }
    }
}

/// What is known of a connection off its loop.
final class ClientConnectionState: Sendable {
    private let open = Atomic(true)
    private let unread = Atomic(false)

    var isOpen: Bool { open.load(ordering: .acquiring) }
    var isQuiet: Bool { isOpen && !unread.load(ordering: .acquiring) }
    func close() { open.store(false, ordering: .releasing) }
    func setUnread(_ value: Bool) { unread.store(value, ordering: .releasing) }
}
