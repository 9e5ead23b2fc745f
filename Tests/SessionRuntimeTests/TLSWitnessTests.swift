import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import TLSPolicy
import Testing

@testable import SessionRuntime

/// Two ways to learn what was negotiated, and a foreign program that knows: all three must agree.
@Suite(.serialized) struct TLSWitnessTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var arguments: [String]
        var suite: UInt16
        var group: UInt16?
        var testDescription: String { arguments.joined(separator: " ") }
    }

    static let cases: [Case] = [
        Case(arguments: ["-tls1_3", "-groups", "X25519"], suite: 0x1302, group: 0x1D),
        Case(arguments: ["-tls1_3", "-groups", "P-256"], suite: 0x1302, group: 0x17),
        Case(
            arguments: ["-tls1_3", "-groups", "P-384", "-ciphersuites", "TLS_AES_128_GCM_SHA256"], suite: 0x1301,
            group: 0x18),
        Case(
            arguments: ["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256", "-groups", "X25519"], suite: 0x1303,
            group: 0x1D),
        // The client's first guess is not ours: HelloRetryRequest.
        Case(arguments: ["-tls1_3", "-groups", "P-521:P-384"], suite: 0x1302, group: 0x18),
        // In TLS 1.2 the list must hold the certificate's curve too (RFC 8422 §5.1).
        Case(arguments: ["-tls1_2", "-groups", "X25519:P-256"], suite: 0xC02C, group: 0x1D),
        Case(
            arguments: ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256", "-groups", "P-256"], suite: 0xC02B,
            group: 0x17),
        Case(
            arguments: ["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305", "-groups", "P-384:P-256"], suite: 0xCCA9,
            group: 0x17),
    ]

    @Test(
        "Suite and group are known, by inspection and from the hellos [8314-4-16] [8314-4.3-2] [8314-4.3-4]",
        arguments: cases)
    func agree(_ one: Case) async throws {
        let certificate = try TestCertificate()
        defer { certificate.remove() }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await witness(certificate.context(), on: group)
        let client = try await run(
            "openssl",
            [
                "s_client", "-connect", "127.0.0.1:\(server.localAddress?.port ?? 0)", "-servername", "mail.test",
                "-quiet",
            ] + one.arguments)
        try await server.close()
        try await group.shutdownGracefully()
        let version = one.arguments[0] == "-tls1_3" ? "TLSv1.3" : "TLSv1.2"
        let expected = "\(version) \(one.suite) \(one.group ?? 0) mail.test"
        #expect(client.output.contains("inspector \(expected)\n"), "\(client.output)")
        #expect(client.output.contains("observer \(expected)\n"), "\(client.output)")
    }

    @Test("The hybrid post-quantum group is negotiated with a client that has it")
    func postQuantum() async throws {
        let certificate = try TestCertificate()
        defer { certificate.remove() }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await witness(certificate.context(), on: group)
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let context = try NIOSSLContext(configuration: configuration)
        let gathered = group.next().makePromise(of: String.self)
        let client = try await ClientBootstrap(group: group).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let operations = channel.pipeline.syncOperations
                try operations.addHandler(NIOSSLClientHandler(context: context, serverHostname: "mail.test"))
                try operations.addHandler(Gatherer(gathered))
            }
        }.connect(host: "127.0.0.1", port: server.localAddress?.port ?? 0).get()
        let text = try await gathered.futureResult.get()
        #expect(
            text.contains("inspector TLSv1.3 \(0x1301) \(0x11EC) mail.test")
                || text.contains("inspector TLSv1.3 \(0x1302) \(0x11EC) mail.test"), "\(text)")
        #expect(text.contains("observer TLSv1.3"), "\(text)")
        try? await client.close()
        try await server.close()
        try await group.shutdownGracefully()
    }

    @Test("The way into the connection is found with the pinned NIOSSL")
    func selfTest() throws {
        let certificate = try TestCertificate()
        defer { certificate.remove() }
        #expect(TLSInspector.selfTest(try certificate.context().context(applicationProtocols: [])))
    }

    @Test("TLS 1.0 and 1.1 are refused with an alert [8314-4-12] [8314-4.1-9]", arguments: ["-tls1", "-tls1_1"])
    func oldVersions(_ version: String) async throws {
        let certificate = try TestCertificate()
        defer { certificate.remove() }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await witness(certificate.context(), on: group)
        let client = try await run(
            "openssl",
            [
                "s_client", "-connect", "127.0.0.1:\(server.localAddress?.port ?? 0)", version, "-cipher",
                "ALL:@SECLEVEL=0",
            ])
        #expect(client.status != 0)
        #expect(client.output.contains("alert protocol version"), "\(client.output)")
        try await server.close()
        try await group.shutdownGracefully()
    }

    /// A server whose only answer is what the two witnesses say.
    private func witness(_ tls: TLSContext, on group: MultiThreadedEventLoopGroup) async throws -> any Channel {
        try await ServerBootstrap(group: group).childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let operations = channel.pipeline.syncOperations
                let observer = HelloObserver()
                let handler = NIOSSLServerHandler(context: try tls.context(applicationProtocols: []))
                try operations.addHandlers([observer, handler, Witness(observer, handler)])
            }
        }.bind(host: "127.0.0.1", port: 0).get()
    }
}

private final class Witness: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    let observer: HelloObserver
    let handler: NIOSSLServerHandler

    init(_ observer: HelloObserver, _ handler: NIOSSLServerHandler) {
        self.observer = observer
        self.handler = handler
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent else { return }
        let inspected = TLSInspector.describe(handler, applicationProtocol: negotiated)
        let observed = observer.describe(applicationProtocol: negotiated)
        let text = line("inspector", inspected) + line("observer", observed)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        context.close(promise: nil)
    }

    private func line(_ name: String, _ tls: TLSDescription?) -> String {
        guard let tls else { return "\(name) nothing\n" }
        return
            "\(name) \(tls.version.rawValue) \(tls.cipherSuite?.number ?? 0) \(tls.group?.number ?? 0) \(tls.serverName ?? "-")\n"
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

private final class Gatherer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private var text = ""
    private let promise: EventLoopPromise<String>

    init(_ promise: EventLoopPromise<String>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        text += String(buffer: unwrapInboundIn(data))
    }

    func channelInactive(context: ChannelHandlerContext) { promise.succeed(text) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
