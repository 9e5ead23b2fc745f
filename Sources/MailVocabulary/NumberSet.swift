/// A set of message numbers (UIDs or sequence numbers), kept as ascending, disjoint, non-adjacent closed ranges:
/// `1:*` of a million messages is one range.
package struct NumberSet: Sendable, Hashable {
    /// Ascending; no two touch or overlap.
    package private(set) var ranges: [ClosedRange<UInt32>]

    package init() { ranges = [] }

    package init(_ range: ClosedRange<UInt32>) { ranges = [range] }

    /// Ranges in any order, overlapping or not.
    package init(_ unordered: some Sequence<ClosedRange<UInt32>>) {
        ranges = []
        var sorted = Array(unordered)
        sorted.sort { $0.lowerBound < $1.lowerBound }
        for range in sorted { appendAscending(range) }
    }

    package init(numbers: some Sequence<UInt32>) {
        var sorted = Array(numbers)
        sorted.sort()
        self.init(ascending: sorted)
    }

    /// Numbers in ascending order: no sorting. An array, as there may be a million: code for any sequence takes ten
    /// times as long.
    package init(ascending numbers: [UInt32]) {
        ranges = []
        guard var low = numbers.first else { return }
        var high = low
        for number in numbers {
            // Also when a number stands twice.
            if UInt64(number) > UInt64(high) + 1 {
                ranges.append(low...high)
                low = number
            }
            high = Swift.max(high, number)
        }
        ranges.append(low...high)
    }

    /// Ranges in ascending order: no sorting.
    package init(ascending ordered: [ClosedRange<UInt32>]) {
        ranges = []
        ranges.reserveCapacity(ordered.count)
        for range in ordered { appendAscending(range) }
    }

    package var isEmpty: Bool { ranges.isEmpty }

    /// How many numbers are in the set.
    package var count: Int { ranges.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) + 1 } }

    package var min: UInt32? { ranges.first?.lowerBound }
    package var max: UInt32? { ranges.last?.upperBound }

    package func contains(_ number: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            let range = ranges[middle]
            if number < range.lowerBound {
                high = middle
            } else if number > range.upperBound {
                low = middle + 1
            } else {
                return true
            }
        }
        return false
    }

    /// Adds a range whose lower bound is not below that of any range already in.
    package mutating func appendAscending(_ range: ClosedRange<UInt32>) {
        guard let last = ranges.last, UInt64(last.upperBound) + 1 >= UInt64(range.lowerBound) else {
            ranges.append(range)
            return
        }
        ranges[ranges.count - 1] = last.lowerBound...Swift.max(last.upperBound, range.upperBound)
    }

    /// Adds a number that is not below any number already in; the way to build a set from ascending rows.
    package mutating func appendAscending(_ number: UInt32) {
        appendAscending(number...number)
    }

    package func intersection(_ other: NumberSet) -> NumberSet {
        var result = NumberSet()
        var (i, j) = (0, 0)
        while i < ranges.count, j < other.ranges.count {
            let (a, b) = (ranges[i], other.ranges[j])
            let low = Swift.max(a.lowerBound, b.lowerBound)
            let high = Swift.min(a.upperBound, b.upperBound)
            if low <= high { result.appendAscending(low...high) }
            if a.upperBound < b.upperBound { i += 1 } else { j += 1 }
        }
        return result
    }

    package func union(_ other: NumberSet) -> NumberSet { NumberSet(ranges + other.ranges) }

    /// The numbers that are not in the other set.
    package func subtracting(_ other: NumberSet) -> NumberSet {
        var result = NumberSet()
        var next = 0
        for range in ranges {
            // In 64 bits: the number behind the last one has to be told.
            var low = UInt64(range.lowerBound)
            let high = UInt64(range.upperBound)
            while next < other.ranges.count, UInt64(other.ranges[next].upperBound) < low { next += 1 }
            var cut = next
            while low <= high, cut < other.ranges.count, UInt64(other.ranges[cut].lowerBound) <= high {
                let taken = other.ranges[cut]
                if UInt64(taken.lowerBound) > low { result.appendAscending(UInt32(low)...(taken.lowerBound - 1)) }
                low = UInt64(taken.upperBound) + 1
                cut += 1
            }
            if low <= high { result.appendAscending(UInt32(low)...UInt32(high)) }
        }
        return result
    }
}

extension NumberSet: Sequence {
    package func makeIterator() -> FlattenSequence<[ClosedRange<UInt32>]>.Iterator { ranges.joined().makeIterator() }
}

extension NumberSet: CustomStringConvertible {
    /// As in IMAP: `1:3,7`.
    package var description: String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound):\($0.upperBound)" }.joined(separator: ",")
    }
}
