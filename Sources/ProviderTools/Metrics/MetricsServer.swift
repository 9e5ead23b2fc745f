import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Answers `GET /metrics` over HTTP on a loopback address.
struct MetricsServer: Sendable {
    private let running: Task<Void, any Error>

    /// More than one Prometheus needs.
    private static let maximumConnections = 16

    /// Listens. Throws when it cannot.
    init(
        host: String, port: Int, loops: any EventLoopGroup, logger: Logger,
        report: @escaping @Sendable () async -> String
    ) async throws {
        let router = Router()
        // As text/plain, which is what the exposition format is.
        router.get("/metrics") { _, _ in await report() }
        // What it says of its own is of no interest.
        var quiet = logger
        quiet.logLevel = .critical
        let (bound, continuation) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(Self.maximumConnections)),
            onServerRunning: { channel in
                continuation.yield(channel.localAddress?.port ?? port)
                continuation.finish()
            },
            eventLoopGroupProvider: .shared(loops), logger: quiet)
        running = Task {
            defer { continuation.finish() }
            try await application.run()
        }
        var boundPort: Int?
        for await number in bound { boundPort = number }
        guard let boundPort else {
            try await running.value
            throw CancellationError()
        }
        logger.info("listening", metadata: ["service": "metrics", "address": "\(host)", "port": "\(boundPort)"])
    }

    func stop() async {
        running.cancel()
        _ = await running.result
    }
}
