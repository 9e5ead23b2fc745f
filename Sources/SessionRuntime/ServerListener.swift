import Glibc
package import NIOCore
import NIOPosix
import Synchronization

/// Accepts connections for a protocol whose pipeline others make, such as HTTP.
package final class ServerListener: Sendable {
    package enum Place: Sendable {
        case address(ListenerAddress)
        /// A listening socket of another program's; it is duplicated, and stays open.
        case descriptor(Int32)
    }

    private let channel: any Channel
    private let running: Task<Void, Never>

    private init(channel: any Channel, running: Task<Void, Never>) {
        self.channel = channel
        self.running = running
    }

    /// The port; nil for a socket that has none.
    package var port: Int? { channel.localAddress?.port }

    /// Listens until `stop`. Throws `ListenError`.
    ///
    /// - Parameters:
    ///   - maximumConnections: at a time; further ones are closed at once.
    ///   - prepare: makes a connection's pipeline, on its event loop.
    ///   - serve: until the connection is over. Cancelled by `stop`.
    package static func listen<Connection: Sendable>(
        on place: Place, maximumConnections: Int,
        prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Connection>,
        serve: @escaping @Sendable (Connection) async -> Void
    ) async throws -> ServerListener {
        let count = Shared()
        let accepting = try await bind(place) { channel -> EventLoopFuture<Connection> in
            guard count.value.add(1, ordering: .relaxed).newValue <= maximumConnections else {
                count.value.subtract(1, ordering: .relaxed)
                return channel.close().flatMap { channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel) }
            }
            channel.closeFuture.whenComplete { _ in count.value.subtract(1, ordering: .relaxed) }
            return prepare(channel)
        }
        let running = Task<Void, Never> {
            await withDiscardingTaskGroup(returning: Void.self) { group in
                // A listener that fails is over; what it accepted goes on to its end.
                try? await accepting.executeThenClose { connections in
                    for try await connection in connections { group.addTask { await serve(connection) } }
                }
            }
        }
        return ServerListener(channel: accepting.channel, running: running)
    }

    package func stop() async {
        running.cancel()
        try? await channel.close()
        await running.value
    }

    private static func bind<Connection: Sendable>(
        _ place: Place, _ prepare: @escaping @Sendable (any Channel) -> EventLoopFuture<Connection>
    ) async throws -> NIOAsyncChannel<Connection, Never> {
        let bootstrap = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
        switch place {
        case .descriptor(let descriptor):
            let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
            guard own >= 0 else { throw ListenError(address: ListenerAddress(host: "*", port: 0), code: errno) }
            return try await bootstrap.bind(own, childChannelInitializer: prepare)
        case .address(let address):
            do {
                let socketAddress = try SocketAddress.makeAddressResolvingHost(address.host, port: address.port)
                guard case .v6 = socketAddress else {
                    return try await bootstrap.bind(to: socketAddress, childChannelInitializer: prepare)
                }
                let onlyIPv6 = ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only)
                return try await bootstrap.serverChannelOption(onlyIPv6, value: 1)
                    .bind(to: socketAddress, childChannelInitializer: prepare)
            } catch {
                throw ListenError(address: address, code: (error as? IOError)?.errnoCode)
            }
        }
    }
}

/// An atomic that several closures share.
private final class Shared: Sendable {
    let value = Atomic(0)
}
