import Glibc
import MailStore
import Synchronization

/// A body to be kept, in one of the two forms the store receives them in.
enum OutgoingBody: Sendable {
    case memory(MemoryBody)
    case file(FileBody)
    /// One that is kept already and is to have another place (compaction).
    case moved(BodyID, MemoryBody)

    var count: Int {
        switch self {
        case .memory(let body), .moved(_, let body): body.count
        case .file(let body): body.count
        }
    }

    var checksum: UInt64 {
        switch self {
        case .memory(let body), .moved(_, let body): body.checksum
        case .file(let body): body.checksum
        }
    }

    /// New, and in memory.
    var memory: MemoryBody? {
        if case .memory(let body) = self { body } else { nil }
    }

    var knownID: Int64? {
        if case .moved(let id, _) = self { id.value } else { nil }
    }
}

/// Appends bodies to the open segment. Owned by the committer, used on its queue only.
final class SegmentWriter {
    /// Octets gathered before they are written in one call.
    private static let gathered = 1 << 20

    private let directory: StoreDirectory
    private let files: FileLayer
    private let rollOver: Int
    private var open: (id: Int64, file: OpenFile, end: Int)?
    private(set) var lastID: Int64
    private var scratch: [UInt8] = []
    private var needsSync = false
    private var namesChanged = false
    /// Bodies given a segment of their own since the last `sync`, and those segments.
    private var adopted: [(body: FileBody, segment: Int64)] = []
    /// Segments whose first record was written since the last commit, and whether they take no more.
    private(set) var created: [(id: Int64, isSealed: Bool)] = []
    private(set) var sealed: [Int64] = []

    var openSegment: Int64? { open?.id }

    /// Goes on with `last` where it ends, whatever a crash left there.
    init(_ directory: StoreDirectory, files: FileLayer, rollOver: Int, last: Int64?, lastID: Int64) throws {
        self.directory = directory
        self.files = files
        self.rollOver = rollOver
        self.lastID = lastID
        guard let last else { return }
        do {
            let file = try OpenFile(directory.segment(last), O_RDWR)
            open = (last, file, try file.size())
        } catch let failure as OpenFailure {
            throw StoreError.damaged("segment \(last): \(failure.storeError)")
        }
    }

    /// Writes the bodies of several callers, all or none.
    func write(_ callers: [[(id: Int64, body: OutgoingBody)]]) throws -> [[BodyPlace]] {
        let before = open
        do {
            let places = try callers.map { bodies in try bodies.map { id, body in try place(body, id: id) } }
            try flush()
            return places
        } catch {
            scratch.removeAll()
            if let before, before.id == open?.id {
                ftruncate(before.file.descriptor, off_t(before.end))
                open = before
            }
            throw error
        }
    }

    private func place(_ body: OutgoingBody, id: Int64) throws -> BodyPlace {
        let header = SegmentHeader(body: id, length: UInt32(body.count), checksum: body.checksum)
        if case .file(let file) = body, file.count >= StagingLimits.ownSegment,
            !file.isAdopted.exchange(true, ordering: .relaxed)
        {
            return try adopt(file, header)
        }
        let segment = try openForWriting()
        let place = BodyPlace(
            segment: segment.id, offset: segment.end + scratch.count, length: body.count, checksum: body.checksum)
        scratch.append(contentsOf: header.encoded)
        switch body {
        case .memory(let memory), .moved(_, let memory): scratch.append(contentsOf: memory.bytes)
        case .file(let file): try copy(file)
        }
        if scratch.count >= Self.gathered { try flush() }
        return place
    }

    /// In pieces: memory stays bounded whatever the size.
    private func copy(_ body: FileBody) throws {
        var piece = [UInt8](repeating: 0, count: min(body.count, Self.gathered))
        var offset = 0
        while offset < body.count {
            let count = min(piece.count, body.count - offset)
            let isWhole = try piece.withUnsafeMutableBytes { buffer in
                try body.staging.file.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]),
                    at: SegmentHeader.size + offset)
            }
            guard isWhole else { throw StoreError.damaged("a staged body is shorter than what was written") }
            scratch.append(contentsOf: piece[..<count])
            offset += count
            if scratch.count >= Self.gathered { try flush() }
        }
    }

    private func flush() throws {
        guard !scratch.isEmpty, let segment = open else { return }
        try scratch.withUnsafeBytes { try files.writeAll($0, to: segment.file.descriptor, at: segment.end) }
        open?.end += scratch.count
        scratch.removeAll(keepingCapacity: scratch.count <= Self.gathered * 2)
        needsSync = true
    }

    private func openForWriting() throws -> (id: Int64, file: OpenFile, end: Int) {
        if let open, open.end + scratch.count < rollOver { return open }
        try flush()
        // What was written to the old one is still to be made durable.
        if let old = open {
            if needsSync { try files.sync(old.file.descriptor) }
            sealed.append(old.id)
        }
        lastID += 1
        do {
            let file = try OpenFile(directory.segment(lastID), O_RDWR | O_CREAT | O_EXCL)
            let segment = (id: lastID, file: file, end: 0)
            open = segment
            created.append((lastID, false))
            namesChanged = true
            return segment
        } catch let failure as OpenFailure {
            throw failure.storeError
        }
    }

    /// The staging file gets a second name: its octets are already on disk.
    private func adopt(_ body: FileBody, _ header: SegmentHeader) throws -> BodyPlace {
        lastID += 1
        adopted.append((body, lastID))
        let descriptor = body.staging.file.descriptor
        try header.encoded.withUnsafeBytes { try files.writeAll($0, to: descriptor, at: 0) }
        guard link(body.staging.path, directory.segment(lastID)) == 0 else {
            throw StoreError.fromErrno(errno, "linking a segment")
        }
        created.append((lastID, true))
        namesChanged = true
        return BodyPlace(segment: lastID, offset: 0, length: body.count, checksum: body.checksum)
    }

    /// Makes everything written durable. Throws `SyncFailure`.
    func sync() throws {
        if needsSync, let open { try files.sync(open.file.descriptor) }
        for (body, _) in adopted { try files.sync(body.staging.file.descriptor) }
        if namesChanged { try syncDirectory(directory.segments) }
        needsSync = false
        namesChanged = false
    }

    /// The rows that name what was written are committed.
    func committed() {
        created.removeAll()
        sealed.removeAll()
        adopted.removeAll()
    }

    /// They are not, and will not be: bodies may be offered again; octets in shared segments are dead.
    func abandoned() {
        for (body, segment) in adopted {
            unlink(directory.segment(segment))
            created.removeAll { $0.id == segment }
            body.isAdopted.store(false, ordering: .relaxed)
        }
        adopted.removeAll()
    }
}
