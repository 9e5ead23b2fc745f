package import Foundation

/// A certificate for `localhost` and `mx.test`, and the authority that issued it, made by the `openssl` program in a
/// directory of their own.
package struct CertificateFiles: Sendable {
    package let directory: URL
    package var certificate: String { path("cert.pem") }
    package var key: String { path("key.pem") }
    package var authority: String { path("ca.pem") }

    private static let configuration = """
        [req]
        distinguished_name = name
        [name]
        [ca]
        basicConstraints = critical, CA:TRUE
        keyUsage = critical, keyCertSign
        subjectKeyIdentifier = hash
        [server]
        basicConstraints = critical, CA:FALSE
        keyUsage = critical, digitalSignature
        extendedKeyUsage = serverAuth
        subjectAltName = DNS:localhost, DNS:mx.test
        """

    package init() async throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("latchmail-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try Self.configuration.write(toFile: path("openssl.cnf"), atomically: true, encoding: .utf8)
        try await request("ca", name: "Test authority", key: path("ca-key.pem"), to: authority, issuer: [])
        try await request(
            "server", name: "localhost", key: key, to: certificate,
            issuer: ["-CA", authority, "-CAkey", path("ca-key.pem")])
    }

    private func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

    private func request(
        _ section: String, name: String, key: String, to certificate: String, issuer: [String]
    ) async throws {
        let arguments =
            [
                "openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=\(name)", "-config",
                path("openssl.cnf"), "-extensions", section, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-keyout", key, "-out", certificate,
            ] + issuer
        let status = try await blocking {
            let process = ChildProcess()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = arguments
            process.isQuiet = true
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
        guard status == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    /// The server's certificate as peers present it.
    package func encoded() throws -> [UInt8] {
        let lines = try String(contentsOfFile: certificate, encoding: .utf8).split(separator: "\n")
        let base64 = lines.filter { !$0.hasPrefix("-----") }.joined()
        return Array(Data(base64Encoded: base64) ?? Data())
    }

    package func remove() { try? FileManager.default.removeItem(at: directory) }
}
