package import MailVocabulary
package import WireFraming

/// Message numbers in the order of a search's results: ascending, or as sorted. Kept as ranges, which ascend.
package struct ResultList: Sendable, Hashable {
    package private(set) var ranges: [ClosedRange<UInt32>]

    package init(_ set: NumberSet) { ranges = set.ranges }

    /// In order; numbers that follow each other become ranges, as RFC 5267 §3.2 has it.
    package init(inOrder numbers: some Sequence<UInt32>) {
        ranges = []
        for number in numbers {
            if let last = ranges.last, last.upperBound &+ 1 == number, number > 0 {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
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
            let range = ranges[index]
            if style == .set {
                write(asSet: range, &output)
            } else {
                guard write(singly: range, &output, upTo: limit) else { return false }
            }
            index += 1
            offset = 0
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

    private mutating func write(
        singly range: ClosedRange<UInt32>, _ output: inout OutputBuffer, upTo limit: Int
    ) -> Bool {
        while offset <= range.upperBound - range.lowerBound {
            guard output.count < limit else { return false }
            if style == .spaced || index > 0 || offset > 0 { output.append(UInt8(ascii: " ")) }
            output.append(decimal: range.lowerBound + offset)
            offset += 1
        }
        return true
    }
}
