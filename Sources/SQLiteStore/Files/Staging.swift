import Glibc
import MailStore
import Synchronization

// A body on its way in: in memory while small, then in a file of its own, laid out as a segment record whose header
// is filled in when the body is committed, so that a large one becomes a segment by getting a second name.

enum StagingLimits {
    /// Octets kept in memory per body; twice this is the most a connection that sends mail holds.
    static let memory = 128 << 10
    /// From this size on a body is given a segment of its own instead of being copied into a shared one.
    static let ownSegment = 1 << 20
}

/// A body in memory.
final class MemoryBody: StagedBody {
    let bytes: [UInt8]
    let checksum: UInt64

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        checksum = bytes.withUnsafeBytes { Checksum.of($0) }
    }

    var count: Int { bytes.count }

    func withBytes<R>(_ read: (Span<UInt8>) throws -> R) throws -> R {
        let bytes = bytes
        return try read(bytes.span)
    }
}

/// A file in staging/, removed with the last reference.
final class StagingFile: Sendable {
    let path: String
    let file: OpenFile

    init(_ path: String) throws {
        self.path = path
        do {
            file = try OpenFile(path, O_RDWR | O_CREAT | O_EXCL)
        } catch let failure as OpenFailure {
            throw failure.storeError
        }
    }

    deinit { unlink(path) }
}

/// A body in a file, after `SegmentHeader.size` octets of room.
final class FileBody: StagedBody {
    let staging: StagingFile
    let count: Int
    let checksum: UInt64
    /// Set while a segment shares the file: the header belongs to it, so a second use is a copy.
    let isAdopted = Atomic(false)

    init(_ staging: StagingFile, count: Int, checksum: UInt64) {
        self.staging = staging
        self.count = count
        self.checksum = checksum
    }

    func withBytes<R>(_ read: (Span<UInt8>) throws -> R) throws -> R {
        let length = count + SegmentHeader.size
        let mapped = mmap(nil, length, PROT_READ, MAP_PRIVATE, staging.file.descriptor, 0)
        guard let mapped, mapped != MAP_FAILED else { throw StoreError.fromErrno(errno, "mapping a body") }
        defer { munmap(mapped, length) }
        let bytes = UnsafeRawBufferPointer(start: mapped + SegmentHeader.size, count: count)
        return try read(Span(_unsafeElements: bytes.assumingMemoryBound(to: UInt8.self)))
    }
}

/// Receives a body. One user at a time, as the protocol says; the lock makes that safe rather than fast.
final class StagingWriter: BodyWriter {
    private struct State {
        var piece: [UInt8] = []
        var file: StagingFile?
        var written = 0
        var checksum = Checksum()
    }
    private let state = Mutex(State())
    private let area: StagingArea

    init(_ area: StagingArea) { self.area = area }

    var count: Int { state.withLock { $0.written + $0.piece.count } }
    var needsSpill: Bool { state.withLock { $0.piece.count >= StagingLimits.memory } }

    func write(_ bytes: Span<UInt8>) {
        state.withLock { state in
            bytes.withUnsafeBufferPointer { state.piece.append(contentsOf: $0) }
        }
    }

    func spill() async throws {
        try await area.pool.run { [self] in try spillNow() }
    }

    private func spillNow() throws {
        try state.withLock { state in
            guard !state.piece.isEmpty else { return }
            let file = try state.file ?? StagingFile(area.newPath())
            state.file = file
            try state.piece.withUnsafeBytes { bytes in
                try area.files.writeAll(
                    bytes, to: file.file.descriptor, at: SegmentHeader.size + state.written)
                state.checksum.update(bytes)
            }
            state.written += state.piece.count
            state.piece.removeAll(keepingCapacity: true)
        }
    }

    func finish() async throws -> any StagedBody {
        if let small = state.withLock({ $0.file == nil ? MemoryBody($0.piece) : nil }) { return small }
        return try await area.pool.run { [self] in
            try spillNow()
            let body = state.withLock { state in
                state.file.map { FileBody($0, count: state.written, checksum: state.checksum.value) }
            }
            guard let body else { throw StoreError.unavailable("a body was finished twice") }
            // Now, on this thread, so that the committer only waits for what little is left.
            if body.count >= StagingLimits.ownSegment {
                do {
                    try area.files.sync(body.staging.file.descriptor)
                } catch let failure as SyncFailure {
                    throw StoreError.fromErrno(failure.code, "syncing a received body")
                }
            }
            return body
        }
    }
}

/// Where bodies wait, and who writes them there.
final class StagingArea: Sendable {
    let files: FileLayer
    let pool: WorkPool
    private let directory: String
    private let next = Atomic(0)

    init(_ directory: String, files: FileLayer, pool: WorkPool) {
        self.directory = directory
        self.files = files
        self.pool = pool
    }

    func newPath() -> String { "\(directory)/\(next.wrappingAdd(1, ordering: .relaxed).newValue).body" }
}
