import Foundation
import MailTestSupport
import MailVocabulary
import SASL
import SMTPSyntax
import TLSPolicy
import Testing
import WireFraming

@testable import MailRelay

private let sinkIsPresent = FileManager.default.fileExists(
    atPath: "/usr/lib/python3/dist-packages/aiosmtpd/__init__.py")

/// A message as the foreign server took it.
private struct Taken: Decodable {
    var sender: String
    var recipients: [String]
    var parameters: [String]
    var octets: String
    var secured: Bool
    var login: String?
}

/// Its process, for one test.
private final class MailSink: Sendable {
    private let process: ChildProcess
    private let output: FileHandle
    let port: Int

    init(_ mode: String, _ certificate: CertificateFiles) async throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../EndToEnd/support/mailsink.py").standardized
        let pipe = ProgramPipe()
        process = ChildProcess()
        process.executableURL = URL(filePath: "/usr/bin/python3")
        process.arguments = [script.path, mode, certificate.certificate, certificate.key]
        process.standardOutput = pipe
        output = pipe.fileHandleForReading
        try process.run()
        let output = output
        port = Int(try await blocking { MailSink.line(output) }) ?? 0
    }

    func stop() {
        // Nothing milder: it may have inherited a mask of blocked signals.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// The next message.
    func message() async throws -> Taken {
        let output = output
        return try JSONDecoder().decode(Taken.self, from: Data(try await blocking { MailSink.line(output) }.utf8))
    }

    private static func line(_ handle: FileHandle) -> String {
        var bytes: [UInt8] = []
        while let byte = try? handle.read(upToCount: 1)?.first, byte != 0x0A { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The relay against a server that others wrote.
@Suite(.serialized, .enabled(if: sinkIsPresent)) struct ForeignServerTests {
    private func with(_ mode: String, _ body: (RelayFixture, MailSink) async throws -> Void) async throws {
        let fixture = try await RelayFixture()
        let sink = try await MailSink(mode, fixture.certificate)
        do { try await body(fixture, sink) } catch {
            sink.stop()
            await fixture.stop()
            throw error
        }
        sink.stop()
        await fixture.stop()
    }

    private static let text = "Subject: Gr\u{FC}n\r\n\r\n.\r\n..dots\r\n\r\nend\r\n"

    @Test("STARTTLS, verified; AUTH; what is refused for one does not keep the other from having it")
    func startTLS() async throws {
        try await with("starttls") { fixture, sink in
            fixture.resolver.setAddress("mx.test", [127, 0, 0, 1])
            let host = RelayHost(name: "mx.test", port: sink.port, security: .startTLS) {
                PasswordCredentials(authenticationIdentity: "ann", password: Secret("secret"))
            }
            let agent = try fixture.agent(.host(host))
            for _ in 0..<2 {
                let message = try await fixture.message(
                    Self.text, to: ["bob@example.net", "nobody@example.net"]
                ) { $0.isInternationalized = true }
                let outcomes = await agent.deliver(message, to: "example.net")
                try #require(outcomes.map(\.status) == ["2.0.0", "5.1.1"], "\(outcomes)")
                let taken = try await sink.message()
                #expect(Array(taken.octets.unicodeScalars.map { UInt8($0.value) }) == Array(Self.text.utf8))
                #expect(taken.sender == "ann@example.org" && taken.recipients == ["bob@example.net"])
                #expect(taken.secured && taken.login == "ann")
                #expect(taken.parameters.contains("SMTPUTF8") && taken.parameters.contains("SIZE=\(message.size)"))
            }
            await agent.close()
        }
    }

    @Test("TLS from the first octet; a password that is wrong, and nothing is sent")
    func implicitTLS() async throws {
        try await with("implicit") { fixture, sink in
            fixture.resolver.setAddress("localhost", [127, 0, 0, 1])
            let plain = RelayHost(name: "localhost", port: sink.port, security: .implicitTLS)
            let outcomes = await (try fixture.agent(.host(plain)))
                .deliver(try await fixture.message(), to: "example.net")
            try #require(outcomes.map(\.status) == ["2.0.0"], "\(outcomes)")
            #expect(try await sink.message().secured)
            let wrong = RelayHost(name: "localhost", port: sink.port, security: .implicitTLS) {
                PasswordCredentials(authenticationIdentity: "ann", password: Secret("guess"))
            }
            let refused = await (try fixture.agent(.host(wrong)))
                .deliver(try await fixture.message(), to: "example.net")
            #expect(refused.map(\.result) == [.deferred], "\(refused)")
        }
    }

    @Test("LMTP")
    func lmtp() async throws {
        try await with("lmtp") { fixture, sink in
            let agent = try fixture.agent(.lmtp(.internet(address: "127.0.0.1", port: sink.port)))
            let outcomes = await agent.deliver(try await fixture.message(), to: "example.net")
            try #require(outcomes.map(\.result) == [.delivered], "\(outcomes)")
            #expect(try await sink.message().recipients == ["bob@example.net"])
        }
    }
}
