import ArgumentParser
import Foundation
import Logging
import ProviderTools
import SQLiteStore
import SessionRuntime

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve mail as configured, until SIGINT or SIGTERM.",
        discussion: "SIGHUP reads the certificate and its key again. Logs go to standard error.")

    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config: String

    func run() async throws {
        let signals = Signals()
        var configuration = try ConfigurationFile.load(config)
        let logger = makeLogger(level: configuration.logLevel, format: configuration.logFormat)
        let check = ConfigurationCheck(configuration)
        for warning in check.warnings { logger.warning("\(warning)") }
        for problem in check.problems { logger.error("\(problem)") }
        guard check.problems.isEmpty else {
            throw OperatorError(.configuration, "not started; correct \(config) and see “latchmaild check”")
        }
        let hostname = configuration.hostname ?? ProcessInfo.processInfo.hostName
        let certificates = try CertificateManager(configuration, hostname: hostname, logger: logger)
        let renewing = Task { await certificates?.run() }
        defer { renewing.cancel() }
        if let certificates {
            // Before the store is opened, so that commands can use it meanwhile.
            guard await certificates.waitForFirst(logger: logger, orUntil: { signals.isStopping }) else { return }
            (configuration.certificateFile, configuration.keyFile) = certificates.defaultFiles
        }
        let store = try await openStore(
            StateDirectory.store(in: configuration.stateDirectory), quotas: configuration.quotaDefaults,
            textIndex: configuration.indexesTexts ? .maintained : .removed)
        let server = try RunningServer(
            configuration, hostname: hostname, store: store, certificates: certificates, logger: logger)
        await certificates?.setOnInstall { _ in server.reloadCertificate() }
        for listener in configuration.listeners {
            let security: ListenerSecurity = listener.isImplicit ? .implicitTLS : .startTLS
            _ = try await server.listen(listener.protocol, security, on: listener.endpoint)
        }
        try await server.listenForLMTP(configuration.lmtp)
        logger.notice("serving", metadata: ["version": "\(Release.version)", "hostname": "\(hostname)"])
        await server.runUntilStopped(signals)
    }
}

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Explain a configuration and what is wrong with it, without serving.")

    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config: String

    func run() throws {
        let check = ConfigurationCheck(try ConfigurationFile.load(config))
        for line in check.effective { print(line) }
        for warning in check.warnings { print("warning: \(warning)") }
        for problem in check.problems { print("problem: \(problem)") }
        guard check.problems.isEmpty else { throw ExitCode(OperatorError.Kind.configuration.exitCode) }
        print("The configuration is good.")
    }
}

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Start a server for trying out, with certificate, accounts and mail.",
        discussion: "It listens on loopback alone. Another start shows the same accounts and passwords again.")

    @Flag(help: "Print one line of JSON for programs, and take free ports.")
    var json = false

    @Option(help: ArgumentHelp("Where everything is kept.", valueName: "directory"))
    var state: String?

    @Option(help: ArgumentHelp("How many accounts there are: u1, u2, …", valueName: "number"))
    var accounts = 2

    @Option(help: "One password for all accounts, instead of one generated for each.")
    var password: String?

    @Flag(help: "Log every connection.")
    var verbose = false

    func validate() throws {
        guard (1...100_000).contains(accounts) else { throw ValidationError("--accounts is 1 to 100000") }
    }

    func run() async throws {
        let signals = Signals()
        let logger = makeLogger(level: json || verbose ? .info : .warning, format: .text)
        let options = Demo.Options(
            stateDirectory: absolutePath(state ?? Demo.defaultStateDirectory), accountCount: accounts,
            password: password, usesFreePorts: json)
        let progress = ProgressLine("making accounts")
        let demo = try await Demo(
            options, logger: logger, openStore: { try await openStore($0, textIndex: .maintained) }
        ) {
            progress.show($0.done, of: $0.total)
        }
        progress.finish()
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(demo.description), as: UTF8.self))
        } else {
            print(demo.description.screen(passwordsFile: demo.passwordsFile))
        }
        fflush(nil)
        await demo.server.runUntilStopped(signals)
    }
}
