import MailVocabulary

// Rows of a chunk in few octets: column after column, each as the distance from its least value, in as many octets as
// the largest distance needs. Numbers that count up (UIDs, bodies) are first reduced by their place, so that mostly
// nothing is left of them. Whoever keeps the octets guards them with a checksum; octets that are not what was written
// give wrong rows, never a trap.
//
//     column:  width (1: 0, 1, 2, 4 or 8) · least (8) · count × width        little-endian

enum ChunkCoding {
    private enum Column: Int, CaseIterable {
        case uid, flags, modSeq, size, seconds, zone, saved, body, thread

        /// Whether the values mostly count up.
        var counts: Bool {
            switch self {
            case .uid, .body, .thread, .modSeq: true
            case .flags, .size, .seconds, .zone, .saved: false
            }
        }

        func value(_ row: MessageRow) -> Int64 {
            switch self {
            case .uid: Int64(row.uid.value)
            case .flags: Int64(bitPattern: row.flags.rawValue)
            case .modSeq: Int64(bitPattern: row.modSeq.value)
            case .size: Int64(row.size)
            case .seconds: row.internalDate.seconds
            case .zone: Int64(row.internalDate.zoneMinutes)
            case .saved: Int64(row.savedDate)
            case .body: row.body.value
            case .thread: row.thread.value
            }
        }
    }
    private static let columnHeader = 9

    // Writing

    static func octets(_ rows: [MessageRow]) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(rows.count * 16)
        for column in Column.allCases { append(rows, column, to: &octets) }
        return octets
    }

    private static func append(_ rows: [MessageRow], _ column: Column, to octets: inout [UInt8]) {
        let step: Int64 = column.counts ? 1 : 0
        var values: [Int64] = []
        values.reserveCapacity(rows.count)
        for (index, row) in rows.enumerated() { values.append(column.value(row) &- Int64(index) &* step) }
        let least = values.min() ?? 0
        let width = width(of: values.reduce(0) { $0 | UInt64(bitPattern: $1 &- least) })
        octets.append(UInt8(width))
        append(UInt64(bitPattern: least), 8, to: &octets)
        guard width > 0 else { return }
        for value in values { append(UInt64(bitPattern: value &- least), width, to: &octets) }
    }

    /// Octets that hold all these bits.
    private static func width(of bits: UInt64) -> Int {
        switch bits {
        case 0: 0
        case ...0xFF: 1
        case ...0xFFFF: 2
        case ...0xFFFF_FFFF: 4
        case _: 8
        }
    }

    private static func append(_ value: UInt64, _ width: Int, to octets: inout [UInt8]) {
        for place in 0..<width { octets.append(UInt8(truncatingIfNeeded: value &>> UInt64(place * 8))) }
    }

    // Reading

    /// Whether the octets are so many rows in shape.
    static func isWhole(_ octets: [UInt8], count: Int) -> Bool {
        var offset = 0
        for _ in Column.allCases {
            guard offset + columnHeader <= octets.count, [0, 1, 2, 4, 8].contains(octets[offset]) else { return false }
            offset += columnHeader + Int(octets[offset]) * count
        }
        return count > 0 && offset == octets.count
    }

    /// Octets of which `isWhole` is true.
    static func rows(_ octets: [UInt8], count: Int) -> [MessageRow] {
        octets.withUnsafeBytes { octets in
            var offset = 0
            let columns = Column.allCases.map { column in
                let values = EncodedColumn(octets, at: offset, step: column.counts ? 1 : 0)
                offset += columnHeader + values.width * count
                return values
            }
            return (0..<count).map { row(columns, $0) }
        }
    }

    /// One column of octets of which `isWhole` is true.
    static func uids(_ octets: [UInt8], count: Int) -> [UInt32] {
        values(.uid, octets, count: count) { UInt32(truncatingIfNeeded: $0) }
    }

    static func flags(_ octets: [UInt8], count: Int) -> [UInt64] {
        values(.flags, octets, count: count) { UInt64(bitPattern: $0) }
    }

    private static func values<Value>(
        _ wanted: Column, _ octets: [UInt8], count: Int, _ value: (Int64) -> Value
    ) -> [Value] {
        octets.withUnsafeBytes { octets in
            var offset = 0
            for _ in 0..<wanted.rawValue { offset += columnHeader + Int(octets[offset]) * count }
            let column = EncodedColumn(octets, at: offset, step: wanted.counts ? 1 : 0)
            return (0..<count).map { value(column[$0]) }
        }
    }

    @inline(__always)
    private static func row(_ columns: [EncodedColumn], _ index: Int) -> MessageRow {
        func value(_ column: Column) -> Int64 { columns[column.rawValue][index] }
        return MessageRow(
            uid: UID(UInt32(truncatingIfNeeded: value(.uid))) ?? UID(known: 1),
            flags: FlagBits(rawValue: UInt64(bitPattern: value(.flags))),
            modSeq: ModSeq(UInt64(bitPattern: value(.modSeq))), size: UInt32(truncatingIfNeeded: value(.size)),
            internalDate: Timestamp(
                seconds: value(.seconds), zoneMinutes: Int16(truncatingIfNeeded: value(.zone))),
            savedDate: UInt32(truncatingIfNeeded: value(.saved)), body: BodyID(value(.body)),
            thread: ThreadID(value(.thread)))
    }

    private struct EncodedColumn {
        let width: Int
        private let least: Int64
        private let step: Int64
        private let values: UnsafeRawBufferPointer

        init(_ octets: UnsafeRawBufferPointer, at offset: Int, step: Int64) {
            width = Int(octets[offset])
            least = Int64(littleEndian: octets.loadUnaligned(fromByteOffset: offset + 1, as: Int64.self))
            values = UnsafeRawBufferPointer(rebasing: octets[(offset + columnHeader)...])
            self.step = step
        }

        @inline(__always)
        subscript(index: Int) -> Int64 {
            let distance: UInt64 =
                switch width {
                case 0: 0
                case 1: UInt64(values[index])
                case 2: UInt64(UInt16(littleEndian: values.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)))
                case 4: UInt64(UInt32(littleEndian: values.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)))
                case _: UInt64(littleEndian: values.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
                }
            return least &+ Int64(bitPattern: distance) &+ Int64(index) &* step
        }
    }
}
