import Foundation
package import Logging
package import MailStore
import MailVocabulary
import SessionRuntime

/// A server for trying out: certificate, accounts and mail made when missing, on loopback alone.
package struct Demo: Sendable {
    package struct Options: Sendable {
        package var stateDirectory: String
        package var accountCount: Int
        /// Nil: each account gets its own, generated once.
        package var password: String?
        /// Takes free ports instead of the well-known ones of the demo.
        package var usesFreePorts: Bool

        package init(
            stateDirectory: String = Demo.defaultStateDirectory, accountCount: Int = 2, password: String? = nil,
            usesFreePorts: Bool = false
        ) {
            self.stateDirectory = stateDirectory
            self.accountCount = accountCount
            self.password = password
            self.usesFreePorts = usesFreePorts
        }
    }

    private static let host = "127.0.0.1"

    package let server: RunningServer
    package let description: DemoDescription
    package let passwordsFile: String

    /// `$XDG_STATE_HOME/latchmail-demo`, or what that defaults to.
    package static var defaultStateDirectory: String {
        let environment = ProcessInfo.processInfo.environment
        let base = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (base ?? NSHomeDirectory() + "/.local/state") + "/latchmail-demo"
    }

    /// Starts it. `openStore` is given the store's directory. Throws `OperatorError`.
    package init(
        _ options: Options, logger: Logger, openStore: (String) async throws -> any MailStore,
        progress: @Sendable (ImportProgress) -> Void
    ) async throws(OperatorError) {
        let directory = options.stateDirectory
        passwordsFile = directory + "/passwords.json"
        do {
            try PrivateFile.makeDirectory(directory)
            let authority = try DemoAuthority(
                directory: directory + "/tls", hostnames: [ProcessInfo.processInfo.hostName])
            let store = try await openStore(StateDirectory.store(in: directory))
            let users = try await DemoAccounts(passwordsFile: passwordsFile, store: store).prepare(
                count: options.accountCount, password: options.password, progress: progress)
            let configuration = Demo.configuration(directory, authority)
            server = try RunningServer(configuration, hostname: "localhost", store: store, logger: logger)
            let services = try await Demo.listen(server, options.usesFreePorts)
            description = DemoDescription(
                host: Self.host, ca: authority.authorityFile, pid: ProcessInfo.processInfo.processIdentifier,
                services: services, accounts: users)
        } catch let error as OperatorError {
            throw error
        } catch {
            throw OperatorError(.cannotCreate, "the demo cannot start in \(directory): \(error)")
        }
    }

    private static func configuration(_ directory: String, _ authority: DemoAuthority) -> ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.stateDirectory = directory
        configuration.certificateFile = authority.certificateFile
        configuration.keyFile = authority.keyFile
        configuration.defaultDomain = Domain(DemoAccounts.domain)
        return configuration
    }

    /// High ports that end as the standard ones do.
    private static func usualPorts(_ mailProtocol: MailProtocol) -> DemoDescription.Ports {
        switch mailProtocol {
        case .imap: .init(implicit: 41_993, starttls: 41_143)
        case .pop3: .init(implicit: 41_995, starttls: 41_110)
        case .submission: .init(implicit: 41_465, starttls: 41_587)
        }
    }

    private static func listen(
        _ server: RunningServer, _ usesFreePorts: Bool
    ) async throws(OperatorError) -> [String: DemoDescription.Ports] {
        var services: [String: DemoDescription.Ports] = [:]
        for mailProtocol in MailProtocol.allCases {
            let usual = usesFreePorts ? .init(implicit: 0, starttls: 0) : usualPorts(mailProtocol)
            services[mailProtocol.rawValue] = DemoDescription.Ports(
                implicit: try await listen(server, mailProtocol, .implicitTLS, usual.implicit),
                starttls: try await listen(server, mailProtocol, .startTLS, usual.starttls))
        }
        return services
    }

    /// The usual port, or a free one when that is taken.
    private static func listen(
        _ server: RunningServer, _ mailProtocol: MailProtocol, _ security: ListenerSecurity, _ port: Int
    ) async throws(OperatorError) -> Int {
        do {
            return try await server.listen(mailProtocol, security, on: Endpoint(host: host, port: port))
        } catch  where error.kind == .portInUse {
            return try await server.listen(mailProtocol, security, on: Endpoint(host: host, port: 0))
        }
    }
}

/// What is where in a state directory.
package enum StateDirectory {
    package static func store(in directory: String) -> String { directory + "/store" }
}
