import MailStore
import MailVocabulary

/// A set of UIDs as the database keeps it: for each range the distance from the one before and its length, in octets of
/// seven bits, the lowest first; then a checksum (8), since a wrong bit here would change many messages.
enum UIDSetCoding {
    static func octets(_ uids: NumberSet) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(uids.ranges.count * 2 + 8)
        var last: UInt32 = 0
        for range in uids.ranges {
            append(range.lowerBound - last, to: &octets)
            append(range.upperBound - range.lowerBound, to: &octets)
            last = range.upperBound
        }
        let checksum = octets.withUnsafeBytes { Checksum.of($0) }
        withUnsafeBytes(of: checksum.littleEndian) { octets.append(contentsOf: $0) }
        return octets
    }

    private static func append(_ number: UInt32, to octets: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            octets.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        octets.append(UInt8(rest))
    }

    /// Nil when they are not what was written.
    static func uids(_ octets: [UInt8]) -> NumberSet? {
        guard octets.count >= 8 else { return nil }
        let end = octets.count - 8
        let isRight = octets.withUnsafeBytes { bytes in
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: UInt64.self))
                == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<end]))
        }
        guard isRight else { return nil }
        var (uids, rest, last) = (NumberSet(), octets[..<end], UInt64(0))
        while !rest.isEmpty {
            guard let distance = number(&rest), let length = number(&rest), last + distance >= 1,
                let lower = UInt32(exactly: last + distance), let upper = UInt32(exactly: UInt64(lower) + length)
            else { return nil }
            uids.appendAscending(lower...upper)
            last = UInt64(upper)
        }
        return uids
    }

    private static func number(_ octets: inout ArraySlice<UInt8>) -> UInt64? {
        var (value, shift) = (UInt64(0), UInt64(0))
        while let octet = octets.first, shift < 35 {
            octets = octets.dropFirst()
            value |= UInt64(octet & 0x7F) << shift
            if octet < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}
