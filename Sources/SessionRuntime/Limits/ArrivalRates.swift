import MailVocabulary

/// How many connections addresses may still open now: for each a bucket that fills up with time.
///
/// The buckets are a table of fixed size that addresses are hashed to, with a seed of this process's own: an attacker
/// with many addresses takes no memory, and a neighbour in a bucket of 65,536 is found by chance alone.
struct ArrivalRates {
    private struct Bucket {
        /// Connections taken and not yet forgotten.
        var taken: Float = 0
        /// Milliseconds, modulo 49 days.
        var time: UInt32 = 0
    }

    private static let size = 1 << 16
    /// Clients open several connections at once when they start.
    static let burst = 4.0

    private let perSecond: Double
    /// Made when the first address is counted.
    private var buckets: [Bucket] = []

    init(perSecond: Double) { self.perSecond = perSecond }

    /// False when the address must wait.
    ///
    /// - Parameter now: nanoseconds of a clock that only goes on.
    mutating func take(_ address: NetworkAddress, now: UInt64) -> Bool {
        if buckets.isEmpty { buckets = [Bucket](repeating: Bucket(), count: Self.size) }
        let index = address.hashValue & (Self.size - 1)
        let time = UInt32(truncatingIfNeeded: now / 1_000_000)
        let elapsed = Double(time &- buckets[index].time) / 1000
        let taken = max(0, Double(buckets[index].taken) - elapsed * perSecond)
        buckets[index].time = time
        buckets[index].taken = Float(taken)
        guard taken + 1 <= perSecond + Self.burst else { return false }
        buckets[index].taken = Float(taken + 1)
        return true
    }
}
