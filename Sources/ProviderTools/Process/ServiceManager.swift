// C structures belong to one of several modules, depending on which the compiler reads first.
import CoreFoundation
import Dispatch
import Glibc

/// What is told to the service manager that started this process (sd_notify(3)): a datagram for each, to the socket that
/// `NOTIFY_SOCKET` names. Without one nothing is told.
package struct ServiceManager: Sendable {
    private let address: [UInt8]?
    /// How often it wants a sign of life; nil for never.
    package let watchdog: Duration?

    /// - Parameter environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`.
    package init(_ environment: [String: String], process: Int32 = getpid()) {
        let name = environment["NOTIFY_SOCKET"].map { Array($0.utf8) } ?? []
        let isAddress = name.first == UInt8(ascii: "/") || name.first == UInt8(ascii: "@")
        address = isAddress && (2..<108).contains(name.count) ? name : nil
        let isMine = environment["WATCHDOG_PID"].map { Int32($0) == process } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        watchdog = address != nil && isMine && microseconds > 0 ? .microseconds(microseconds) : nil
    }

    package func ready(_ status: String) { notify("READY=1\nSTATUS=\(status)") }

    /// Between this and `ready` the configuration is read again.
    package func reloading() {
        // CLOCK_MONOTONIC
        notify("RELOADING=1\nMONOTONIC_USEC=\(DispatchTime.now().uptimeNanoseconds / 1000)")
    }

    package func stopping() { notify("STOPPING=1\nSTATUS=Ending connections") }
    package func status(_ text: String) { notify("STATUS=\(text)") }
    package func alive() { notify("WATCHDOG=1") }

    private func notify(_ message: String) {
        guard let address else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: address) }
        // An abstract name begins with 0, written as @.
        if address.first == UInt8(ascii: "@") { name.sun_path.0 = 0 }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + address.count)
        let octets = Array(message.utf8)
        _ = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
