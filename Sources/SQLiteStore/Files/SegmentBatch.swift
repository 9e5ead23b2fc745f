import MailStore

// Mail that came together lies together: small records that follow each other are read in one call. A larger one is read
// by itself, straight into the memory that is handed over.

extension SegmentReader {
    /// Octets read in one call at most: so many are still taken from the heap, not mapped and unmapped each time.
    private static let batchLimit = 96 << 10
    /// Octets of a record from which on copying it costs more than a call of its own.
    private static let largeRecord = 8 << 10

    /// Those whole bodies that are where they are said to be, verified. What is missing from the answer may have been
    /// moved, or is damaged: look again.
    func bodies(_ wanted: [(id: BodyID, place: BodyPlace)]) -> [BodyID: [UInt8]] {
        let inOrder = wanted.sorted {
            ($0.place.segment, $0.place.offset) < ($1.place.segment, $1.place.offset)
        }
        var found: [BodyID: [UInt8]] = [:]
        found.reserveCapacity(wanted.count)
        var rest = inOrder[...]
        while let first = rest.first {
            let length = SegmentReader.neighbours(rest)
            let group = rest.prefix(length)
            rest = rest.dropFirst(length)
            if group.count == 1 {
                found[first.id] = try? body(first.id, first.place)
            } else {
                read(group, &found)
            }
        }
        return found
    }

    /// How many at the beginning follow each other without a gap, within the limit; at least one.
    private static func neighbours(_ places: ArraySlice<(id: BodyID, place: BodyPlace)>) -> Int {
        var (count, octets) = (0, 0)
        var last: BodyPlace?
        for (_, place) in places {
            let follows = last.map { $0.segment == place.segment && $0.offset + $0.extent == place.offset } ?? true
            let fits = place.extent < largeRecord && octets + place.extent <= batchLimit
            guard follows, count == 0 || fits else { break }
            count += 1
            octets += place.extent
            last = place
        }
        return count
    }

    private func read(_ group: ArraySlice<(id: BodyID, place: BodyPlace)>, _ found: inout [BodyID: [UInt8]]) {
        guard let first = group.first?.place, let last = group.last?.place, let file = try? file(first.segment) else {
            return
        }
        let octets = last.offset + last.extent - first.offset
        withUnsafeTemporaryAllocation(byteCount: octets, alignment: 8) { buffer in
            guard (try? file.read(into: buffer, at: first.offset)) == true else { return }
            for (id, place) in group {
                let start = place.offset - first.offset
                let record = UnsafeRawBufferPointer(rebasing: buffer[start..<start + place.extent])
                found[id] = SegmentReader.body(id, place, in: record)
            }
        }
    }

    /// Nil unless the record is the body's and its checksum is right.
    private static func body(_ id: BodyID, _ place: BodyPlace, in record: UnsafeRawBufferPointer) -> [UInt8]? {
        let expected = SegmentHeader(
            body: id.value, length: UInt32(truncatingIfNeeded: place.length), checksum: place.checksum)
        let octets = UnsafeRawBufferPointer(rebasing: record[SegmentHeader.size...])
        guard SegmentHeader(record) == expected, Checksum.of(octets) == place.checksum else { return nil }
        return Array(octets)
    }
}
