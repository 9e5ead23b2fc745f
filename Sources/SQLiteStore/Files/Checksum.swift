// XXH64 (the xxHash specification, version 0.1.1, §"XXH64"), chosen over CRC32C because without a machine instruction
// for it a CRC costs as much as the whole budget of a bulk read; this runs at memory speed in plain Swift. It guards
// against accidents, not against someone who can write to the disk.

/// A running checksum over bytes that come in pieces.
struct Checksum: Sendable {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5
    /// Octets taken at once: four lanes of eight.
    private static let stripe = 32

    private var lane1 = prime1 &+ prime2
    private var lane2 = prime2
    private var lane3: UInt64 = 0
    private var lane4 = 0 &- prime1
    private var total: UInt64 = 0
    /// Less than a stripe, waiting for more.
    private var rest: [UInt8] = []

    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var checksum = Checksum()
        checksum.total = UInt64(bytes.count)
        let whole = bytes.count / stripe * stripe
        checksum.takeStripes(UnsafeRawBufferPointer(rebasing: bytes[..<whole]))
        return checksum.finished(with: UnsafeRawBufferPointer(rebasing: bytes[whole...]))
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        total &+= UInt64(bytes.count)
        var start = 0
        if !rest.isEmpty {
            start = min(Self.stripe - rest.count, bytes.count)
            rest.append(contentsOf: bytes[..<start])
            guard rest.count == Self.stripe else { return }
            let full = rest
            full.withUnsafeBytes { takeStripes($0) }
            rest.removeAll(keepingCapacity: true)
        }
        let whole = (bytes.count - start) / Self.stripe * Self.stripe
        takeStripes(UnsafeRawBufferPointer(rebasing: bytes[start..<start + whole]))
        rest.append(contentsOf: bytes[(start + whole)...])
    }

    private mutating func takeStripes(_ bytes: UnsafeRawBufferPointer) {
        var (a, b, c, d) = (lane1, lane2, lane3, lane4)
        for offset in stride(from: 0, to: bytes.count, by: Self.stripe) {
            a = Self.round(a, Self.word(bytes, offset))
            b = Self.round(b, Self.word(bytes, offset + 8))
            c = Self.round(c, Self.word(bytes, offset + 16))
            d = Self.round(d, Self.word(bytes, offset + 24))
        }
        (lane1, lane2, lane3, lane4) = (a, b, c, d)
    }

    var value: UInt64 { rest.withUnsafeBytes { finished(with: $0) } }

    /// With the last octets, less than a stripe.
    private func finished(with rest: UnsafeRawBufferPointer) -> UInt64 {
        var hash = total >= UInt64(Self.stripe) ? mergedLanes : Self.prime5
        hash &+= total
        var offset = 0
        while offset + 8 <= rest.count {
            hash ^= Self.round(0, Self.word(rest, offset))
            hash = Self.rotate(hash, 27) &* Self.prime1 &+ Self.prime4
            offset += 8
        }
        if offset + 4 <= rest.count {
            let half = UInt32(littleEndian: rest.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            hash ^= UInt64(half) &* Self.prime1
            hash = Self.rotate(hash, 23) &* Self.prime2 &+ Self.prime3
            offset += 4
        }
        for byte in rest[offset...] {
            hash ^= UInt64(byte) &* Self.prime5
            hash = Self.rotate(hash, 11) &* Self.prime1
        }
        hash = (hash ^ (hash >> 33)) &* Self.prime2
        hash = (hash ^ (hash >> 29)) &* Self.prime3
        return hash ^ (hash >> 32)
    }

    private var mergedLanes: UInt64 {
        var hash =
            Self.rotate(lane1, 1) &+ Self.rotate(lane2, 7) &+ Self.rotate(lane3, 12) &+ Self.rotate(lane4, 18)
        for lane in [lane1, lane2, lane3, lane4] {
            hash = (hash ^ Self.round(0, lane)) &* Self.prime1 &+ Self.prime4
        }
        return hash
    }

    @inline(__always)
    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        rotate(lane &+ word &* prime2, 31) &* prime1
    }

    @inline(__always)
    private static func rotate(_ x: UInt64, _ bits: UInt64) -> UInt64 { (x &<< bits) | (x &>> (64 &- bits)) }

    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
