import Foundation
import Logging
import MailVocabulary
import Testing
import WireFraming

@testable import SessionRuntime

/// PROXY headers over real sockets: who must send one, and what it changes.
@Suite("Connections from proxies", .serialized) struct ProxyTests {
    private func withServer(
        _ security: ListenerSecurity, proxies: [String], limits: RuntimeLimits = RuntimeLimits(),
        _ body: (ServerRuntime, Int) async throws -> Void
    ) async throws {
        let certificate = try TestCertificate()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let runtime = try ServerRuntime(
            loops: 1, hostname: "localhost", tls: certificate.context(), limits: limits, logger: logger)
        let port = try await runtime.listen(
            on: ListenerAddress(host: "127.0.0.1", port: 0), security, EchoService(),
            proxies: proxies.compactMap { NetworkPrefix($0) }, makeSession: { EchoSession($0) })
        do { try await body(runtime, port) } catch {
            await runtime.shutdown(grace: .zero)
            throw error
        }
        await runtime.shutdown(grace: .seconds(2))
        certificate.remove()
    }

    @Test("The client's address is the one that the proxy names")
    func addresses() async throws {
        try await withServer(.startTLS, proxies: ["127.0.0.0/8"]) { _, port in
            for (header, peer) in [
                ("PROXY TCP4 192.0.2.7 198.51.100.1 4000 143\r\n", "192.0.2.7"),
                ("PROXY TCP6 2001:db8::7 2001:db8::1 4000 143\r\n", "2001:db8::7"),
                ("PROXY UNKNOWN\r\n", "127.0.0.1"),
            ] {
                let socket = try RawSocket(port: port)
                try socket.send(header + "PEER\r\n")
                #expect(try await socket.readLine() == "hello cleartext")
                #expect(try await socket.readLine() == peer)
            }
            let socket = try RawSocket(port: port)
            for octet in Array("PROXY TCP4 192.0.2.8 198.51.100.1 4000 143\r\n".utf8) {
                try socket.send([octet])
            }
            try socket.send("PEER\r\n")
            #expect(try await socket.readLine() == "hello cleartext")
            #expect(try await socket.readLine() == "192.0.2.8")
        }
    }

    @Test("Version 2; a proxy's own connection (LOCAL) is the proxy's")
    func binary() async throws {
        let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]
        try await withServer(.startTLS, proxies: ["127.0.0.1"]) { _, port in
            let proxied = try RawSocket(port: port)
            try proxied.send(signature + [0x21, 0x11, 0, 16, 192, 0, 2, 9, 127, 0, 0, 1, 1, 2, 3, 4, 0x20, 0, 1, 1])
            try proxied.send("PEER\r\n")
            _ = try await proxied.readLine()
            #expect(try await proxied.readLine() == "192.0.2.9")
            let local = try RawSocket(port: port)
            try local.send(signature + [0x20, 0x00, 0, 0] + Array("PEER\r\n".utf8))
            _ = try await local.readLine()
            #expect(try await local.readLine() == "127.0.0.1")
        }
    }

    @Test("Without a header, or with a wrong one, nothing is said to whom claims to be a proxy")
    func refused() async throws {
        try await withServer(.startTLS, proxies: ["127.0.0.1"]) { runtime, port in
            for opening in ["QUIT\r\n", "PROXY TCP4 x\r\n", "PROXY UNKNOWN " + String(repeating: "x", count: 200)] {
                let socket = try RawSocket(port: port)
                try socket.send(opening)
                #expect(try await socket.readToEnd() == "")
            }
            #expect(runtime.measurements.refusals.snapshot == [["echo", "proxy"]: 3])
        }
    }

    @Test("A header that does not come is not waited for long")
    func deadline() async throws {
        var limits = RuntimeLimits()
        limits.proxyHeaderTime = .milliseconds(200)
        try await withServer(.implicitTLS, proxies: ["127.0.0.1"], limits: limits) { _, port in
            let socket = try RawSocket(port: port)
            try socket.send("PROXY ")
            #expect(try await socket.readToEnd() == "")
        }
    }

    @Test("From elsewhere a header is what any other octets are")
    func notAProxy() async throws {
        try await withServer(.startTLS, proxies: ["192.0.2.0/24"]) { _, port in
            let socket = try RawSocket(port: port)
            try socket.send("PROXY TCP4 192.0.2.7 198.51.100.1 4000 143\r\nPEER\r\n")
            #expect(try await socket.readLine() == "hello cleartext")
            #expect(try await socket.readLine() == "PROXY TCP4 192.0.2.7 198.51.100.1 4000 143")
            #expect(try await socket.readLine() == "127.0.0.1")
        }
    }

    @Test("Limits by address are for the client, not for the proxy")
    func limits() async throws {
        var limits = RuntimeLimits()
        limits.exemptNetworks = []
        limits.connectionsPerAddress = 1
        try await withServer(.startTLS, proxies: ["127.0.0.1"], limits: limits) { runtime, port in
            let (first, second) = (try RawSocket(port: port), try RawSocket(port: port))
            try first.send("PROXY TCP4 192.0.2.7 198.51.100.1 4000 143\r\n")
            try second.send("PROXY TCP4 192.0.2.8 198.51.100.1 4000 143\r\n")
            #expect(try await first.readLine() == "hello cleartext")
            #expect(try await second.readLine() == "hello cleartext")
            let third = try RawSocket(port: port)
            try third.send("PROXY TCP4 192.0.2.7 198.51.100.1 4001 143\r\n")
            #expect(try await third.readToEnd() == "")
            #expect(runtime.measurements.refusals.snapshot == [["echo", "connections-per-address"]: 1])
        }
    }

    @Test("The header comes before TLS, and the handshake in the same segment is not lost [8314-2-2]")
    func beforeTLS() async throws {
        // What s_client sends is taken by a relay that puts the header before it.
        try await withServer(.implicitTLS, proxies: ["127.0.0.1"]) { _, port in
            let script = """
                import socket, ssl, sys
                raw = socket.create_connection(("127.0.0.1", \(port)))
                context = ssl._create_unverified_context()
                incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                tls = context.wrap_bio(incoming, outgoing, server_hostname="x.test")
                head = b"PROXY TCP4 192.0.2.7 198.51.100.1 4000 993\\r\\n"
                def pump(call):
                    global head
                    while True:
                        try:
                            return call()
                        except ssl.SSLWantReadError:
                            raw.sendall(head + outgoing.read())
                            head = b""
                            data = raw.recv(65536)
                            if not data: raise SystemExit("closed")
                            incoming.write(data)
                pump(tls.do_handshake)
                print(pump(lambda: tls.read(1000)).decode().strip())
                tls.write(b"PEER\\r\\n")
                print(pump(lambda: tls.read(1000)).decode().strip())
                """
            let output = try await run("python3", ["-c", script], input: "").output
            #expect(output.contains("hello TLSv1.3"), "\(output)")
            #expect(output.hasSuffix("192.0.2.7\n"), "\(output)")
        }
    }
}
