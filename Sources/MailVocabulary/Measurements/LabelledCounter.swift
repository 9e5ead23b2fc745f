import Synchronization

/// Counts events by a few words each, such as service and result: for events that cost more than a lock.
package final class LabelledCounter: Sendable {
    /// What stands for everything beyond the limit.
    package static let other = "other"

    package let labels: [String]
    private let limit: Int
    private let counts = Mutex<[[String]: UInt64]>([:])

    /// - Parameter limit: combinations counted by themselves; what words come from outside must not fill memory.
    package init(labels: [String], limit: Int = 256) {
        self.labels = labels
        self.limit = limit
    }

    /// - Parameter values: one for each label.
    package func increment(_ values: [String]) {
        counts.withLock { counts in
            if counts[values] == nil, counts.count >= limit {
                counts[[String](repeating: Self.other, count: labels.count), default: 0] &+= 1
            } else {
                counts[values, default: 0] &+= 1
            }
        }
    }

    package var snapshot: [[String]: UInt64] { counts.withLock { $0 } }
}
