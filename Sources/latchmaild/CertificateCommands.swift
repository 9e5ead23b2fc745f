import ArgumentParser
import Foundation
import Logging
import ProviderTools
import Synchronization

struct CertificateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificate",
        abstract: "Show, renew, publish and revoke the certificates that the server gets itself (acme.directory).",
        subcommands: [Status.self, Renew.self, Records.self, Revoke.self])

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print how each certificate is doing.",
            discussion: "Exits with 0 when all are valid, with 1 when one is missing, expired or revoked.")
        @OptionGroup var server: CertificateOptions
        @Flag(help: "As JSON.") var json = false

        func run() async throws {
            let all = try await server.ask(.status) { if case .status(let all) = $0 { all } else { nil } }
            if json {
                try printJSON(all)
            } else {
                for status in all { CertificateLines.status(status).forEach { print($0) } }
            }
            let isGood = all.allSatisfy { $0.state == .valid || $0.state == .due }
            if !isGood { throw ExitCode(1) }
        }
    }

    struct Renew: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Get what is missing or due now, whatever failed before.",
            discussion: "Exits with 75 when one was not got; the server keeps trying.")
        @OptionGroup var server: CertificateOptions
        @Flag(help: "What is not due too.") var force = false
        @Argument(help: "Of one certificate; default: all.") var name: String?

        func run() async throws {
            let outcomes = try await server.ask(.renew(name: name, force: force)) {
                if case .outcomes(let all) = $0 { all } else { nil }
            }
            for outcome in outcomes { print(CertificateLines.outcome(outcome)) }
            if outcomes.contains(where: { $0.result == .failed }) {
                throw ExitCode(OperatorError.Kind.temporaryFailure.exitCode)
            }
        }
    }

    struct Records: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "tlsa", abstract: "Print the TLSA records to publish, of the current key and the next one.",
            discussion: "Looks up what is published, and says what does not match.")
        @OptionGroup var server: CertificateOptions
        @Flag(help: "As JSON.") var json = false
        @Argument(help: "Of one certificate; default: all.") var name: String?

        func run() async throws {
            let all = try await server.ask(.records(name: name)) {
                if case .records(let all) = $0 { all } else { nil }
            }
            if json { return try printJSON(all) }
            for records in all { CertificateLines.records(records).forEach { print($0) } }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke a certificate at the authority, and get another one with another key.")
        @OptionGroup var server: CertificateOptions
        @Option(help: ArgumentHelp("unspecified, key-compromise, superseded or cessation.", valueName: "reason"))
        var reason = RevocationReason.unspecified
        @Argument(help: "As “certificate status” shows it.") var name: String

        func run() async throws {
            try await server.perform(.revoke(name: name, reason: reason.number)) { _ in }
            print("\(name) is revoked")
        }
    }
}

enum RevocationReason: String, ExpressibleByArgument {
    case unspecified
    case keyCompromise = "key-compromise"
    case superseded, cessation

    /// RFC 5280 §5.3.1.
    var number: Int? {
        switch self {
        case .unspecified: nil
        case .keyCompromise: 1
        case .superseded: 4
        case .cessation: 5
        }
    }
}

/// Which server's certificates a command is about. No store is opened for them.
struct CertificateOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The server's configuration file.", valueName: "file"))
    var config: String

    /// Of the running server, or by this process when none runs.
    func perform(
        _ request: CertificateRequest, reply: @escaping @Sendable (CertificateReply) -> Void
    ) async throws {
        let configuration = try ConfigurationFile.load(config)
        if FileManager.default.fileExists(atPath: configuration.stateDirectory),
            let client = try ControlClient(directory: configuration.stateDirectory)
        {
            return try await client.perform(.certificate(request)) {
                if case .certificate(let part) = $0 { reply(part) }
            }
        }
        let hostname = configuration.hostname ?? ProcessInfo.processInfo.hostName
        let logger = makeLogger(level: .error, format: configuration.logFormat)
        guard let manager = try CertificateManager(configuration, hostname: hostname, logger: logger) else {
            throw OperatorError(.configuration, "this server gets no certificates itself: acme.directory is not set")
        }
        try await manager.perform(request, reply: reply)
    }

    func ask<Part: Sendable>(
        _ request: CertificateRequest, _ part: @escaping @Sendable (CertificateReply) -> [Part]?
    ) async throws -> [Part] {
        let all = Mutex<[Part]>([])
        try await perform(request) { reply in
            if let more = part(reply) { all.withLock { $0 += more } }
        }
        return all.withLock { $0 }
    }
}

private enum CertificateLines {
    static func status(_ status: CertificateStatus) -> [String] {
        var lines = ["\(status.name): \(word(status.state))", "  names: \(status.names.joined(separator: " "))"]
        if let end = status.notAfter {
            lines.append("  valid: \(CertificateText.time(status.notBefore)) to \(CertificateText.time(end))")
            lines.append("  renewed: \(CertificateText.time(status.renewal)), or soon after")
            lines.append("  issuer: \(status.issuer ?? "")")
            lines.append("  key: \(status.keyType ?? "of another kind")")
        }
        if status.isOrdered { lines.append("  an order is under way") }
        if let error = status.lastError {
            lines.append(
                "  failed \(status.failures) times, last \(CertificateText.time(status.lastAttempt)): \(error)")
        }
        if let next = status.nextAttempt { lines.append("  tried again: \(CertificateText.time(next))") }
        if let advice = status.recordAdvice { lines.append("  TLSA: \(advice)") }
        return lines
    }

    private static func word(_ state: CertificateStatus.State) -> String {
        switch state {
        case .valid: "valid"
        case .due: "valid, to be renewed now"
        case .expired: "expired"
        case .missing: "not there yet"
        case .revoked: "revoked"
        }
    }

    static func outcome(_ outcome: CertificateOutcome) -> String {
        switch outcome.result {
        case .renewed: "\(outcome.name): renewed"
        case .notDue: "\(outcome.name): not due (--force renews it all the same)"
        case .failed: "\(outcome.name): not renewed: \(outcome.reason ?? "")"
        }
    }

    static func records(_ records: CertificateRecords) -> [String] {
        var lines: [String] = []
        for place in records.places {
            for (data, note) in [(records.current, "current"), (records.next, "next")] {
                guard let data else { continue }
                lines.append("\(place) IN TLSA \(data) ; \(note)")
            }
        }
        if records.current == nil, records.next == nil { lines.append("; \(records.name) has no key yet") }
        for place in records.published {
            let isBad = records.mismatched.contains(place)
            lines.append("; \(place) is published, and \(isBad ? "does not match" : "matches") the current certificate")
        }
        if let advice = records.advice { lines.append("; " + advice) }
        return lines
    }
}
