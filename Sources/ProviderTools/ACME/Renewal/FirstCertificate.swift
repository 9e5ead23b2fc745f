package import Logging

extension CertificateManager {
    /// Between looks at whether it is there, or nobody wants it any more.
    private static let pause = Duration.milliseconds(100)

    /// Waits until there is a certificate to serve with; `run` gets it. False when the server is to stop first.
    package nonisolated func waitForFirst(
        logger: Logger, orUntil isStopping: @escaping @Sendable () -> Bool
    ) async -> Bool {
        guard !hasDefault else { return true }
        logger.notice(
            "mail is served as soon as there is a certificate", metadata: ["name": "\(certificates[0].name)"])
        while !hasDefault {
            guard !isStopping() else { return false }
            try? await Task.sleep(for: Self.pause)
        }
        return true
    }
}
