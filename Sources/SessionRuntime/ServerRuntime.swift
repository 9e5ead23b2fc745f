package import Logging
import NIOCore
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

package enum ListenerSecurity: Sendable {
    /// TLS from the first octet; the protocol's own greeting comes inside (RFC 8314 §3).
    case implicitTLS
    /// Plaintext until STARTTLS, before which nothing of value is permitted.
    case startTLS
}

/// Event loops, listeners and the connections they accepted.
package final class ServerRuntime: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let limits: RuntimeLimits
    private let counter: ConnectionCounter
    private let hostname: String
    private let tls: TLSContext
    private let logger: Logger
    private let listeners = Mutex<[any Channel]>([])
    private let connections = ConnectionTable()

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

    /// Listens; returns the port. Throws when the address cannot be bound.
    package func listen<Session: ProtocolSession & ~Copyable, Service: SessionService>(
        on address: ListenerAddress, _ security: ListenerSecurity, _ service: Service,
        makeSession: @escaping @Sendable (SessionContext) -> Session
    ) async throws -> Int where Session.Work == Service.Work, Session.Outcome == Service.Outcome {
        let acceptor = Acceptor(
            security: security, service: service, makeSession: makeSession, hostname: hostname, tls: tls,
            limits: limits, counter: counter, connections: connections, logger: logger)
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2048, maximum: 65536)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try acceptor.accept(channel) }
            }
            .bind(host: address.host, port: address.port).get()
        listeners.withLock { $0.append(channel) }
        return channel.localAddress?.port ?? address.port
    }

    /// Stops listening, says goodbye to every session, waits up to `grace` for connections to end, then ends them.
    package func shutdown(grace: Duration) async {
        let open = listeners.withLock { listeners in
            defer { listeners = [] }
            return listeners
        }
        for listener in open { try? await listener.close() }
        connections.stopAll()
        let clock = ContinuousClock()
        let end = clock.now + grace
        while counter.open > 0, clock.now < end { try? await Task.sleep(for: .milliseconds(20)) }
        try? await group.shutdownGracefully()
    }
}
