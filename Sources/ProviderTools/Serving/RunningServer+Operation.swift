import Foundation
import Logging
import SessionRuntime
import Synchronization

extension RunningServer {
    /// Listens on sockets that are bound already. Throws `OperatorError`.
    package func listen(on sockets: ListeningSockets) async throws(OperatorError) {
        for (use, socket) in sockets.sockets {
            do { try await services.listen(use, on: socket, runtime) } catch let error as ListenError {
                throw RunningServer.explain(error, use.name, error.address.host, socket.port)
            } catch {
                throw OperatorError(.osError, "\(use.name): cannot listen on \(socket): \(error)")
            }
            logger.info("listening", metadata: ["service": "\(use.name)", "socket": "\(socket)"])
        }
    }

    /// Starts what operates the server besides: metrics, if they are configured, and the watch over it all. Throws
    /// `OperatorError`.
    package func startOperation(
        _ configuration: OperationConfiguration, _ manager: ServiceManager
    ) async throws(OperatorError) {
        let report = MetricsReport(runtime: runtime, tls: tls, relaying: relaying, store: store, started: Date())
        for endpoint in configuration.metrics {
            let host = endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host ?? "127.0.0.1"
            guard Endpoint(host: host, port: endpoint.port).isLoopback else {
                throw OperatorError(.configuration, "metrics.listen: \(endpoint) is no loopback address")
            }
            do {
                let server = try await MetricsServer(
                    host: host, port: endpoint.port, loops: runtime.eventLoops, logger: logger
                ) { await report.text() }
                operation.add { await server.stop() }
            } catch {
                throw OperatorError(.portInUse, "metrics: cannot listen on \(endpoint): \(error)")
            }
        }
        let watching = Watching(runtime, store, manager, logger)
        operation.add { watching.stop() }
    }
}

/// What is to be stopped with the server.
package final class RunningOperation: Sendable {
    private let stops = Mutex<[@Sendable () async -> Void]>([])

    package init() {}

    func add(_ stop: @escaping @Sendable () async -> Void) { stops.withLock { $0.append(stop) } }

    func stop() async {
        let all = stops.withLock { stops in
            defer { stops = [] }
            return stops
        }
        for stop in all { await stop() }
    }
}
