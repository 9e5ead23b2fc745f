package import Foundation

/// A self-signed certificate for `localhost` and `mx.test`, made by the `openssl` program in a directory of its own.
package struct CertificateFiles: Sendable {
    package let directory: URL
    package var certificate: String { directory.appendingPathComponent("cert.pem").path }
    package var key: String { directory.appendingPathComponent("key.pem").path }

    package init() async throws {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("latchmail-\(UUID().uuidString)")
        self.directory = directory
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let (certificate, key) = (certificate, key)
        let status = try await blocking {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = [
                "openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost,DNS:mx.test", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-keyout", key, "-out", certificate,
            ]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
        guard status == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    /// The certificate as peers present it.
    package func encoded() throws -> [UInt8] {
        let lines = try String(contentsOfFile: certificate, encoding: .utf8).split(separator: "\n")
        let base64 = lines.filter { !$0.hasPrefix("-----") }.joined()
        return Array(Data(base64Encoded: base64) ?? Data())
    }

    package func remove() { try? FileManager.default.removeItem(at: directory) }
}
