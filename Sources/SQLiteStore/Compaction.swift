import GRDB
import MailStore

// Expunged bodies leave holes. A closed segment that is more than half dead is emptied: its live bodies are written
// again through the committer, like new ones, and their rows pointed there. When none is left the file goes, by the
// same rule as for any segment without a live octet. A crash between leaves dead copies, nothing else. A reader that
// comes late finds the file gone or another record, and looks the place up again.

extension SQLiteStore {
    /// Octets copied in one commit: others' commits wait no longer than this takes.
    private static let compactionBatch = 1 << 20

    /// Empties segments that are more than half dead, until `limit` octets were copied, with a segment's worth more at
    /// most, or the task is cancelled. Returns how many were.
    package func compact(limit: Int = .max) async throws -> Int {
        var copied = 0
        for segment in try await sparseSegments() where copied < limit && !Task.isCancelled {
            copied += try await evacuate(segment)
        }
        return copied
    }

    private func sparseSegments() async throws -> [Int64] {
        let sealed = try await read { db in
            try Row.fetchAll(db, sql: "SELECT id, live FROM segment WHERE sealed ORDER BY live")
                .map { (id: try $0.value(0) as Int64, live: try $0.value(1) as Int) }
        }
        return try await compacting.run { [directory] in
            sealed.filter { segment in
                // By name: opening them all would close those that readers use.
                guard let size = fileSize(directory.segment(segment.id)) else { return false }
                return segment.live < size / 2
            }.map(\.id)
        }
    }

    private struct Moving: Sendable {
        var id: BodyID
        var from: BodyPlace
        var body: MemoryBody
    }

    private func evacuate(_ segment: Int64) async throws -> Int {
        var (offset, copied) = (0, 0)
        while !Task.isCancelled {
            let start = offset
            let (batch, next) = try await compacting.run { [self] in try liveBodies(in: segment, from: start) }
            if !batch.isEmpty { try await move(batch) }
            copied += batch.reduce(0) { $0 + $1.from.extent }
            guard let next else { return copied }
            offset = next
        }
        return copied
    }

    /// The next few live bodies of a segment, and where to go on; nil at its end.
    private func liveBodies(in segment: Int64, from start: Int) throws -> ([Moving], next: Int?) {
        guard let file = try? segments.file(segment) else { return ([], nil) }
        let end = try file.size()
        var (batch, octets, offset) = ([Moving](), 0, start)
        while offset + SegmentHeader.size <= end, octets < SQLiteStore.compactionBatch {
            guard let header = try file.header(at: offset) else {
                // What a crash left; records go on somewhere behind it.
                offset = try file.nextHeader(after: offset, before: end)
                continue
            }
            let (id, here) = (BodyID(header.body), offset)
            let place = try pool.read { db in try RowReader.place(id, db) }
            if let place, place.segment == segment, place.offset == here {
                if let body = try? segments.body(id, place) {
                    batch.append(Moving(id: id, from: place, body: MemoryBody(body)))
                    octets += place.extent
                }
                offset += place.extent
            } else {
                offset = try file.nextRecord(after: header, at: here, before: end)
            }
        }
        return (batch, offset + SegmentHeader.size <= end ? offset : nil)
    }

    private func move(_ batch: [Moving]) async throws {
        try await committer.commit(bodies: batch.map { .moved($0.id, $0.body) }) { transaction, stored in
            for (moving, new) in zip(batch, stored) {
                try transaction.move(moving.id, from: moving.from, to: new.place)
            }
        }
    }
}

extension OpenFile {
    /// Octets searched in one call.
    private static let searched = 64 << 10

    /// Nil when none stands there.
    fileprivate func header(at offset: Int) throws -> SegmentHeader? {
        try withUnsafeTemporaryAllocation(byteCount: SegmentHeader.size, alignment: 8) { bytes in
            try read(into: bytes, at: offset) ? SegmentHeader(UnsafeRawBufferPointer(bytes)) : nil
        }
    }

    /// Behind a record that may be dead. When none follows it, a crash may have cut it short: its length then leads into
    /// records that were written later.
    fileprivate func nextRecord(after header: SegmentHeader, at offset: Int, before end: Int) throws -> Int {
        let next = offset + SegmentHeader.size + Int(header.length)
        if try next == end || self.header(at: next) != nil { return next }
        return try nextHeader(after: offset, before: end)
    }

    /// Where one stands next; `end` when none does.
    fileprivate func nextHeader(after offset: Int, before end: Int) throws -> Int {
        var start = offset + 1
        var bytes = [UInt8](repeating: 0, count: OpenFile.searched)
        while start + SegmentHeader.size <= end {
            let count = min(bytes.count, end - start)
            let found = try bytes.withUnsafeMutableBytes { buffer -> Int? in
                let window = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
                guard try read(into: window, at: start) else { return nil }
                return (0...count - SegmentHeader.size).first { position in
                    SegmentHeader(UnsafeRawBufferPointer(rebasing: window[position...])) != nil
                }
            }
            if let found { return start + found }
            // The last places of the window had no room for a header.
            start += count - SegmentHeader.size + 1
        }
        return end
    }
}

extension WriteTransaction {
    /// Unless it went, or was moved, since it was read.
    func move(_ body: BodyID, from old: BodyPlace, to new: BodyPlace) throws {
        guard try RowReader.place(body, db) == old else { return }
        try execute(
            "UPDATE body SET segment = ?, position = ? WHERE id = ?", [new.segment, new.offset, body.value])
        pending.live[old.segment, default: 0] -= old.extent
        pending.live[new.segment, default: 0] += new.extent
    }
}
