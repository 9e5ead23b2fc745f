import CoreFoundation
import Glibc
import MailVocabulary
import Synchronization

/// A stream socket that is bound, and perhaps listened on: from a service manager, or made while this process still had
/// the right to.
package final class BoundSocket: Sendable, CustomStringConvertible {
    private let descriptor: Mutex<Int32>
    package let isInternet: Bool
    /// Nobody but this machine's own programs can reach it.
    package let isOnlyLocal: Bool
    /// 0 for a UNIX socket.
    package let port: Int
    package let description: String

    /// Takes the descriptor over. Nil, and it stays open, when it is no bound stream socket.
    package init?(descriptor: Int32) {
        var type: Int32 = 0
        var length = socklen_t(MemoryLayout.size(ofValue: type))
        guard getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) == 0, type == Int32(SOCK_STREAM.rawValue),
            let place = BoundSocket.place(descriptor)
        else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        isInternet = place.address != nil
        isOnlyLocal = place.address?.isLoopback ?? true
        port = place.port
        description = place.description
        self.descriptor = Mutex(descriptor)
    }

    deinit {
        let descriptor = handOver()
        if descriptor >= 0 { close(descriptor) }
    }

    /// The descriptor, once: whoever takes it closes it.
    func handOver() -> Int32 {
        descriptor.withLock { descriptor in
            defer { descriptor = -1 }
            return descriptor
        }
    }

    /// Binds, without listening. An IPv6 address is bound for IPv6 alone. Throws `ListenError`.
    package init(binding address: ListenerAddress) throws(ListenError) {
        guard let place = NetworkAddress(address.host) ?? BoundSocket.lookUp(address.host) else {
            throw ListenError(address: address, code: nil)
        }
        let descriptor = socket(
            place.isIPv4 ? AF_INET : AF_INET6, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw ListenError(address: address, code: errno) }
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout.size(ofValue: on))
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size)
        if !place.isIPv4 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, size) }
        guard BoundSocket.bind(descriptor, place, address.port) == 0, let bound = BoundSocket.place(descriptor) else {
            let code = errno
            close(descriptor)
            throw ListenError(address: address, code: code)
        }
        isInternet = true
        isOnlyLocal = place.isLoopback
        port = bound.port
        description = bound.description
        self.descriptor = Mutex(descriptor)
    }

    /// A name's first address, from the machine's own list.
    private static func lookUp(_ name: String) -> NetworkAddress? {
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, nil, &found) == 0, let found else { return nil }
        defer { freeaddrinfo(found) }
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = getnameinfo(
            found.pointee.ai_addr, found.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        return status == 0
            ? NetworkAddress(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            : nil
    }

    private static func bind(_ descriptor: Int32, _ place: NetworkAddress, _ port: Int) -> Int32 {
        var storage = sockaddr_storage()
        let port = in_port_t(truncatingIfNeeded: port).bigEndian
        return withUnsafeMutablePointer(to: &storage) { storage in
            let length: Int
            if place.isIPv4 {
                length = MemoryLayout<sockaddr_in>.size
                storage.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    $0.pointee.sin_family = sa_family_t(AF_INET)
                    $0.pointee.sin_port = port
                    _ = inet_pton(AF_INET, place.description, &$0.pointee.sin_addr)
                }
            } else {
                length = MemoryLayout<sockaddr_in6>.size
                storage.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    $0.pointee.sin6_family = sa_family_t(AF_INET6)
                    $0.pointee.sin6_port = port
                    _ = inet_pton(AF_INET6, place.description, &$0.pointee.sin6_addr)
                }
            }
            return storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(length))
            }
        }
    }

    /// Where a socket is bound; the address is nil for a UNIX socket. Nil when it is not bound.
    private static func place(_ descriptor: Int32) -> (address: NetworkAddress?, port: Int, description: String)? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout.size(ofValue: storage))
        let status = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard status == 0 else { return nil }
        let octets = withUnsafeBytes(of: &storage) { Array($0) }
        let port = Int(octets[2]) << 8 | Int(octets[3])
        switch Int32(storage.ss_family) {
        case AF_INET:
            guard let address = NetworkAddress(octets: octets[4..<8]) else { return nil }
            return (address, port, "\(address):\(port)")
        case AF_INET6:
            guard let address = NetworkAddress(octets: octets[8..<24]) else { return nil }
            return (address, port, "[\(address)]:\(port)")
        case AF_UNIX:
            guard length > 2 else { return nil }
            return (nil, 0, String(decoding: octets[2...].prefix { $0 != 0 }, as: UTF8.self))
        case _: return nil
        }
    }
}
