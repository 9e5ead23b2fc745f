import Glibc
package import Logging
package import MailVocabulary
package import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
package import WireFraming

/// Where a listener listens.
package struct ListenerAddress: Sendable, Hashable {
    /// An IP address: `127.0.0.1`, `::`, `0.0.0.0`.
    package var host: String
    /// 0 takes a free one.
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

/// An address cannot be listened on.
package struct ListenError: Error, Sendable {
    package var address: ListenerAddress
    /// `errno`; nil when the host's name could not be resolved.
    package var code: Int32?
}

package enum ListenerSecurity: Sendable {
    /// TLS from the first octet; the protocol's own greeting comes inside (RFC 8314 §3).
    case implicitTLS
    /// Plaintext until STARTTLS, before which nothing of value is permitted.
    case startTLS
    /// No TLS: for other programs of this machine. Only loopback addresses and UNIX sockets are listened on.
    case local
}

/// Event loops, listeners and the connections they accepted.
package final class ServerRuntime: Sendable {
    let group: MultiThreadedEventLoopGroup
    private let limits: RuntimeLimits
    private let counter: ConnectionCounter
    private let hostname: String
    private let tls: TLSContext
    private let logger: Logger
    private let listeners = Mutex<[any Channel]>([])
    private let sockets = Mutex<[UnixListener]>([])
    private let connections = ConnectionTable()
    package let measurements = RuntimeMeasurements()
    private let running = RunningWork()
    /// How long work that was cancelled may take to notice.
    private static let workTime = Duration.seconds(10)

    /// - Parameters:
    ///   - loops: threads that serve connections.
    ///   - hostname: this server's name in greetings and Received fields.
    package init(loops: Int, hostname: String, tls: TLSContext, limits: RuntimeLimits, logger: Logger) throws {
        group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        self.limits = limits
        self.hostname = hostname
        self.tls = tls
        self.logger = logger
        counter = ConnectionCounter(limits)
        if !TLSInspector.selfTest(try tls.context(applicationProtocols: [])) {
            logger.error("TLS details are read from the handshake messages: this build of NIOSSL hides its connection")
        }
    }

    /// Opens connections, of all listeners.
    package var openConnections: Int { counter.open }
    /// Connections that have not authenticated, and TLS handshakes in progress.
    package var strangers: (unauthenticated: Int, handshakes: Int) {
        let count = counter.snapshot
        return (count.unauthenticated, count.handshakes)
    }

    /// The loops that serve connections.
    package var eventLoops: any EventLoopGroup { group }

    /// Listens; returns the port. An IPv6 address, `::` too, is listened on for IPv6 alone. Throws `ListenError`.
    ///
    /// - Parameter proxies: networks of proxies, whose connections must begin with a PROXY header.
    package func listen<Session: ProtocolSession & ~Copyable, Service: SessionService>(
        on address: ListenerAddress, _ security: ListenerSecurity, _ service: Service, proxies: [NetworkPrefix] = [],
        makeSession: @escaping @Sendable (SessionContext) -> Session
    ) async throws -> Int where Session.Work == Service.Work, Session.Outcome == Service.Outcome {
        let bootstrap = bootstrap(security, service, proxies, makeSession: makeSession)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        let channel = try await bind(bootstrap, address, onlyLoopback: security == .local)
        listeners.withLock { $0.append(channel) }
        return channel.localAddress?.port ?? address.port
    }

    /// Takes connections from a socket that is bound already, by whoever started this process. It closes the socket.
    ///
    /// Throws `ListenError`; `EACCES` when a socket for `.local` is bound to an address that is not this machine's alone.
    package func listen<Session: ProtocolSession & ~Copyable, Service: SessionService>(
        on socket: BoundSocket, _ security: ListenerSecurity, _ service: Service, proxies: [NetworkPrefix] = [],
        makeSession: @escaping @Sendable (SessionContext) -> Session
    ) async throws where Session.Work == Service.Work, Session.Outcome == Service.Outcome {
        guard security != .local || socket.isOnlyLocal else {
            throw ListenError(address: ListenerAddress(host: socket.description, port: 0), code: EACCES)
        }
        var bootstrap = bootstrap(security, service, proxies, makeSession: makeSession)
        if socket.isInternet { bootstrap = bootstrap.childChannelOption(.tcpOption(.tcp_nodelay), value: 1) }
        do {
            let channel = try await bootstrap.withBoundSocket(socket.handOver()).get()
            listeners.withLock { $0.append(channel) }
        } catch {
            throw ListenError(
                address: ListenerAddress(host: socket.description, port: 0), code: (error as? IOError)?.errnoCode)
        }
    }

    /// Listens on a UNIX socket, without TLS. A socket that a dead process left is replaced; it goes when the server
    /// stops. Throws `UnixSocketError`.
    package func listen<Session: ProtocolSession & ~Copyable, Service: SessionService>(
        on address: UnixSocketAddress, _ service: Service,
        makeSession: @escaping @Sendable (SessionContext) -> Session
    ) async throws where Session.Work == Service.Work, Session.Outcome == Service.Outcome {
        let listener = try UnixListener(address)
        do {
            let channel = try await bootstrap(.local, service, [], makeSession: makeSession)
                .withBoundSocket(listener.handOver()).get()
            listeners.withLock { $0.append(channel) }
        } catch {
            listener.remove()
            throw UnixSocketError(path: address.path, code: (error as? IOError)?.errnoCode ?? 0)
        }
        sockets.withLock { $0.append(listener) }
    }

    private func bootstrap<Session: ProtocolSession & ~Copyable, Service: SessionService>(
        _ security: ListenerSecurity, _ service: Service, _ proxies: [NetworkPrefix],
        makeSession: @escaping @Sendable (SessionContext) -> Session
    ) -> ServerBootstrap where Session.Work == Service.Work, Session.Outcome == Service.Outcome {
        let acceptor = Acceptor(
            security: security, service: service, makeSession: makeSession, hostname: hostname, tls: tls,
            limits: limits, proxies: proxies, counter: counter, connections: connections, running: running,
            measurements: measurements, logger: logger)
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2048, maximum: 65536)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try acceptor.accept(channel) }
            }
    }

    private func bind(
        _ bootstrap: ServerBootstrap, _ address: ListenerAddress, onlyLoopback: Bool
    ) async throws -> any Channel {
        do {
            let socketAddress = try SocketAddress.makeAddressResolvingHost(address.host, port: address.port)
            guard !onlyLoopback || NetworkAddress(socketAddress.ipAddress ?? "")?.isLoopback == true else {
                throw ListenError(address: address, code: EACCES)
            }
            guard case .v6 = socketAddress else { return try await bootstrap.bind(to: socketAddress).get() }
            let onlyIPv6 = ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only)
            return try await bootstrap.serverChannelOption(onlyIPv6, value: 1).bind(to: socketAddress).get()
        } catch let error as ListenError {
            throw error
        } catch {
            throw ListenError(address: address, code: (error as? IOError)?.errnoCode)
        }
    }

    /// Stops listening, says goodbye to every session, waits up to `grace` for connections to end, then ends them.
    package func shutdown(grace: Duration) async {
        let open = listeners.withLock { listeners in
            defer { listeners = [] }
            return listeners
        }
        for listener in open { try? await listener.close() }
        for socket in sockets.withLock({ $0 }) { socket.remove() }
        connections.stopAll()
        let clock = ContinuousClock()
        let end = clock.now + grace
        while counter.open > 0, clock.now < end { try? await Task.sleep(for: .milliseconds(20)) }
        connections.closeAll()
        let last = clock.now + Self.workTime
        while !running.isIdle, clock.now < last { try? await Task.sleep(for: .milliseconds(20)) }
        try? await group.shutdownGracefully()
    }
}
