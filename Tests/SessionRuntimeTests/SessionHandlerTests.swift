import Foundation
import Logging
import NIOCore
import TLSPolicy
import Testing
import WireFraming

@testable import SessionRuntime

/// The driver over real sockets, with `openssl s_client` and raw sockets as peers.
@Suite(.serialized) struct SessionHandlerTests {
    struct Server {
        let runtime: ServerRuntime
        let port: Int
        let certificate: TestCertificate

        func stop() async {
            await runtime.shutdown(grace: .seconds(2))
            certificate.remove()
        }
    }

    private func start(
        _ security: ListenerSecurity, patience: Duration = .seconds(30), limits: RuntimeLimits = RuntimeLimits()
    ) async throws -> Server {
        let certificate = try TestCertificate()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let runtime = try ServerRuntime(
            loops: 1, hostname: "localhost", tls: certificate.context(), limits: limits, logger: logger)
        let port = try await runtime.listen(
            on: ListenerAddress(host: "127.0.0.1", port: 0), security, EchoService(),
            makeSession: { EchoSession($0, patience: patience) })
        return Server(runtime: runtime, port: port, certificate: certificate)
    }

    private func client(_ port: Int, _ arguments: [String], input: String) async throws -> String {
        try await run("openssl", ["s_client", "-connect", "127.0.0.1:\(port)", "-quiet"] + arguments, input: input)
            .output
    }

    @Test("On a TLS port the greeting comes inside TLS, and everything after [8314-2-2]")
    func implicit() async throws {
        let server = try await start(.implicitTLS)
        let answer = try await client(
            server.port, ["-servername", "x.test"], input: "one\r\ntwo\r\nWORK 1\r\nQUIT\r\n")
        #expect(
            answer.contains(
                "hello TLSv1.3 TLS_AES_256_GCM_SHA384 x25519 new x.test -\r\none\r\ntwo\r\ndone WORK 1\r\nbye\r\n"),
            "\(answer)")
        await server.stop()
    }

    @Test("A client of another protocol is refused before the greeting; one that names ours, or none, is served")
    func applicationProtocols() async throws {
        let server = try await start(.implicitTLS)
        let foreign = try await client(server.port, ["-alpn", "http/1.1,h2"], input: "one\r\nQUIT\r\n")
        #expect(!foreign.contains("hello"))
        let ours = try await client(server.port, ["-alpn", "h2,echo"], input: "QUIT\r\n")
        #expect(ours.contains(" echo\r\nbye"), "\(ours)")
        await server.stop()
    }

    @Test("A plaintext byte behind STARTTLS is never answered, and there is no handshake [8314-A-1s]")
    func injection() async throws {
        let server = try await start(.startTLS)
        let socket = try RawSocket(port: server.port)
        #expect(try await socket.readLine() == "hello cleartext")
        try socket.send("STARTTLS\r\ninjected\r\n")
        #expect(try await socket.readToEnd() == "no\r\n")
        await server.stop()
    }

    @Test("Plaintext that comes after the answer is taken for the handshake, and fails it")
    func lateInjection() async throws {
        let server = try await start(.startTLS)
        let socket = try RawSocket(port: server.port)
        _ = try await socket.readLine()
        try socket.send("STARTTLS\r\n")
        #expect(try await socket.readLine() == "go")
        try socket.send("injected\r\n")
        #expect(!(try await socket.readToEnd()).contains("injected"))
        await server.stop()
    }

    @Test("Large answers are written as the reader takes them, and arrive whole")
    func flood() async throws {
        let server = try await start(.implicitTLS)
        let answer = try await client(server.port, [], input: "FLOOD 5000000\r\nafter\r\nQUIT\r\n")
        #expect(answer.split(separator: "\r\n").contains { $0.utf8.count == 5_000_000 })
        #expect(answer.hasSuffix("\r\nafter\r\nbye\r\n"))
        await server.stop()
    }

    @Test("Compressed both ways from the answer on, and not behind its end") func compression() async throws {
        let server = try await start(.startTLS)
        let socket = try RawSocket(port: server.port)
        _ = try await socket.readLine()
        try socket.send("COMPRESS\r\n")
        #expect(try await socket.readLine() == "squeezed")
        let deflater = try #require(Deflater())
        var wire = ByteBuffer()
        Array("one\r\nFLOOD 300000\r\nPLAIN\r\n".utf8).withUnsafeBytes { deflater.deflate($0, into: &wire) }
        wire.writeString("two\r\n")
        try socket.send(Array(buffer: wire))
        var input = CompressedInput(try #require(Inflater()))
        var output = ByteBuffer()
        let expected = "one\r\n" + String(repeating: "x", count: 300_000) + "\r\nplain\r\n"
        var octets = 0
        while output.readableBytes < expected.utf8.count {
            var next = ByteBuffer(bytes: try await socket.read(1))
            octets += 1
            try #require(next.readableBytes == 1)
            input.add(&next)
            try input.inflate(into: &output)
        }
        #expect(String(buffer: output) == expected)
        #expect(octets < 5000)
        // What is left of the last flush.
        let rest = try await socket.readLine()
        #expect(rest.hasSuffix("two"), "\(rest)")
        try socket.send("QUIT\r\n")
        #expect(try await socket.readToEnd() == "bye\r\n")
        await server.stop()
    }

    @Test("A compressed line without end, and what is not compressed, end the connection") func badCompression()
        async throws
    {
        let server = try await start(.startTLS)
        let bomb = CompressionTests.compressed([[UInt8](repeating: UInt8(ascii: "x"), count: 30_000_000)])
        for bytes in [Array(buffer: bomb), Array("one\r\n".utf8)] {
            let socket = try RawSocket(port: server.port)
            _ = try await socket.readLine()
            try socket.send("COMPRESS\r\n")
            _ = try await socket.readLine()
            try? socket.send(bytes)
            #expect(try await !socket.readToEnd().contains("one"))
        }
        // Sent before the answer can have been seen.
        let socket = try RawSocket(port: server.port)
        _ = try await socket.readLine()
        try socket.send("COMPRESS\r\none\r\n")
        #expect(try await socket.readToEnd() == "squeezed\r\n")
        await server.stop()
    }

    @Test("A change notification reaches a waiting session")
    func notification() async throws {
        let server = try await start(.startTLS)
        let socket = try RawSocket(port: server.port)
        _ = try await socket.readLine()
        try socket.send("WATCH\r\n")
        #expect(try await socket.readLine() == "watching")
        #expect(try await socket.readLine() == "changed")
        try socket.send("QUIT\r\n")
        #expect(try await socket.readToEnd() == "bye\r\n")
        await server.stop()
    }

    @Test("Changes do not pile up for a client that does not read") func unreadNotifications() async throws {
        let server = try await start(.startTLS)
        let socket = try RawSocket(port: server.port)
        _ = try await socket.readLine()
        try socket.send("STORM\r\n")
        #expect(try await socket.readLine() == "storming")
        try await Task.sleep(for: .milliseconds(1500))
        try socket.send("QUIT\r\n")
        let told = try await socket.readToEnd()
        #expect(told.hasPrefix("changed!!!") && told.hasSuffix("bye\r\n"))
        // What the kernel holds, and little more.
        #expect(told.utf8.count < 24 << 20, "\(told.utf8.count)")
        await server.stop()
    }

    @Test("A silent connection is told so and closed; one that dribbles an incomplete line too")
    func timeout() async throws {
        let server = try await start(.startTLS, patience: .milliseconds(200))
        let socket = try RawSocket(port: server.port)
        #expect(try await socket.readToEnd() == "hello cleartext\r\ntoo slow\r\n")
        await server.stop()
    }

    @Test("A line that grows octet by octet earns no time")
    func dribble() async throws {
        let server = try await start(.startTLS, patience: .milliseconds(300))
        let socket = try RawSocket(port: server.port)
        _ = try await socket.readLine()
        for _ in 0..<10 {
            try? socket.send("x")
            try await Task.sleep(for: .milliseconds(60))
        }
        #expect(try await socket.readToEnd() == "too slow\r\n")
        await server.stop()
    }

    @Test("A reader that takes nothing is ended, and its answer never fills memory")
    func stalledReader() async throws {
        var limits = RuntimeLimits()
        limits.stallTime = .milliseconds(300)
        let server = try await start(.startTLS, limits: limits)
        let socket = try RawSocket(port: server.port)
        _ = try await socket.readLine()
        try socket.send("FLOOD 100000000\r\n")
        try await Task.sleep(for: .seconds(2))
        #expect(server.runtime.openConnections == 0)
        #expect(try await socket.readToEnd().utf8.count < 50_000_000)
        await server.stop()
    }

    @Test("Whoever does not log in is sent away, however busy")
    func unauthenticatedTime() async throws {
        var limits = RuntimeLimits()
        limits.unauthenticatedTime = .milliseconds(300)
        let server = try await start(.startTLS, limits: limits)
        let (idler, user) = (try RawSocket(port: server.port), try RawSocket(port: server.port))
        _ = try await idler.readLine()
        _ = try await user.readLine()
        try user.send("LOGIN\r\n")
        #expect(try await user.readLine() == "in")
        for _ in 0..<8 {
            try? idler.send("noop\r\n")
            try user.send("noop\r\n")
            #expect(try await user.readLine() == "noop")
            try await Task.sleep(for: .milliseconds(60))
        }
        #expect(try await idler.readToEnd().hasSuffix("too slow\r\n"))
        try user.send("QUIT\r\n")
        #expect(try await user.readLine() == "bye")
        await server.stop()
    }

    @Test("A handshake that never comes is ended")
    func handshakeDeadline() async throws {
        var limits = RuntimeLimits()
        limits.handshakeTime = .milliseconds(200)
        let server = try await start(.implicitTLS, limits: limits)
        let socket = try RawSocket(port: server.port)
        #expect(try await socket.readToEnd() == "")
        await server.stop()
    }

    @Test("Connections beyond the limit are closed, and places are given back")
    func connectionLimit() async throws {
        var limits = RuntimeLimits()
        limits.unauthenticatedConnections = 2
        let server = try await start(.startTLS, limits: limits)
        do {
            let (first, second) = (try RawSocket(port: server.port), try RawSocket(port: server.port))
            _ = try await first.readLine()
            _ = try await second.readLine()
            let third = try RawSocket(port: server.port)
            #expect(try await third.readToEnd() == "")
            try first.send("LOGIN\r\n")
            #expect(try await first.readLine() == "in")
            let fourth = try RawSocket(port: server.port)
            #expect(try await fourth.readLine() == "hello cleartext")
        }
        await server.stop()
        #expect(server.runtime.openConnections == 0)
    }

    @Test("Stopping says goodbye")
    func stopping() async throws {
        let server = try await start(.startTLS)
        let socket = try RawSocket(port: server.port)
        _ = try await socket.readLine()
        async let stopped: Void = server.stop()
        #expect(try await socket.readToEnd() == "stopping\r\n")
        await stopped
    }

    @Test("What was answered before the end arrives, however slowly it is read")
    func slowReader() async throws {
        let server = try await start(.implicitTLS)
        let answer = try await run(
            "sh",
            [
                "-c",
                "printf 'FLOOD 6000000\\r\\nQUIT\\r\\n' | openssl s_client -connect 127.0.0.1:\(server.port) -quiet 2>/dev/null"
                    + " | { sleep 2; wc -c; }",
            ])
        #expect((Int(answer.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0) > 6_000_000)
        await server.stop()
    }

    @Test("A command in progress is answered before the server stops")
    func stoppingDuringWork() async throws {
        let server = try await start(.startTLS)
        let socket = try RawSocket(port: server.port)
        _ = try await socket.readLine()
        try socket.send("WORK slowly\r\n")
        try await Task.sleep(for: .milliseconds(20))
        async let stopped: Void = server.stop()
        #expect(try await socket.readToEnd() == "done WORK slowly\r\nstopping\r\n")
        await stopped
    }

    @Test("A farewell is not written into an answer that is still being read")
    func stoppingDuringAnswer() async throws {
        let server = try await start(.startTLS)
        let socket = try RawSocket(port: server.port)
        _ = try await socket.readLine()
        try socket.send("FLOOD 8000000\r\n")
        try await Task.sleep(for: .milliseconds(200))
        async let stopped: Void = server.stop()
        let answer = try await socket.readToEnd()
        #expect(answer.utf8.count == 8_000_000 + "\r\nstopping\r\n".utf8.count)
        #expect(answer.hasSuffix("x\r\nstopping\r\n"))
        await stopped
    }

    @Test("A hello that cannot be read asks for nothing we would allow")
    func hiddenHello() async throws {
        let server = try await start(.implicitTLS)
        let script = """
            import socket, ssl, sys
            raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            raw.sendall(bytes.fromhex("1503010002015a"))
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["http/1.1"])
            try:
                print(context.wrap_socket(raw).recv(100))
            except OSError as error:
                print("refused", error)
            """
        let answer = try await run("/usr/bin/python3", ["-c", script, "\(server.port)"])
        #expect(!answer.output.contains("hello"), "\(answer.output)")
        await server.stop()
    }

    @Test("The server's order of groups counts, not the client's")
    func groupOrder() async throws {
        let server = try await start(.implicitTLS)
        let answer = try await client(server.port, ["-groups", "P-384:P-256:X25519"], input: "QUIT\r\n")
        #expect(answer.contains(" x25519 "), "\(answer)")
        await server.stop()
    }

    @Test("The server ends TLS with close_notify [8314-3.4-1s]")
    func closeNotify() async throws {
        let server = try await start(.implicitTLS)
        let trace = try await run(
            "openssl", ["s_client", "-connect", "127.0.0.1:\(server.port)", "-msg", "-ign_eof"], input: "QUIT\r\n"
        ).output
        #expect(trace.contains("<<< TLS 1.3, Alert [length 0002], warning close_notify"), "\(trace.suffix(2000))")
        await server.stop()
    }
}
