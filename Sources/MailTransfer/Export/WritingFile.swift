import Foundation
import Glibc
import MailVocabulary

/// A file that comes into being whole: written under another name, then moved.
final class WritingFile {
    let path: String
    private let temporary: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var isOpen = true

    /// - Parameter temporary: on the same file system. Throws `TransferError`.
    init(_ path: String, temporary: String) throws {
        self.path = path
        self.temporary = temporary
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure(temporary) }
    }

    deinit { discard() }

    private static func failure(_ path: String) -> TransferError {
        TransferError("\(path): \(String(cString: strerror(errno)))")
    }

    /// Octets gathered before they are written.
    private static let bufferSize = 256 * 1024

    func write(_ octets: some Collection<UInt8>) throws {
        buffer += octets
        if buffer.count >= Self.bufferSize { try flush() }
    }

    private func flush() throws {
        var written = 0
        while written < buffer.count {
            let count = buffer.withUnsafeBytes { bytes in
                Glibc.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(temporary) }
            written += count
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Moves the file to its place. What is exported can be exported again: its durability is the file system's.
    func finish(date: Timestamp? = nil) throws {
        try flush()
        if let date {
            let times = [
                timespec(tv_sec: Int(date.seconds), tv_nsec: 0), timespec(tv_sec: Int(date.seconds), tv_nsec: 0),
            ]
            futimens(descriptor, times)
        }
        guard isOpen, close(descriptor) == 0 else { throw Self.failure(temporary) }
        isOpen = false
        guard rename(temporary, path) == 0 else { throw Self.failure(path) }
    }

    func discard() {
        guard isOpen else { return }
        isOpen = false
        close(descriptor)
        unlink(temporary)
    }

    static func makeDirectory(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw TransferError("\(path): \(error.localizedDescription)")
        }
    }

    /// A small file of lines, at once.
    static func write(_ lines: [String], to path: String) throws {
        let file = try WritingFile(path, temporary: path + ".part")
        for line in lines { try file.write((line + "\n").utf8) }
        try file.finish()
    }
}

/// CRLF becomes LF, piece by piece: what Unix programs keep.
struct LineFeeds {
    private var endsInCR = false

    mutating func append(_ piece: [UInt8], to output: inout [UInt8]) {
        for byte in piece {
            if endsInCR, byte != 0x0A { output.append(0x0D) }
            endsInCR = byte == 0x0D
            if !endsInCR { output.append(byte) }
        }
    }

    mutating func finish(_ output: inout [UInt8]) {
        if endsInCR { output.append(0x0D) }
        endsInCR = false
    }
}
