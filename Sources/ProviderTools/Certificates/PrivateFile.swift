import Foundation
import Glibc

/// Why a file could not be written.
package struct FileError: Error, CustomStringConvertible {
    package var path: String
    package var problem: String

    package var description: String { "\(path): \(problem)" }

    init(_ path: String, errno code: Int32) {
        self.path = path
        problem = String(cString: strerror(code))
    }
}

/// Files for secrets: never, not even for a moment, readable by others.
enum PrivateFile {
    /// Replaces the file at once and durably, with mode 0600 unless said otherwise.
    static func write(_ text: String, to path: String, mode: mode_t = 0o600) throws(FileError) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw FileError(temporary, errno: errno) }
        defer { close(descriptor) }
        guard fchmod(descriptor, mode) == 0 else { throw FileError(temporary, errno: errno) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 || errno == EINTR else { throw FileError(temporary, errno: errno) }
            rest = rest.dropFirst(max(0, written))
        }
        guard fsync(descriptor) == 0, rename(temporary, path) == 0 else { throw FileError(path, errno: errno) }
    }

    /// Makes the directory and its parents; the last with mode 0700 when it is new.
    static func makeDirectory(_ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
}
