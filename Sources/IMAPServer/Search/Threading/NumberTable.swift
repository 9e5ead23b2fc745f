/// Numbers for hashes that nobody can predict.
struct NumberTable {
    static let none: Int32 = -1
    /// Odd, without a pattern: neighbours become strangers.
    private static let spread: UInt64 = 0x9E37_79B9_7F4A_7C15

    private var keys: [UInt64]
    private var numbers: [Int32]
    private var count = 0

    /// - Parameter capacity: how many there will be, about.
    init(capacity: Int) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        keys = [UInt64](repeating: 0, count: size)
        numbers = [Int32](repeating: Self.none, count: size)
    }

    /// Of one that is not there, `none`; setting that is not allowed.
    subscript(key: UInt64) -> Int32 {
        get { numbers[place(of: key)] }
        set {
            let place = place(of: key)
            if numbers[place] == Self.none {
                count += 1
                keys[place] = key
            }
            numbers[place] = newValue
            if count * 2 > keys.count { grow() }
        }
    }

    private func place(of key: UInt64) -> Int {
        let mask = keys.count - 1
        var place = Int(truncatingIfNeeded: (key &* Self.spread) >> 32) & mask
        while numbers[place] != Self.none, keys[place] != key { place = (place + 1) & mask }
        return place
    }

    private mutating func grow() {
        var larger = NumberTable(capacity: keys.count)
        for (key, number) in zip(keys, numbers) where number != Self.none { larger[key] = number }
        self = larger
    }
}
