package import MailVocabulary
package import WireFraming

/// Message numbers in the order of a search's results: ascending, or as sorted. Kept as ranges, which ascend.
package struct ResultList: Sendable, Hashable {
    package private(set) var ranges: [ClosedRange<UInt32>]

    package init(_ set: NumberSet) { ranges = set.ranges }

    /// In order; numbers that follow each other become ranges, as RFC 5267 §3.2 has it.
    package init(inOrder numbers: [UInt32]) {
        ranges = []
        var next = 0
        while next < numbers.count {
            let first = numbers[next]
            var last = first
            next += 1
            while next < numbers.count, last < .max, numbers[next] == last + 1 {
                last += 1
                next += 1
            }
            ranges.append(first...last)
        }
    }

    /// In order, each for itself.
    init(each numbers: some Sequence<UInt32>) { ranges = numbers.map { $0...$0 } }

    private init(ranges: [ClosedRange<UInt32>]) { self.ranges = ranges }

    package var isEmpty: Bool { ranges.isEmpty }
    package var count: Int { ranges.reduce(0) { $0 + $1.count } }
    package var first: UInt32? { ranges.first?.lowerBound }
    package var last: UInt32? { ranges.last?.upperBound }

    /// Those at these places, counted from 0. The range must not go beyond the list.
    package subscript(indices: Range<Int>) -> ResultList {
        var slice: [ClosedRange<UInt32>] = []
        var start = 0
        for range in ranges {
            let wanted = indices.clamped(to: start..<start + range.count)
            if !wanted.isEmpty {
                let low = range.lowerBound + UInt32(wanted.lowerBound - start)
                slice.append(low...low + UInt32(wanted.count - 1))
            }
            start += range.count
            if start >= indices.upperBound { break }
        }
        return ResultList(ranges: slice)
    }
}

/// Writes numbers, as many at a time as there is room for.
package struct NumberListWriter: Sendable {
    package enum Style: Sendable {
        /// ` 1 2 3 5`
        case spaced
        /// `1 2 3 5`
        case list
        /// `1:3,5`
        case set
    }

    private let ranges: [ClosedRange<UInt32>]
    private let style: Style
    private var index = 0
    /// Numbers of the present range that are written.
    private var offset: UInt32 = 0

    package init(_ numbers: ResultList, _ style: Style) {
        ranges = numbers.ranges
        self.style = style
    }

    /// True when all are written; false when the output has reached the limit before.
    package mutating func write(_ output: inout OutputBuffer, upTo limit: Int) -> Bool {
        while index < ranges.count {
            guard output.count < limit else { return false }
            if style == .set {
                write(asSet: ranges[index], &output)
                index += 1
            } else {
                let room = min(Self.octetsAtOnce, limit - output.count) + Self.octetsOfOne
                unsafe output.append(upTo: room) { unsafe writeSingly($0) }
            }
        }
        return true
    }

    private func write(asSet range: ClosedRange<UInt32>, _ output: inout OutputBuffer) {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        output.append(decimal: range.lowerBound)
        guard range.upperBound > range.lowerBound else { return }
        output.append(UInt8(ascii: ":"))
        output.append(decimal: range.upperBound)
    }

    /// A number and a space.
    private static let octetsOfOne = 11
    private static let octetsAtOnce = 4096

    /// Writes as many as there is room for; returns how many octets they are. Sorting gives a hundred thousand.
    private mutating func writeSingly(_ room: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var count = 0
        while index < ranges.count {
            let range = ranges[index]
            while offset <= range.upperBound - range.lowerBound {
                guard count + Self.octetsOfOne <= room.count else { return count }
                if style == .spaced || index > 0 || offset > 0 {
                    unsafe room[count] = UInt8(ascii: " ")
                    count += 1
                }
                count += unsafe Self.write(range.lowerBound + offset, room, at: count)
                offset += 1
            }
            index += 1
            offset = 0
        }
        return count
    }

    /// Returns how many digits it has.
    private static func write(_ number: UInt32, _ room: UnsafeMutableBufferPointer<UInt8>, at start: Int) -> Int {
        var (digits, bound) = (1, UInt64(10))
        while UInt64(number) >= bound {
            digits += 1
            bound *= 10
        }
        var (rest, place) = (number, start + digits)
        while place > start {
            place -= 1
            unsafe room[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        return digits
    }
}
