import Glibc
import Synchronization

/// Where a listener's UNIX socket is, and who may open it.
package struct UnixSocketAddress: Sendable, Hashable {
    package var path: String
    /// Permission bits: who may write may connect.
    package var mode: UInt32
    /// Numbers; nil for the process's own.
    package var owner: UInt32?
    package var group: UInt32?

    package init(path: String, mode: UInt32 = 0o660, owner: UInt32? = nil, group: UInt32? = nil) {
        self.path = path
        self.mode = mode
        self.owner = owner
        self.group = group
    }
}

/// A socket cannot be made.
package struct UnixSocketError: Error, Sendable {
    package var path: String
    /// `errno`: `EADDRINUSE` when somebody listens there, `EEXIST` when the path is no socket, `ENAMETOOLONG`.
    package var code: Int32
}

/// A socket in the file system, bound but not yet listened on: nobody can connect before its permissions are set.
final class UnixListener: Sendable {
    private let path: String
    private let descriptor: Mutex<Int32>
    /// What was made: another's socket at the same path is not removed.
    private let identity: (device: UInt, file: UInt)

    /// Throws `UnixSocketError`.
    init(_ address: UnixSocketAddress) throws(UnixSocketError) {
        path = address.path
        try Self.clear(address.path)
        let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw UnixSocketError(path: address.path, code: errno) }
        // What is bound gets the descriptor's mode: closed to others from the beginning.
        guard fchmod(socket, 0o600) == 0, Self.call(bind, socket, address.path) == 0 else {
            let code = errno
            close(socket)
            throw UnixSocketError(path: address.path, code: code)
        }
        var status = stat()
        let owner = address.owner ?? uid_t.max, group = address.group ?? gid_t.max
        guard chown(address.path, owner, group) == 0, chmod(address.path, mode_t(address.mode)) == 0,
            lstat(address.path, &status) == 0
        else {
            let code = errno
            close(socket)
            unlink(address.path)
            throw UnixSocketError(path: address.path, code: code)
        }
        descriptor = Mutex(socket)
        identity = (UInt(status.st_dev), UInt(status.st_ino))
    }

    deinit {
        let socket = handOver()
        if socket >= 0 { close(socket) }
    }

    /// The descriptor, once: whoever takes it closes it.
    func handOver() -> Int32 {
        descriptor.withLock { descriptor in
            defer { descriptor = -1 }
            return descriptor
        }
    }

    func remove() {
        var status = stat()
        guard lstat(path, &status) == 0, identity == (UInt(status.st_dev), UInt(status.st_ino)) else { return }
        unlink(path)
    }

    /// Removes a socket that nobody listens on.
    private static func clear(_ path: String) throws(UnixSocketError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw UnixSocketError(path: path, code: EEXIST) }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { throw UnixSocketError(path: path, code: errno) }
        defer { close(probe) }
        guard call(connect, probe, path) != 0 else { throw UnixSocketError(path: path, code: EADDRINUSE) }
        guard errno == ECONNREFUSED else { throw UnixSocketError(path: path, code: errno) }
        unlink(path)
    }

    /// `bind` or `connect`.
    private static func call(
        _ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ socket: Int32, _ path: String
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array(path.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path), !name.contains(0) else {
            errno = ENAMETOOLONG
            return -1
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                function(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
