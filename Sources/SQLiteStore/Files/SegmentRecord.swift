/// Where a body lies: a record in a segment file.
struct BodyPlace: Sendable, Hashable {
    /// Instead of a segment: the body is in the database, in `parked`.
    static let parked: Int64 = 0

    var segment: Int64
    /// Of the record's header, in octets.
    var offset: Int
    /// Octets of the body.
    var length: Int
    var checksum: UInt64

    init(segment: Int64, offset: Int, length: Int, checksum: UInt64) {
        (self.segment, self.offset, self.length, self.checksum) = (segment, offset, length, checksum)
    }

    /// From the database; numbers that cannot be become a place where nothing is.
    init(stored segment: Int64, _ offset: Int64, _ length: Int64, _ checksum: Int64) {
        let isPossible = (0...Int64(UInt32.max)).contains(length) && (0...(1 << 48)).contains(offset)
        self.init(
            segment: isPossible ? segment : -1, offset: isPossible ? Int(offset) : 0,
            length: isPossible ? Int(length) : 0, checksum: UInt64(bitPattern: checksum))
    }

    /// Octets of the record.
    var extent: Int { SegmentHeader.size + length }
}

/// What stands before each body in a segment: enough to know, without the database, whether these are the octets
/// that were asked for.
///
///     magic "LMB1" · length (4) · body (8) · checksum of the body (8) · checksum of the above (8)      little-endian
struct SegmentHeader: Equatable {
    static let size = 32
    private static let magic: UInt32 = 0x3142_4D4C

    var body: Int64
    var length: UInt32
    var checksum: UInt64

    init(body: Int64, length: UInt32, checksum: UInt64) {
        self.body = body
        self.length = length
        self.checksum = checksum
    }

    /// Nil unless the octets are a header as one was written.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.size,
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)) == Self.magic,
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
                == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<24]))
        else { return nil }
        length = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        body = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: Int64.self))
        checksum = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
    }

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.size)
        withUnsafeBytes(of: Self.magic.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: length.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: body.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: checksum.littleEndian) { bytes.append(contentsOf: $0) }
        let own = bytes.withUnsafeBytes { Checksum.of($0) }
        withUnsafeBytes(of: own.littleEndian) { bytes.append(contentsOf: $0) }
        return bytes
    }
}
