/// Sorts by numbers, equals as they are: by their digits, which for a hundred thousand takes a tenth of comparing.
enum StableSorting {
    /// Fewer are compared.
    private static let leastForDigits = 512
    /// Bits of a digit: so many counters stay near the processor.
    private static let digit = 11

    /// Puts indices in the order of their values.
    static func sort(_ order: inout [UInt32], by values: [UInt64]) {
        guard order.count > 1 else { return }
        var (least, largest) = (UInt64.max, UInt64.min)
        for index in order {
            least = min(least, values[Int(index)])
            largest = max(largest, values[Int(index)])
        }
        guard least < largest else { return }
        let range = largest - least
        guard order.count >= leastForDigits, range <= UInt64(UInt32.max) else { return compare(&order, values) }
        // The value, and the index behind it.
        var keys = order.map { (values[Int($0)] - least) << 32 | UInt64($0) }
        sortByDigits(&keys, bits: 64 - range.leadingZeroBitCount)
        for place in keys.indices { order[place] = UInt32(truncatingIfNeeded: keys[place]) }
    }

    private static func compare(_ order: inout [UInt32], _ values: [UInt64]) {
        let sorted = order.enumerated().sorted { a, b in
            let (x, y) = (values[Int(a.element)], values[Int(b.element)])
            return x == y ? a.offset < b.offset : x < y
        }
        order = sorted.map(\.element)
    }

    /// By so many bits above the lower half.
    private static func sortByDigits(_ keys: inout [UInt64], bits: Int) {
        var sorted = [UInt64](repeating: 0, count: keys.count)
        for shift in stride(from: 32, to: 32 + bits, by: digit) {
            keys.withUnsafeBufferPointer { keys in
                sorted.withUnsafeMutableBufferPointer { distribute(keys, into: $0, by: UInt64(shift)) }
            }
            swap(&keys, &sorted)
        }
    }

    private static func distribute(
        _ keys: UnsafeBufferPointer<UInt64>, into sorted: UnsafeMutableBufferPointer<UInt64>, by shift: UInt64
    ) {
        let mask = UInt64(1 << digit - 1)
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 1 << digit) { places in
            places.initialize(repeating: 0)
            for key in keys { places[Int(key &>> shift & mask)] += 1 }
            var start = 0
            for value in 0..<places.count {
                let count = places[value]
                places[value] = start
                start += count
            }
            for key in keys {
                let value = Int(key &>> shift & mask)
                sorted[places[value]] = key
                places[value] += 1
            }
        }
    }
}
