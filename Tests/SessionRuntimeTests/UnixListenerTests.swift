import Foundation
import Glibc
import Logging
import MailTestSupport
import Testing
import WireFraming

@testable import SessionRuntime

@Suite("UNIX sockets", .serialized)
struct UnixListenerTests {
    private let directory = FileManager.default.temporaryDirectory.appending(path: "unix-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) }

    private func clean() { try? FileManager.default.removeItem(atPath: directory) }

    private func runtime() throws -> (ServerRuntime, TestCertificate) {
        let certificate = try TestCertificate()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let runtime = try ServerRuntime(
            loops: 1, hostname: "localhost", tls: certificate.context(), limits: RuntimeLimits(), logger: logger)
        return (runtime, certificate)
    }

    private func mode(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }

    private func connected(_ path: String) -> RawSocket? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else {
            close(descriptor)
            return nil
        }
        return RawSocket(descriptor: descriptor)
    }

    @Test("A session is served, with the permissions asked for; the socket goes when the server stops")
    func served() async throws {
        defer { clean() }
        let (runtime, certificate) = try runtime()
        let path = directory + "/s"
        try await runtime.listen(on: UnixSocketAddress(path: path, mode: 0o620), EchoService()) { EchoSession($0) }
        #expect(mode(path) == 0o620)
        let client = try #require(connected(path))
        #expect(try await client.readLine() == "hello cleartext")
        try client.send("one\r\n")
        #expect(try await client.readLine() == "one")
        client.end()
        await runtime.shutdown(grace: .seconds(1))
        #expect(mode(path) == nil)
        certificate.remove()
    }

    @Test("What a dead process left is replaced; what lives, or is no socket, stays")
    func stale() async throws {
        defer { clean() }
        let path = directory + "/s"
        do { _ = try UnixListener(UnixSocketAddress(path: path)) }
        #expect(mode(path) != nil)
        let (runtime, certificate) = try runtime()
        try await runtime.listen(on: UnixSocketAddress(path: path), EchoService()) { EchoSession($0) }
        let taken = #expect(throws: UnixSocketError.self) { _ = try UnixListener(UnixSocketAddress(path: path)) }
        #expect(taken?.code == EADDRINUSE)
        let file = directory + "/file"
        #expect(FileManager.default.createFile(atPath: file, contents: Data()))
        let other = #expect(throws: UnixSocketError.self) { _ = try UnixListener(UnixSocketAddress(path: file)) }
        #expect(other?.code == EEXIST)
        #expect(mode(file) != nil)
        let long = directory + "/" + String(repeating: "x", count: 120)
        let tooLong = #expect(throws: UnixSocketError.self) { _ = try UnixListener(UnixSocketAddress(path: long)) }
        #expect(tooLong?.code == ENAMETOOLONG)
        // Another's socket at the path is not removed.
        unlink(path)
        let replacement = try UnixListener(UnixSocketAddress(path: path))
        await runtime.shutdown(grace: .seconds(1))
        #expect(mode(path) != nil)
        replacement.remove()
        #expect(mode(path) == nil)
        certificate.remove()
    }

    @Test("Without TLS only loopback is listened on", arguments: ["0.0.0.0", "::"])
    func onlyLoopback(_ host: String) async throws {
        defer { clean() }
        let (runtime, certificate) = try runtime()
        await #expect(throws: ListenError.self) {
            _ = try await runtime.listen(on: ListenerAddress(host: host, port: 0), .local, EchoService()) {
                EchoSession($0)
            }
        }
        let port = try await runtime.listen(on: ListenerAddress(host: "127.0.0.1", port: 0), .local, EchoService()) {
            EchoSession($0)
        }
        let client = try RawSocket(port: port)
        #expect(try await client.readLine() == "hello cleartext")
        await runtime.shutdown(grace: .seconds(1))
        certificate.remove()
    }
}
