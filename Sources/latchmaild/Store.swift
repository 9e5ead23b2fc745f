import ArgumentParser
import Foundation
import Logging
import MailStore
import ProviderTools
import SQLiteStore

/// Opens the store, making it when nothing is there.
///
/// - Parameter logger: is told what an operator must know; nil for standard error.
func openStore(
    _ directory: String, quotas: QuotaDefaults = QuotaDefaults(), textIndex: TextIndexUse = .kept,
    logger: Logger? = nil
) async throws -> any MailStore {
    do {
        let parent = (directory as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(
            atPath: parent, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var options = SQLiteStore.Options()
        options.quotaDefaults = quotas
        options.textIndex = textIndex
        if let logger { options.log = { logger.error("store", metadata: ["problem": "\($0)"]) } }
        return try SQLiteStore(path: directory, options: options)
    } catch let error as StoreError {
        switch error {
        case .unavailable(let reason):
            throw OperatorError(.unavailable, "the store \(directory) cannot be opened: \(reason)")
        case .noSpace: throw OperatorError(.ioError, "the store \(directory) cannot be opened: the disk is full")
        case _: throw OperatorError(.ioError, "the store \(directory) cannot be opened: \(error)")
        }
    } catch {
        throw OperatorError(.cannotCreate, "\(directory): \(error.localizedDescription)")
    }
}

func absolutePath(_ path: String) -> String { URL(filePath: path).standardizedFileURL.path(percentEncoded: false) }

/// Which server's users, domains and mail a command is about.
struct StateOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The server's configuration file.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The server's state directory, instead of a configuration.", valueName: "directory"))
    var state: String?

    func validate() throws {
        guard (config == nil) != (state == nil) else {
            throw ValidationError("Say which server: --config FILE or --state DIRECTORY.")
        }
    }

    func configuration() throws -> ServerConfiguration {
        guard let config else {
            var configuration = ServerConfiguration()
            configuration.stateDirectory = absolutePath(state ?? "")
            return configuration
        }
        return try ConfigurationFile.load(config)
    }

    /// Asks the running server, or opens the store when none runs.
    func withAdministration<R: Sendable>(_ body: (any Administering) async throws -> R) async throws -> R {
        let configuration = try configuration()
        return try await ProviderCommands.withAdministration(
            configuration.stateDirectory, quotas: configuration.quotaDefaults, body)
    }
}

extension ServerConfiguration {
    /// What accounts get that have no quota of their own.
    var quotaDefaults: QuotaDefaults {
        QuotaDefaults(storage: quotaStorage.map { UInt64($0) }, messages: quotaMessages.map { UInt64($0) })
    }
}

enum ProviderCommands {
    static func withAdministration<R: Sendable>(
        _ directory: String, quotas: QuotaDefaults = QuotaDefaults(), _ body: (any Administering) async throws -> R
    ) async throws -> R {
        if let client = try ControlClient(directory: directory) { return try await body(client) }
        let store = try await openStore(StateDirectory.store(in: directory), quotas: quotas)
        do {
            let result = try await body(Administration(store: store))
            try await store.close()
            return result
        } catch {
            try? await store.close()
            throw error
        }
    }
}
