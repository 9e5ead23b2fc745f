// C structures belong to either module, depending on which the compiler reads first.
import CoreFoundation
import Glibc

/// A stream socket in the file system that carries lines of JSON.
final class UnixSocket: @unchecked Sendable {
    // @unchecked: the descriptor never changes; reading is done by one thread, writing by one at a time.

    /// Octets of one line: a batch of users, or a part of the list, with room.
    static let maximumLine = 8 << 20

    /// Microseconds.
    private static let pauseAfterFailure: UInt32 = 100_000

    let descriptor: Int32
    private var buffer: [UInt8] = []

    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// The path of a socket in `directory`, short enough for `sockaddr_un` however long the directory's own is.
    private static func withAddress(
        _ name: String, in directory: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return -1 }
        defer { close(folder) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: "/proc/self/fd/\(folder)/\(name)".utf8.prefix(100))
        }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }

    private static func make() -> Int32 { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0) }

    /// Nil when nobody listens there. Throws when that could not be found out.
    static func connect(_ name: String, in directory: String) throws(FileError) -> UnixSocket? {
        let descriptor = make()
        guard descriptor >= 0 else { throw FileError(directory, errno: errno) }
        let socket = UnixSocket(descriptor: descriptor)
        let status = withAddress(name, in: directory) { Glibc.connect(descriptor, $0, $1) }
        guard status != 0 else { return socket }
        guard errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR else {
            throw FileError("\(directory)/\(name)", errno: errno)
        }
        return nil
    }

    /// Listens, for this user only. A socket that a dead process left is replaced.
    static func listen(_ name: String, in directory: String) throws(FileError) -> UnixSocket {
        let path = "\(directory)/\(name)"
        let descriptor = make()
        guard descriptor >= 0 else { throw FileError(path, errno: errno) }
        let socket = UnixSocket(descriptor: descriptor)
        unlink(path)
        guard withAddress(name, in: directory, { bind(descriptor, $0, $1) }) == 0, chmod(path, 0o600) == 0,
            Glibc.listen(descriptor, 8) == 0
        else { throw FileError(path, errno: errno) }
        return socket
    }

    /// Waits for a connection; nil when the socket was shut down.
    func accept() -> UnixSocket? {
        while true {
            let descriptor = Glibc.accept(self.descriptor, nil, nil)
            if descriptor >= 0 {
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                return UnixSocket(descriptor: descriptor)
            }
            switch errno {
            // Of a connection that failed, or until others are closed: the next one is to be heard.
            case EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EINTR: usleep(Self.pauseAfterFailure)
            case _: return nil
            }
        }
    }

    /// Ends `accept` and `readLine` of other threads.
    func shutDown() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// The user at the other end.
    var peerUser: uid_t? {
        // struct ucred of unix(7): process, user, group. The Glibc module does not show it.
        var credentials: (process: pid_t, user: uid_t, group: gid_t) = (0, .max, .max)
        var length = socklen_t(MemoryLayout.size(ofValue: credentials))
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 else { return nil }
        return credentials.user
    }

    /// How long reading or writing may stand still.
    func setTimeout(seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        let length = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, length)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, length)
    }

    /// Without the line feed; nil at the end, after an error, or when a line is too long.
    func readLine() -> [UInt8]? {
        var searched = 0
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                let line = Array(buffer[..<end])
                buffer.removeFirst(end + 1)
                return line
            }
            searched = buffer.count
            guard buffer.count <= Self.maximumLine else { return nil }
            var piece = [UInt8](repeating: 0, count: 64 * 1024)
            let count = recv(descriptor, &piece, piece.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            buffer += piece[..<count]
        }
    }

    /// False when the other end is gone.
    func write(_ line: some Collection<UInt8>) -> Bool {
        var rest = (Array(line) + [0x0A])[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
