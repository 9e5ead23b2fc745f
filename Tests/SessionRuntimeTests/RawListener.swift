import Glibc
import MailTestSupport
import WireFraming

/// A listening socket without manners: what a client is attacked with.
final class RawListener: Sendable {
    private let descriptor: Int32
    let address: StreamAddress

    /// On a free port of loopback.
    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw TestFailure("cannot listen: \(errno)") }
        address = .internet(address: "127.0.0.1", port: Int(in_port_t(bigEndian: name.sin_port)))
    }

    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let descriptor = descriptor
        let isBound = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 && listen(descriptor, 16) == 0
            }
        }
        guard isBound else { throw TestFailure("cannot listen: \(errno)") }
        address = .local(path: path)
    }

    deinit { Glibc.close(descriptor) }

    func accept() async throws -> RawSocket {
        let descriptor = descriptor
        return try await blocking {
            let accepted = Glibc.accept(descriptor, nil, nil)
            guard accepted >= 0 else { throw TestFailure("cannot accept: \(errno)") }
            return RawSocket(descriptor: accepted)
        }
    }
}
