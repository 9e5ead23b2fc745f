import Glibc
import MailStore
import Synchronization

/// Reads records of segments. Files stay open while they are used.
final class SegmentReader: Sendable {
    /// Files kept open; descriptors are for connections.
    private static let openLimit = 64

    private struct State {
        var files: [Int64: (file: OpenFile, lastUse: UInt64)] = [:]
        var clock: UInt64 = 0
    }
    private let state = Mutex(State())
    private let directory: StoreDirectory

    init(_ directory: StoreDirectory) { self.directory = directory }

    /// The record is not there, or is another's: the body may have been moved since its place was looked up.
    struct Mismatch: Error {
        var problem: String
    }

    /// A whole body, its checksum verified. Throws `Mismatch`.
    func body(_ id: BodyID, _ found: FoundBody) throws -> [UInt8] {
        guard found.place.segment == BodyPlace.parked else { return try body(id, found.place) }
        guard let content = found.content, content.count == found.place.length,
            content.withUnsafeBytes({ Checksum.of($0) }) == found.place.checksum
        else { throw Mismatch(problem: "its octets in the database are missing or changed") }
        return content
    }

    /// Part of a body; nothing but the header can be verified of one in a segment. Throws `Mismatch`.
    func part(_ range: Range<Int>, of id: BodyID, _ found: FoundBody) throws -> [UInt8] {
        guard found.place.segment == BodyPlace.parked else { return try part(range, of: id, found.place) }
        return Array(try body(id, found)[range])
    }

    /// A whole body, its checksum verified. Throws `Mismatch`.
    func body(_ id: BodyID, _ place: BodyPlace) throws -> [UInt8] {
        let file = try file(place.segment)
        // Into the memory that is handed over: nothing is copied twice.
        let bytes = try withUnsafeTemporaryAllocation(byteCount: SegmentHeader.size, alignment: 8) { head in
            let bytes = try [UInt8](unsafeUninitializedCapacity: place.length) { buffer, count in
                let isWhole = try file.read(
                    into: head, UnsafeMutableRawBufferPointer(buffer), place.length, at: place.offset)
                guard isWhole else { throw Mismatch(problem: "the segment ends before the body does") }
                count = place.length
            }
            try check(UnsafeRawBufferPointer(head), id, place)
            return bytes
        }
        guard bytes.withUnsafeBytes({ Checksum.of($0) }) == place.checksum else {
            throw Mismatch(problem: "its checksum is wrong")
        }
        return bytes
    }

    /// Part of a body; nothing but the header can be verified. Throws `Mismatch`.
    func part(_ range: Range<Int>, of id: BodyID, _ place: BodyPlace) throws -> [UInt8] {
        let file = try file(place.segment)
        var header = [UInt8](repeating: 0, count: SegmentHeader.size)
        guard try header.withUnsafeMutableBytes({ try file.read(into: $0, at: place.offset) }) else {
            throw Mismatch(problem: "the segment ends before the body does")
        }
        try header.withUnsafeBytes { try check($0, id, place) }
        var isWhole = false
        let bytes = try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            isWhole = try file.read(
                into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<range.count]),
                at: place.offset + SegmentHeader.size + range.lowerBound)
            count = isWhole ? range.count : 0
        }
        guard isWhole else { throw Mismatch(problem: "the segment ends before the body does") }
        return bytes
    }

    private func check(_ bytes: UnsafeRawBufferPointer, _ id: BodyID, _ place: BodyPlace) throws {
        let expected = SegmentHeader(
            body: id.value, length: UInt32(truncatingIfNeeded: place.length), checksum: place.checksum)
        guard SegmentHeader(bytes) == expected else {
            throw Mismatch(problem: "its record's header is wrong")
        }
    }

    func file(_ segment: Int64) throws -> OpenFile {
        let known = state.withLock { state in
            state.clock += 1
            state.files[segment]?.lastUse = state.clock
            return state.files[segment]?.file
        }
        if let known { return known }
        do {
            let file = try OpenFile(directory.segment(segment), O_RDONLY)
            keep(file, segment)
            // Removed between opening and keeping, when `forget` came too early.
            if try file.isRemoved() { forget(segment) }
            return file
        } catch let failure as OpenFailure where failure.code == ENOENT {
            throw Mismatch(problem: "its segment \(segment) is missing")
        } catch let failure as OpenFailure {
            throw failure.storeError
        }
    }

    /// Its name is gone: a file that stays open keeps its octets on the disk.
    func forget(_ segment: Int64) { state.withLock { $0.files[segment] = nil } }

    private func keep(_ file: OpenFile, _ segment: Int64) {
        state.withLock { state in
            state.clock += 1
            state.files[segment] = (file, state.clock)
            guard state.files.count > Self.openLimit else { return }
            if let oldest = state.files.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                state.files[oldest.key] = nil
            }
        }
    }
}

extension OpenFile {
    /// Fills `head` and then `length` octets of `rest` in one call where it can; false when the file ends before.
    func read(
        into head: UnsafeMutableRawBufferPointer, _ rest: UnsafeMutableRawBufferPointer, _ length: Int, at offset: Int
    ) throws -> Bool {
        let vectors = [
            iovec(iov_base: head.baseAddress, iov_len: head.count), iovec(iov_base: rest.baseAddress, iov_len: length),
        ]
        let count = preadv(descriptor, vectors, 2, off_t(offset))
        guard count >= 0 || errno == EINTR else { throw StoreError.fromErrno(errno, "reading") }
        guard count < head.count + length else { return true }
        // Interrupted, or more than one call gives: the plain way.
        return try read(into: head, at: offset)
            && read(into: UnsafeMutableRawBufferPointer(rebasing: rest[..<length]), at: offset + head.count)
    }
}
