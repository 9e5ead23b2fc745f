import Foundation
import MailTestSupport

@testable import SessionRuntime

/// Runs a program; its standard output and error together.
func run(
    _ program: String, _ arguments: [String], input: String = ""
) async throws -> (status: Int32, output: String) {
    try await blocking { try runBlocking(program, arguments, input: input) }
}

func runBlocking(
    _ program: String, _ arguments: [String], input: String = ""
) throws -> (status: Int32, output: String) {
    let process = ChildProcess()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let (stdin, stdout) = (ProgramPipe(), ProgramPipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = stdout
    try process.run()
    stdin.fileHandleForWriting.write(Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    let output = stdout.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

/// A self-signed certificate made by the `openssl` program, in a directory of its own.
struct TestCertificate {
    let directory: URL
    var certificate: String { directory.appendingPathComponent("cert.pem").path }
    var key: String { directory.appendingPathComponent("key.pem").path }

    init(algorithm: [String] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]) throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("latchmail-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let made = try runBlocking(
            "openssl",
            [
                "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost",
            ]
                + algorithm + ["-keyout", key, "-out", certificate])
        guard made.status == 0 else { throw TestFailure(made.output) }
    }

    func context() throws -> TLSContext { try TLSContext(certificateFile: certificate, keyFile: key) }
    func remove() { try? FileManager.default.removeItem(at: directory) }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
