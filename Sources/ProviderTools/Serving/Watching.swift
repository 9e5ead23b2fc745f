import Logging
import MailStore
import SessionRuntime

/// Finds out, again and again, whether the server still works: every event loop comes round, and the store's writer
/// takes a turn. Only then is the service manager told that it lives, so that a server that hangs is started anew.
struct Watching: Sendable {
    private let task: Task<Void, Never>

    /// How often loops are looked at when no service manager asks.
    private static let interval = Duration.seconds(5)

    init(_ runtime: ServerRuntime, _ store: any MailStore, _ manager: ServiceManager, _ logger: Logger) {
        // Twice in the time after which it would be ended (sd_watchdog_enabled(3)).
        let interval = manager.watchdog.map { $0 / 2 } ?? Self.interval
        task = Task {
            while !Task.isCancelled {
                await runtime.probeLoops()
                if manager.watchdog != nil {
                    do {
                        try await store.probeWriter()
                        manager.alive()
                    } catch {
                        logger.error("the store cannot write", metadata: ["reason": "\(error)"])
                    }
                }
                try? await Task.sleep(for: interval)
            }
        }
    }

    func stop() { task.cancel() }
}
