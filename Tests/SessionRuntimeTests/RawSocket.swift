import Glibc
import MailTestSupport

/// A TCP socket without manners: what an attacker uses.
/// @unchecked: a test uses it from one task, one call at a time.
final class RawSocket: @unchecked Sendable {
    private let descriptor: Int32
    private var pending: [UInt8] = []

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw TestFailure("cannot connect: \(errno)") }
        setPatience()
    }

    /// One that was accepted.
    init(descriptor: Int32) {
        self.descriptor = descriptor
        setPatience()
    }

    private func setPatience() {
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Sends no more, and reads no more.
    func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// So many octets, for as long as it takes.
    func sendAll(octets: Int) throws {
        let chunk = [UInt8](repeating: 0x42, count: 65_536)
        var left = octets
        while left > 0 {
            let sent = Glibc.send(descriptor, chunk, min(left, chunk.count), Int32(MSG_NOSIGNAL))
            guard sent > 0 else { throw TestFailure("cannot send: \(errno)") }
            left -= sent
        }
    }

    func send(_ text: String) throws {
        try send(Array(text.utf8))
    }

    func send(_ bytes: [UInt8]) throws {
        guard Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw TestFailure("cannot send: \(errno)")
        }
    }

    /// So many octets; fewer at the end.
    func read(_ count: Int) async throws -> [UInt8] {
        try await blocking { [self] in
            while pending.count < count, try fill() {}
            defer { pending.removeFirst(min(count, pending.count)) }
            return Array(pending.prefix(count))
        }
    }

    /// Without its CRLF.
    func readLine() async throws -> String {
        try await blocking { [self] in try nextLine() }
    }

    private func nextLine() throws -> String {
        while true {
            if let end = pending.firstIndex(of: 0x0A) {
                let line = pending[..<end].filter { $0 != 0x0D }
                pending.removeFirst(end + 1)
                return String(decoding: line, as: UTF8.self)
            }
            guard try fill() else { throw TestFailure("closed before a line came") }
        }
    }

    func readToEnd() async throws -> String {
        try await blocking { [self] in
            while try fill() {}
            defer { pending = [] }
            return String(decoding: pending, as: UTF8.self)
        }
    }

    private func fill() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count < 0, errno == EAGAIN { throw TestFailure("nothing came within 60 seconds") }
        guard count > 0 else { return false }
        pending += chunk[..<count]
        return true
    }
}
