/// SipHash-2-4 (Aumasson and Bernstein, 2012): short hashes of what others wrote. Who does not know the key cannot make
/// two texts that share one.
struct KeyedHash: Sendable, Hashable {
    let key: (UInt64, UInt64)

    init(key: (UInt64, UInt64)) { self.key = key }

    /// With a random key.
    init() { key = (.random(in: .min ... .max), .random(in: .min ... .max)) }

    static func == (a: KeyedHash, b: KeyedHash) -> Bool { a.key == b.key }
    func hash(into hasher: inout Hasher) {
        hasher.combine(key.0)
        hasher.combine(key.1)
    }

    private struct State {
        var (v0, v1, v2, v3): (UInt64, UInt64, UInt64, UInt64)

        init(_ key: (UInt64, UInt64)) {
            v0 = key.0 ^ 0x736F_6D65_7073_6575
            v1 = key.1 ^ 0x646F_7261_6E64_6F6D
            v2 = key.0 ^ 0x6C79_6765_6E65_7261
            v3 = key.1 ^ 0x7465_6462_7974_6573
        }

        @inline(__always)
        mutating func round() {
            v0 &+= v1
            v2 &+= v3
            v1 = rotate(v1, 13) ^ v0
            v3 = rotate(v3, 16) ^ v2
            v0 = rotate(v0, 32)
            v2 &+= v1
            v0 &+= v3
            v1 = rotate(v1, 17) ^ v2
            v3 = rotate(v3, 21) ^ v0
            v2 = rotate(v2, 32)
        }

        @inline(__always)
        mutating func take(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        @inline(__always)
        private func rotate(_ x: UInt64, _ bits: UInt64) -> UInt64 { (x &<< bits) | (x &>> (64 &- bits)) }
    }

    func callAsFunction(_ octets: Span<UInt8>) -> UInt64 { octets.withUnsafeBytes { self($0) } }

    func callAsFunction(_ octets: UnsafeRawBufferPointer) -> UInt64 {
        var state = State(key)
        let whole = octets.count & ~7
        for offset in stride(from: 0, to: whole, by: 8) {
            state.take(UInt64(littleEndian: octets.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
        }
        var last = UInt64(truncatingIfNeeded: octets.count) &<< 56
        for offset in whole..<octets.count { last |= UInt64(octets[offset]) &<< UInt64(8 * (offset - whole)) }
        state.take(last)
        state.v2 ^= 0xFF
        for _ in 0..<4 { state.round() }
        return state.v0 ^ state.v1 ^ state.v2 ^ state.v3
    }
}
