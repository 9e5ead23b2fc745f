import Synchronization

/// How long something took, counted by ranges. Recording is two atomic additions and one more for the range.
package final class Histogram: Sendable {
    /// Seconds, ascending: the upper ends of all ranges but the last.
    package static let bounds: [Double] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]
    private static let nanoseconds: [Int64] = bounds.map { Int64($0 * 1e9) }

    /// One for each bound, and one for what took longer than all.
    private let counts = InlineArray<12, Atomic<UInt64>> { _ in Atomic(0) }
    /// Nanoseconds.
    private let total = Atomic<Int64>(0)

    package init() {}

    package func record(_ time: Duration) {
        let (seconds, attoseconds) = time.components
        // Beyond three centuries a count is all that is of interest.
        let nanoseconds = max(0, min(seconds, 1 << 33) * 1_000_000_000 + attoseconds / 1_000_000_000)
        let index = Self.nanoseconds.firstIndex { nanoseconds <= $0 } ?? Self.bounds.count
        counts[index].wrappingAdd(1, ordering: .relaxed)
        total.wrappingAdd(nanoseconds, ordering: .relaxed)
    }

    /// What was recorded so far.
    package var snapshot: (counts: [UInt64], seconds: Double) {
        let counts = (0...Self.bounds.count).map { self.counts[$0].load(ordering: .relaxed) }
        return (counts, Double(total.load(ordering: .relaxed)) / 1e9)
    }
}
