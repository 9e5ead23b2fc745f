import Dispatch
import Foundation
import Glibc
import MailVocabulary

/// The password at the smarthost, from where the operator keeps it. Read anew for each session, so that it may change.
struct RelayPassword: Sendable {
    enum Source: Sendable {
        case file(String)
        case command(String)
        case missing
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Octets; more is no password.
    private static let longest = 1024
    private let source: Source

    init(_ relay: RelayConfiguration) {
        source = relay.passwordFile.map { .file($0) } ?? relay.passwordCommand.map { .command($0) } ?? .missing
    }

    /// The first line, without its end. Throws `Failure`, which quotes nothing of it.
    func read() async throws -> Secret {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try readNow() }) }
        }
    }

    private func readNow() throws -> Secret {
        let octets: [UInt8]
        switch source {
        case .file(let path):
            guard let file = fopen(path, "re") else { throw Failure(description: "\(path) cannot be read") }
            defer { fclose(file) }
            octets = Self.start(of: file)
        case .command(let command):
            guard let output = popen("exec 2>/dev/null </dev/null; \(command)", "re") else {
                throw Failure(description: "relay.password-command cannot be run")
            }
            octets = Self.start(of: output)
            guard pclose(output) == 0 else { throw Failure(description: "relay.password-command failed") }
        case .missing: throw Failure(description: "no password is configured")
        }
        let line = octets.prefix { $0 != 0x0A && $0 != 0x0D }
        guard !line.isEmpty, line.count < Self.longest else { throw Failure(description: "the password is empty") }
        return Secret(line)
    }

    private static func start(of file: UnsafeMutablePointer<FILE>) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: longest)
        let count = fread(&octets, 1, longest, file)
        return Array(octets.prefix(count))
    }
}
