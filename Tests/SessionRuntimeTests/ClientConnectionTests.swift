import Foundation
import Logging
import MailTestSupport
import Synchronization
import TLSPolicy
import Testing
import WireFraming

@testable import SessionRuntime

/// Connections that this program opens, to its own server and to peers without manners.
@Suite(.serialized) struct ClientConnectionTests {
    private static let patience = Duration.seconds(20)

    private func withServer(
        _ security: ListenerSecurity,
        _ body: (ClientRuntime, StreamAddress) async throws -> Void
    ) async throws {
        let certificate = try TestCertificate()
        defer { certificate.remove() }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = try ServerRuntime(
            loops: 1, hostname: "localhost", tls: certificate.context(), limits: RuntimeLimits(), logger: logger)
        let port = try await server.listen(
            on: ListenerAddress(host: "127.0.0.1", port: 0), security, EchoService(), makeSession: { EchoSession($0) })
        let client = ClientRuntime(sharing: server)
        try await body(client, .internet(address: "127.0.0.1", port: port))
        await server.shutdown(grace: .seconds(2))
    }

    private func line(_ connection: ClientConnection) async throws -> String {
        var gathered: [UInt8] = []
        while !gathered.contains(0x0A), let more = try await connection.read() { gathered += more }
        return String(decoding: gathered, as: UTF8.self)
    }

    private func tls(_ verdict: PeerVerdict, serverName: String? = "mx.test") -> ClientTLS {
        ClientTLS(serverName: serverName) { _ in verdict }
    }

    @Test("What is written arrives, what comes is read, and the peer's end is seen")
    func cleartext() async throws {
        try await withServer(.startTLS) { client, address in
            let connection = try await client.open(address, timeout: Self.patience)
            #expect(try await line(connection) == "hello cleartext\r\n")
            #expect(connection.isQuiet)
            try await connection.write(Array("one\r\n".utf8))
            #expect(try await line(connection) == "one\r\n")
            try await connection.write(Array("QUIT\r\n".utf8))
            #expect(try await line(connection) == "bye\r\n")
            #expect(try await connection.read() == nil)
            #expect(!connection.isQuiet)
        }
    }

    @Test("TLS on a TLS port and by STARTTLS: version, suite, group, name and verdict are known")
    func secured() async throws {
        try await withServer(.implicitTLS) { client, address in
            let connection = try await client.open(address, from: "127.0.0.1", timeout: Self.patience)
            let chain = Mutex<[[UInt8]]>([])
            let request = ClientTLS(serverName: "mx.test") { presented in
                chain.withLock { $0 = presented }
                return .verified(by: .daneEE)
            }
            let peer = try await connection.startTLS(request, within: Self.patience)
            #expect(peer.verdict == .verified(by: .daneEE))
            #expect(peer.tls.version == .tls13)
            let suite = try #require(peer.tls.cipherSuite?.name)
            #expect(peer.tls.group?.name == "X25519MLKEM768")
            #expect(peer.tls.serverName == "mx.test")
            #expect(chain.withLock { $0.count == 1 && $0[0].first == 0x30 })
            #expect(
                try await line(connection)
                    == "hello TLSv1.3 \(suite) X25519MLKEM768 new mx.test -\r\n")
            connection.close()
        }
        try await withServer(.startTLS) { client, address in
            let connection = try await client.open(address, timeout: Self.patience)
            _ = try await line(connection)
            try await connection.write(Array("STARTTLS\r\n".utf8))
            #expect(try await line(connection) == "go\r\n")
            let peer = try await connection.startTLS(tls(.unverified, serverName: nil), within: Self.patience)
            #expect(peer.verdict == .unverified)
            try await connection.write(Array("two\r\n".utf8))
            #expect(try await line(connection) == "two\r\n")
        }
    }

    @Test("Certificates that the verifier refuses end the connection, and the reason is kept")
    func refused() async throws {
        try await withServer(.implicitTLS) { client, address in
            let connection = try await client.open(address, timeout: Self.patience)
            let refusal = PeerRefusal(.wrongName, "it is for another")
            await #expect(throws: ClientConnectionError.unverified(refusal)) {
                try await connection.startTLS(tls(.refused(refusal)), within: Self.patience)
            }
            await #expect(throws: ClientConnectionError.unverified(refusal)) {
                try await connection.write([0x0A])
            }
        }
    }

    @Test("Cleartext behind the answer to STARTTLS is an error, and there is no handshake [8314-A-1s]")
    func injection() async throws {
        let peer = try RawListener()
        let client = ClientRuntime(loops: 1)
        let connection = try await client.open(peer.address, timeout: Self.patience)
        let accepted = try await peer.accept()
        try accepted.send("220 go\r\n")
        #expect(try await line(connection) == "220 go\r\n")
        try accepted.send("250 injected\r\n")
        while connection.isQuiet { await Task.yield() }
        await #expect(throws: ClientConnectionError.injectedBytes) {
            try await connection.startTLS(tls(.unverified), within: Self.patience)
        }
        await client.shutdown()
    }

    @Test("Cleartext in the place of a handshake fails it; so does a peer that closes")
    func garbage() async throws {
        for answer in ["250 injected later\r\n", ""] {
            let peer = try RawListener()
            let client = ClientRuntime(loops: 1)
            let connection = try await client.open(peer.address, timeout: Self.patience)
            let accepted = try await peer.accept()
            async let secured = connection.startTLS(tls(.unverified), within: Self.patience)
            _ = try await accepted.read(5)
            if answer.isEmpty { accepted.end() } else { try accepted.send(answer) }
            do {
                _ = try await secured
                Issue.record("it was taken for TLS")
            } catch let error as ClientConnectionError {
                guard case .handshakeFailed = error else {
                    Issue.record("\(error)")
                    continue
                }
            }
            await client.shutdown()
        }
    }

    @Test("Who waits gets an error at the deadline, when cancelled, and when the connection is closed")
    func waiting() async throws {
        let peer = try RawListener()
        let client = ClientRuntime(loops: 1)
        let late = try await client.open(peer.address, timeout: .milliseconds(50))
        await #expect(throws: ClientConnectionError.timeout) { try await late.read() }
        await #expect(throws: ClientConnectionError.timeout) { try await late.write([0x0A]) }

        let cancelled = try await client.open(peer.address, timeout: Self.patience)
        let task = Task { try await cancelled.read() }
        task.cancel()
        await #expect(throws: ClientConnectionError.closed(reason: "closed on this side")) { try await task.value }

        let closed = try await client.open(peer.address, timeout: Self.patience)
        async let nothing = closed.read()
        closed.close()
        do {
            _ = try await nothing
            Issue.record("something was read")
        } catch let error as ClientConnectionError {
            #expect(error == .closed(reason: "closed on this side"))
        }
        await client.shutdown()
    }

    @Test("What nobody reads fills a bounded buffer; a peer that reads nothing holds the writer")
    func backPressure() async throws {
        let peer = try RawListener()
        let client = ClientRuntime(loops: 1)
        let connection = try await client.open(peer.address, timeout: Self.patience)
        let accepted = try await peer.accept()
        let megabytes = 8
        let flood = Task { try await blocking { try accepted.sendAll(octets: megabytes << 20) } }
        var total = 0
        var largest = 0
        while total < megabytes << 20, let piece = try await connection.read() {
            total += piece.count
            largest = max(largest, piece.count)
        }
        try await flood.value
        #expect(total == megabytes << 20)
        #expect(largest <= ClientConnection.inputLimit + 64 * 1024)

        connection.timeout = .milliseconds(100)
        await #expect(throws: ClientConnectionError.timeout) {
            while true { try await connection.write([UInt8](repeating: 0x41, count: 1 << 20)) }
        }
        await client.shutdown()
    }

    @Test("A UNIX socket is reached by its path; where nobody listens is an error")
    func local() async throws {
        let certificate = try TestCertificate()
        defer { certificate.remove() }
        let path = certificate.directory.appendingPathComponent("s").path
        let client = ClientRuntime(loops: 1)
        await #expect(throws: ClientConnectionError.self) {
            try await client.open(.local(path: path), timeout: Self.patience)
        }
        await #expect(throws: ClientConnectionError.unreachable(reason: "mail.example:25 is no address")) {
            try await client.open(.internet(address: "mail.example", port: 25), timeout: Self.patience)
        }
        let peer = try RawListener(path: path)
        let connection = try await client.connect(to: .local(path: path), timeout: Self.patience)
        let accepted = try await peer.accept()
        try await connection.write(Array("hello".utf8))
        #expect(try await accepted.read(5) == Array("hello".utf8))
        connection.close()
        #expect(try await accepted.read(1).isEmpty)
        await client.shutdown()
    }
}
