// C structures belong to Glibc or to CoreFoundation, depending on which the compiler reads first.
import CoreFoundation
import Dispatch
import Glibc

/// One message to one name server, and its answer, over TCP (RFC 7766), which every server of zones has.
enum DNSExchange {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// For each of connecting, sending and receiving, seconds.
    private static let patience = 5
    private static let queue = DispatchQueue(label: "dns-exchange", attributes: .concurrent)

    /// - Parameter address: octets in network order, 4 or 16.
    static func perform(_ message: [UInt8], at address: [UInt8], port: Int) async throws(Failure) -> DNSReply {
        let result: Result<DNSReply, Failure> = await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(
                    returning: Result { () throws(Failure) in try exchange(message, address, port) })
            }
        }
        return try result.get()
    }

    private static func exchange(_ message: [UInt8], _ address: [UInt8], _ port: Int) throws(Failure) -> DNSReply {
        let family = address.count == 4 ? AF_INET : AF_INET6
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        // Of connecting too, on Linux.
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        let length = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, length)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, length)
        guard connect(descriptor, address, port) == 0 else { throw failure() }
        var framed: [UInt8] = []
        framed.append(number: UInt16(message.count))
        framed += message
        var sent = 0
        while sent < framed.count {
            let count = framed[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw failure() }
            sent += count
        }
        let header = try receive(descriptor, 2)
        let octets = try receive(descriptor, Int(header[0]) << 8 | Int(header[1]))
        guard let reply = DNSReply(octets), octets.prefix(2) == message.prefix(2) else {
            throw Failure(description: "its answer is malformed")
        }
        return reply
    }

    /// Each octet may take its time, so all of them have a deadline too.
    private static func receive(_ descriptor: Int32, _ count: Int) throws(Failure) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: count)
        var received = 0
        let end = ContinuousClock.now + .seconds(patience)
        while received < count {
            let more = octets[received...].withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard more != 0 else { throw Failure(description: "it ended the connection") }
            guard more > 0 else { throw failure() }
            received += more
            guard ContinuousClock.now < end else { throw Failure(description: "it does not answer") }
        }
        return octets
    }

    private static func connect(_ descriptor: Int32, _ octets: [UInt8], _ port: Int) -> Int32 {
        let port = UInt16(truncatingIfNeeded: port).bigEndian
        if octets.count == 4 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port
            withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: octets) }
            return withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port
        withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: octets.prefix(16)) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }

    private static func failure() -> Failure {
        let code = errno
        let isLate = code == EAGAIN || code == EINPROGRESS || code == ETIMEDOUT
        return Failure(description: isLate ? "it does not answer" : String(cString: strerror(code)))
    }
}
