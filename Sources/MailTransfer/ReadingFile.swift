import Glibc

/// A file that is read by ranges. Not mapped: a file that another program shortens would end the process.
final class ReadingFile: Sendable {
    let path: String
    let size: Int
    /// Seconds since 1970 of its last change.
    let modified: Int64
    private let descriptor: Int32

    /// Throws `TransferError`.
    init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        var information = stat()
        guard descriptor >= 0, fstat(descriptor, &information) == 0 else {
            let code = errno
            if descriptor >= 0 { close(descriptor) }
            throw TransferError("\(path): \(String(cString: strerror(code)))")
        }
        size = Int(information.st_size)
        modified = Int64(information.st_mtim.tv_sec)
    }

    deinit { close(descriptor) }

    /// The octets of a range; fewer where the file ends before it. Throws `TransferError`.
    func read(_ range: Range<Int>) throws -> [UInt8] {
        guard !range.isEmpty else { return [] }
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            while count < range.count {
                let read = pread(
                    descriptor, buffer.baseAddress.map { $0 + count }, range.count - count,
                    off_t(range.lowerBound + count))
                if read < 0, errno == EINTR { continue }
                if read < 0 { failure = errno }
                guard read > 0 else { break }
                count += read
            }
        }
        guard failure == 0 else { throw TransferError("\(path): \(String(cString: strerror(failure)))") }
        return bytes
    }

    /// A whole small file as text, line by line; empty when there is none. Throws `TransferError` when it is larger than
    /// `limit` octets: nothing that programs write there is.
    static func lines(of path: String, limit: Int = 256 << 20) throws -> [Substring] {
        guard access(path, F_OK) == 0 else { return [] }
        let file = try ReadingFile(path)
        guard file.size <= limit else { throw TransferError("\(path): larger than \(limit >> 20) MiB") }
        let text = String(decoding: try file.read(0..<file.size), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline)
    }
}
