/// How long and how often delivery is tried. Times are seconds.
package struct QueuePolicy: Sendable, Hashable {
    /// Between attempts; the last one again and again.
    package var retryDelays: [Int64] = [60, 120, 300, 600, 1200, 1800, 3600]
    /// By which part a delay is longer or shorter at most, so that what failed together does not come back together.
    package var jitter = 0.2
    /// How long a message waits before it is returned (RFC 5321 §4.5.4.1: at least four to five days).
    package var expiry: Int64 = 5 * 86_400
    /// How long a message waits before its sender is told of the delay; nil for never.
    package var delayNotice: Int64? = 4 * 3600
    /// Deliveries at a time, and to one destination.
    package var concurrency = 50
    package var perDestination = 5
    /// Octets of a message that a notice returns in full; of a larger one, and where the header is asked for, the header.
    package var returnedMessage = 1 << 20
    /// Of failures of which the sender cannot be told (RFC 3461 §5.2).
    package var tellsPostmaster = true
    /// Octets of a header that are returned.
    package var returnedHeader = 64 << 10

    package init() {}

    /// - Parameters:
    ///   - failures: in a row, at least 1.
    ///   - random: 0 to 1.
    package func retryDelay(failures: Int, random: Double) -> Int64 {
        guard !retryDelays.isEmpty else { return 60 }
        let base = retryDelays[min(max(failures, 1), retryDelays.count) - 1]
        let factor = 1 + jitter * (2 * random - 1)
        return max(1, Int64((Double(base) * factor).rounded()))
    }
}
