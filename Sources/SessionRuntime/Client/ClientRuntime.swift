import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
package import TLSPolicy
package import WireFraming

/// Why a connection that this program opens does not come about, or is of no more use.
package enum ClientConnectionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// No address of the peer's took the connection; the reason is for the log.
    case unreachable(reason: String)
    /// Nothing happened for as long as was allowed. The connection is closed.
    case timeout
    /// It was closed on this side, or broke; the reason is for the log.
    case closed(reason: String)
    /// Octets came in cleartext where the handshake should begin: someone between writes into the dialogue.
    case injectedBytes
    /// There is no common version or suite, or what came was no TLS; the reason is for the log.
    case handshakeFailed(reason: String)
    /// The peer's certificates do not prove what was asked for.
    case unverified(PeerRefusal)

    package var description: String {
        switch self {
        case .unreachable(let reason), .closed(let reason): reason
        case .timeout: "no answer in time"
        case .injectedBytes: "octets in cleartext where TLS should begin"
        case .handshakeFailed(let reason): "the TLS handshake failed: \(reason)"
        case .unverified(let refusal): refusal.reason
        }
    }
}

/// Event loops for the connections that this program opens.
package final class ClientRuntime: ByteStreamConnector {
    let group: any EventLoopGroup
    private let ownsGroup: Bool
    private let hasShutDown = Atomic(false)
    /// One for each list of application protocols: that is a property of a context.
    private let contexts = Mutex<[[String]: NIOSSLContext]>([:])

    /// - Parameter loops: threads that serve connections.
    package init(loops: Int) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        ownsGroup = true
    }

    /// On the loops of a server, which must shut down last.
    package init(sharing server: ServerRuntime) {
        group = server.group
        ownsGroup = false
    }

    /// Opens a connection in cleartext.
    ///
    /// - Parameters:
    ///   - source: this side's IP address; passed over when it is of another family than the peer's.
    ///   - timeout: for the connection to come about; then for each read and write, until `timeout` is set otherwise.
    package func open(
        _ address: StreamAddress, from source: String? = nil, timeout: Duration
    ) async throws(ClientConnectionError) -> ClientConnection {
        guard !isShutDown else { throw .closed(reason: "this program is stopping") }
        let peer: SocketAddress
        do { peer = try address.socketAddress } catch { throw .unreachable(reason: "\(address.text) is no address") }
        var bootstrap = ClientBootstrap(group: group)
            .connectTimeout(TimeAmount(timeout))
            .channelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2048, maximum: 65536)
            )
            // Otherwise it goes on reading, however much is unread.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ClientHandler())
                }
            }
        if peer.protocol != .unix { bootstrap = bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1) }
        if let source, let local = try? SocketAddress(ipAddress: source, port: 0), local.protocol == peer.protocol {
            bootstrap = bootstrap.bind(to: local)
        }
        let channel = try await connected(bootstrap.connect(to: peer), address)
        do {
            return try await ClientConnection(channel, runtime: self, peer: address, timeout: timeout)
        } catch {
            throw .unreachable(reason: "\(address.text): it was closed at once")
        }
    }

    package func connect(to address: StreamAddress, timeout: Duration) async throws -> any ByteStream {
        try await open(address, timeout: timeout)
    }

    /// A connection that comes about after its task was cancelled is closed.
    private func connected(
        _ opened: EventLoopFuture<any Channel>, _ address: StreamAddress
    ) async throws(ClientConnectionError) -> any Channel {
        let first = opened.eventLoop.makePromise(of: (any Channel).self)
        let isCancelled = Atomic(false)
        opened.whenSuccess { channel in
            if isCancelled.load(ordering: .acquiring) { channel.close(promise: nil) }
        }
        opened.cascade(to: first)
        do {
            return try await withTaskCancellationHandler {
                try await first.futureResult.get()
            } onCancel: {
                isCancelled.store(true, ordering: .releasing)
                first.fail(CancellationError())
            }
        } catch is CancellationError {
            throw .closed(reason: "given up")
        } catch ChannelError.connectTimeout {
            throw .timeout
        } catch {
            throw .unreachable(reason: "\(address.text): \(describeFailure(error))")
        }
    }

    func context(applicationProtocols: [String]) throws -> NIOSSLContext {
        try contexts.withLock { contexts in
            if let context = contexts[applicationProtocols] { return context }
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.minimumTLSVersion = .tlsv12
            configuration.cipherSuiteValues = TLSContext.cipherSuites
            configuration.curves = TLSContext.groups
            // Verification is a callback's, which this value does not switch off; no trust store is read for it.
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates([])
            configuration.applicationProtocols = applicationProtocols
            configuration.shutdownTimeout = TLSContext.shutdownTimeout
            let context = try NIOSSLContext(configuration: configuration)
            contexts[applicationProtocols] = context
            return context
        }
    }

    var isShutDown: Bool { hasShutDown.load(ordering: .acquiring) }

    /// No connection can be used from here on. Ends all that are on loops of its own; on a server's loops, to be called
    /// before the server shuts down.
    package func shutdown() async {
        hasShutDown.store(true, ordering: .releasing)
        if ownsGroup { try? await group.shutdownGracefully() }
    }
}

extension StreamAddress {
    /// As in logs: `192.0.2.1:25`, `[2001:db8::1]:25`, `/run/lmtp`.
    package var text: String {
        switch self {
        case .internet(let address, let port): address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
        case .local(let path): path
        }
    }

    fileprivate var socketAddress: SocketAddress {
        get throws {
            switch self {
            case .internet(let address, let port): try SocketAddress(ipAddress: address, port: port)
            case .local(let path): try SocketAddress(unixDomainSocketPath: path)
            }
        }
    }
}
