/// Encoded summaries in the order they were asked for, one behind the other: a listing reads a hundred thousand.
package struct PackedSummaries: Sendable, RandomAccessCollection {
    private var octets: [UInt8] = []
    /// Where each ends; negative, less one, for a body that is gone.
    private var ends: [Int] = []

    package init() {}

    package var startIndex: Int { 0 }
    package var endIndex: Int { ends.count }
    /// Of all of them.
    package var octetCount: Int { octets.count }

    /// Nil for a body that is gone.
    package subscript(index: Int) -> ArraySlice<UInt8>? {
        let end = ends[index]
        guard end >= 0 else { return nil }
        return octets[(index == 0 ? 0 : position(behind: index - 1))..<end]
    }

    private func position(behind index: Int) -> Int { ends[index] >= 0 ? ends[index] : -1 - ends[index] }

    package mutating func append(_ summary: some Collection<UInt8>) {
        octets.append(contentsOf: summary)
        ends.append(octets.count)
    }

    package mutating func appendGone() { ends.append(-1 - octets.count) }

    /// - Parameter count: summaries that are expected, of the size that most have.
    package mutating func reserveCapacity(_ count: Int) {
        ends.reserveCapacity(count)
        octets.reserveCapacity(count * 512)
    }

    /// Each by itself, for those who keep it.
    package var arrays: [[UInt8]?] { map { $0.map { Array($0) } } }
}
