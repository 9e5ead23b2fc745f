import Foundation
import MailTestSupport
import ProviderTools
import Testing

/// A directory of one test, removed afterwards.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/latchmail-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
        return "\(path)/\(name)"
    }
}

func run(_ program: String, _ arguments: String...) throws -> (status: Int32, output: String) {
    let process = ChildProcess()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let pipe = ProgramPipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

@Suite("Certificates")
struct CertificateTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func opensslTrustsTheDemoCertificate() throws {
        let authority = try DemoAuthority(directory: directory.path + "/tls", hostnames: ["box.example"])
        for name in ["localhost", "box.example"] {
            let result = try run(
                "openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", name, "-CAfile",
                authority.authorityFile, authority.certificateFile)
            #expect(result.status == 0, "\(result.output)")
        }
        for address in ["127.0.0.1", "::1"] {
            let result = try run(
                "openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", address, "-CAfile",
                authority.authorityFile, authority.certificateFile)
            #expect(result.status == 0, "\(result.output)")
        }
        let other = try run(
            "openssl", "verify", "-verify_hostname", "other.example", "-CAfile", authority.authorityFile,
            authority.certificateFile)
        #expect(other.status != 0)
    }

    @Test func keysAreForTheirOwnerOnly() throws {
        let authority = try DemoAuthority(directory: directory.path + "/tls", hostnames: [])
        for file in [authority.keyFile, directory.path + "/tls/ca.key"] {
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test func filesStayUntilTheyNearExpiry() throws {
        let path = directory.path + "/tls"
        let first = try DemoAuthority(directory: path, hostnames: [])
        func contents() throws -> [String] {
            try [first.authorityFile, first.certificateFile].map { try String(contentsOfFile: $0, encoding: .utf8) }
        }
        let before = try contents()
        _ = try DemoAuthority(directory: path, hostnames: [])
        #expect(try contents() == before)
        _ = try DemoAuthority(directory: path, hostnames: [], now: Date(timeIntervalSinceNow: 380 * 86_400))
        let renewed = try contents()
        #expect(renewed[0] == before[0] && renewed[1] != before[1])
        _ = try DemoAuthority(directory: path, hostnames: [], now: Date(timeIntervalSinceNow: 3400 * 86_400))
        #expect(try contents()[0] != before[0])
    }

    @Test func newNameMakesANewCertificate() throws {
        let path = directory.path + "/tls"
        let first = try DemoAuthority(directory: path, hostnames: ["a.example"])
        _ = try DemoAuthority(directory: path, hostnames: ["b.example"])
        let inspection = CertificateInspection(
            certificateFile: first.certificateFile, keyFile: first.keyFile, hostname: "b.example")
        #expect(inspection.problems.isEmpty)
        #expect(inspection.names.contains("b.example"))
    }

    @Test func inspectionFindsWhatClientsWouldRefuse() throws {
        let authority = try DemoAuthority(directory: directory.path + "/tls", hostnames: ["a.example"])
        func problems(_ certificate: String, _ key: String, _ hostname: String, days: Double = 0) -> String {
            CertificateInspection(
                certificateFile: certificate, keyFile: key, hostname: hostname,
                now: Date(timeIntervalSinceNow: days * 86_400)
            ).problems.joined(separator: "\n")
        }
        let (certificate, key) = (authority.certificateFile, authority.keyFile)
        #expect(problems(certificate, key, "a.example").isEmpty)
        #expect(problems(certificate, key, "b.example").contains("not the hostname b.example"))
        #expect(problems(certificate, key, "a.example", days: 400).contains("expired"))
        #expect(problems(certificate, key, "a.example", days: -3).contains("not valid before"))
        #expect(problems(certificate, directory.path + "/tls/ca.key", "a.example").contains("does not belong"))
        #expect(problems("/nowhere", key, "a.example").contains("/nowhere cannot be read"))
        #expect(problems(certificate, "/nowhere", "a.example").contains("/nowhere cannot be read"))
        #expect(problems(key, key, "a.example").contains("holds no PEM certificate"))
        #expect(problems(certificate, certificate, "a.example").contains("holds no PEM private key"))
    }

    @Test func checkFindsWhatWouldStopTheStart() throws {
        let authority = try DemoAuthority(directory: directory.path + "/tls", hostnames: ["a.example"])
        var configuration = ServerConfiguration()
        configuration.hostname = "a.example"
        configuration.stateDirectory = directory.path
        #expect(
            ConfigurationCheck(configuration).problems == [
                "tls.certificate and tls.key must be set, or acme.directory: nothing is served without TLS"
            ])
        configuration.certificateFile = authority.certificateFile
        configuration.keyFile = authority.keyFile
        #expect(ConfigurationCheck(configuration).problems.isEmpty)
        configuration.pop3.implicit = [Endpoint(host: "127.0.0.1", port: 993)]
        #expect(
            ConfigurationCheck(configuration).problems
                == ["listeners.imap.implicit and listeners.pop3.implicit both claim 127.0.0.1:993"])
        configuration.pop3.implicit = []
        configuration.stateDirectory = try directory.write("", to: "file")
        #expect(
            ConfigurationCheck(configuration).problems == ["state-directory \(directory.path)/file is not a directory"])
        #expect(ConfigurationCheck(configuration).effective.contains("hostname: a.example"))
    }
}
