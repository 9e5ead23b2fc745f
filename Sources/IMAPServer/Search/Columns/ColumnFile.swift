import MailStore
import MessageFormat

// A column as octets, to be kept by the store. They come back from a file: what is not exactly what was written must be
// noticed, or at least give wrong answers only, never a trap.
//
//     magic "LMCO" · version (2) · kind (2) · last UID read (4) · messages (4) · key (16; of threading)
//     UIDs (4 each), ascending, then of                                                       little-endian
//     dates:      moments (8 each) · days (4 each)
//     texts:      ends (4 each) · texts
//     subjects:   ends (4 each) · whether a reply (1 each) · texts
//     threading:  ends (4 each) · identifiers' hashes (8 each)

enum ColumnFile {
    /// The upper half is to be raised with every change of what is in a column, or of its form; the lower one is when
    /// text is compared in another way.
    static let version = UInt16(1) << 8 | UInt16(truncatingIfNeeded: TextFolding.version & 0xFF)
    private static let magic: UInt32 = 0x4F43_4D4C
    private static let headerSize = 32

    static func name(_ kind: ColumnKinds) -> DerivedName? {
        DerivedName("column-\(kind.rawValue.trailingZeroBitCount)")
    }

    // Writing

    static func encode(_ segment: ColumnSegment, _ kind: ColumnKinds, through uid: UInt32) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(headerSize + segment.octets)
        append([magic], to: &octets)
        append([version, kind.rawValue], to: &octets)
        append([uid, UInt32(segment.uids.count)], to: &octets)
        var key: (UInt64, UInt64) = (0, 0)
        if case .threading(let column) = segment.values { key = column.hash.key }
        append([key.0, key.1], to: &octets)
        append(segment.uids, to: &octets)
        switch segment.values {
        case .dates(let column):
            append(column.moments, to: &octets)
            append(column.days, to: &octets)
        case .texts(let column):
            append(column.ends, to: &octets)
            octets += column.octets
        case .subjects(let column, let isReply):
            append(column.ends, to: &octets)
            octets += isReply.lazy.map { $0 ? 1 : 0 }
            octets += column.octets
        case .threading(let column):
            append(column.ends, to: &octets)
            append(column.ids, to: &octets)
        }
        return octets
    }

    private static func append<Number: FixedWidthInteger>(_ numbers: [Number], to octets: inout [UInt8]) {
        inFileOrder(numbers).withUnsafeBytes { octets.append(contentsOf: $0) }
    }

    /// Its own inverse.
    private static func inFileOrder<Number: FixedWidthInteger>(_ numbers: [Number]) -> [Number] {
        Number(littleEndian: 1) == 1 ? numbers : numbers.map(\.littleEndian)
    }

    // Reading

    /// Nil when the octets are not a column of this kind, or of another version.
    static func decode(_ octets: consuming [UInt8], _ kind: ColumnKinds) -> Column? {
        var reader = Reader(octets)
        guard reader.numbers(1) as [UInt32]? == [magic], reader.numbers(2) as [UInt16]? == [version, kind.rawValue],
            let sizes: [UInt32] = reader.numbers(2), let key: [UInt64] = reader.numbers(2),
            let uids: [UInt32] = reader.numbers(Int(sizes[1])), areUIDs(uids, through: sizes[0]),
            let values = values(kind, KeyedHash(key: (key[0], key[1])), count: uids.count, &reader)
        else { return nil }
        var column = Column()
        column.append([ColumnSegment(uids: uids, values: values)], through: sizes[0])
        return column
    }

    private static func areUIDs(_ uids: [UInt32], through last: UInt32) -> Bool {
        var previous: UInt32 = 0
        for uid in uids {
            guard uid > previous else { return false }
            previous = uid
        }
        return !uids.isEmpty && previous <= last
    }

    private static func values(
        _ kind: ColumnKinds, _ hash: KeyedHash, count: Int, _ reader: inout Reader
    ) -> ColumnValues? {
        switch ColumnValues(kind) {
        case .dates:
            guard let moments: [Int64] = reader.numbers(count), let days: [Int32] = reader.numbers(count),
                reader.isAtEnd
            else { return nil }
            return .dates(DateColumn(moments: moments, days: days))
        case .texts:
            guard let ends: [UInt32] = reader.numbers(count) else { return nil }
            return TextColumn(octets: reader.takeRest(), ends: ends).map { .texts($0) }
        case .subjects:
            guard let ends: [UInt32] = reader.numbers(count), let isReply: [UInt8] = reader.numbers(count) else {
                return nil
            }
            return TextColumn(octets: reader.takeRest(), ends: ends).map {
                .subjects($0, isReply: isReply.map { $0 != 0 })
            }
        case .threading:
            guard let ends: [UInt32] = reader.numbers(count), let ids: [UInt64] = reader.numbersToEnd() else {
                return nil
            }
            return ThreadingColumn(hash: hash, ids: ids, ends: ends).map { .threading($0) }
        }
    }

    private struct Reader {
        private var octets: [UInt8]
        private var offset = 0

        init(_ octets: consuming [UInt8]) { self.octets = octets }

        var isAtEnd: Bool { offset == octets.count }

        /// Nil when there are not so many.
        mutating func numbers<Number: FixedWidthInteger>(_ count: Int) -> [Number]? {
            let size = MemoryLayout<Number>.size
            guard count >= 0, count <= (octets.count - offset) / size else { return nil }
            let start = offset
            offset += count * size
            return inFileOrder(
                octets.withUnsafeBytes { octets in
                    [Number](unsafeUninitializedCapacity: count) { room, filled in
                        UnsafeMutableRawBufferPointer(room).copyMemory(
                            from: UnsafeRawBufferPointer(rebasing: octets[start..<start + count * size]))
                        filled = count
                    }
                })
        }

        /// Nil when octets would be left.
        mutating func numbersToEnd<Number: FixedWidthInteger>() -> [Number]? {
            let (count, rest) = (octets.count - offset).quotientAndRemainder(dividingBy: MemoryLayout<Number>.size)
            return rest == 0 ? numbers(count) : nil
        }

        /// Without copying what is moved to the front: it is the larger part of a file.
        mutating func takeRest() -> [UInt8] {
            var rest: [UInt8] = []
            swap(&rest, &octets)
            rest.removeSubrange(0..<offset)
            offset = 0
            return rest
        }
    }
}
