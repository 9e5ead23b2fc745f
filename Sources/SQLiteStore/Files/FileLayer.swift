import Glibc
import MailStore

/// The system calls that can fail for want of room or health of the disk. Tests put failing ones in their place.
package struct FileLayer: Sendable {
    package var write: @Sendable (_ file: Int32, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int
    package var syncData: @Sendable (_ file: Int32) -> Int32

    package init(
        write: @escaping @Sendable (Int32, UnsafeRawBufferPointer, Int) -> Int,
        syncData: @escaping @Sendable (Int32) -> Int32
    ) {
        self.write = write
        self.syncData = syncData
    }

    package static let system = FileLayer(
        write: { pwrite($0, $1.baseAddress, $1.count, off_t($2)) }, syncData: { fdatasync($0) })

    /// Writes all bytes, continuing after short writes.
    func writeAll(_ bytes: UnsafeRawBufferPointer, to file: Int32, at offset: Int) throws {
        var done = 0
        while done < bytes.count {
            let count = write(file, UnsafeRawBufferPointer(rebasing: bytes[done...]), offset + done)
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                throw StoreError.fromErrno(count == 0 ? EIO : errno, "writing")
            }
        }
    }

    /// Throws `SyncFailure`: what was written may be lost although later calls succeed.
    func sync(_ file: Int32) throws {
        guard syncData(file) == 0 else { throw SyncFailure(code: errno) }
    }
}

/// The kernel reports a failed write-back once and forgets the pages: nothing more may be promised by this process.
struct SyncFailure: Error {
    var code: Int32
}

extension StoreError {
    static func fromErrno(_ code: Int32, _ doing: String) -> StoreError {
        switch code {
        case ENOSPC, EDQUOT, EFBIG: .noSpace
        case _: .unavailable("\(doing): \(String(cString: strerror(code)))")
        }
    }
}

/// An open file; closed with the last reference.
final class OpenFile: Sendable {
    let descriptor: Int32

    init(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws {
        descriptor = Glibc.open(path, flags | O_CLOEXEC, mode)
        if descriptor < 0 { throw OpenFailure(code: errno, path: path) }
    }

    deinit { Glibc.close(descriptor) }

    /// Octets.
    func size() throws -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StoreError.fromErrno(errno, "fstat") }
        return Int(status.st_size)
    }

    /// No name is left.
    func isRemoved() throws -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StoreError.fromErrno(errno, "fstat") }
        return status.st_nlink == 0
    }

    /// Fills the buffer; false when the file ends before.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Bool {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(offset + done))
            if count > 0 {
                done += count
            } else if count == 0 {
                return false
            } else if errno != EINTR {
                throw StoreError.fromErrno(errno, "reading")
            }
        }
        return true
    }
}

/// Octets; nil when it is not there.
func fileSize(_ path: String) -> Int? {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : nil
}

struct OpenFailure: Error {
    var code: Int32
    var path: String

    var storeError: StoreError { .fromErrno(code, "opening \(path)") }
}

/// Makes names in a directory durable.
func syncDirectory(_ path: String) throws {
    let directory = try OpenFile(path, O_RDONLY | O_DIRECTORY)
    guard fsync(directory.descriptor) == 0 else { throw SyncFailure(code: errno) }
}

extension FileLayer {
    /// Writes a file under another name, then gives it its own: nobody sees a part of it. Not synced.
    func replace(_ path: String, with octets: [UInt8]) throws {
        do {
            let file = try OpenFile(path + ".new", O_RDWR | O_CREAT | O_TRUNC)
            try octets.withUnsafeBytes { try writeAll($0, to: file.descriptor, at: 0) }
        } catch {
            unlink(path + ".new")
            throw error
        }
        guard rename(path + ".new", path) == 0 else { throw StoreError.fromErrno(errno, "naming a file") }
    }
}
