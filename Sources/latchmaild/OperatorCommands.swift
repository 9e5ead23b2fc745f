import ArgumentParser
import Foundation
import MailStore
import ProviderTools
import Synchronization

struct DomainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "domain", abstract: "Add, list and delete the domains that are served.",
        subcommands: [Add.self, List.self, Delete.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Serve a domain.")
        @OptionGroup var server: StateOptions
        @Argument(help: "Such as example.org.") var domain: String

        func run() async throws {
            try await server.withAdministration { try await $0.perform(.addDomain(domain)) { _ in } }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the domains that are served.")
        @OptionGroup var server: StateOptions
        @Flag(help: "As JSON.") var json = false

        func run() async throws {
            let domains = Gathered<String>()
            try await server.withAdministration {
                try await $0.perform(.listDomains) { if case .domains(let part) = $0 { domains.append(part) } }
            }
            if json { try printJSON(domains.all) } else { domains.all.forEach { print($0) } }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Serve a domain no longer. It must have no users.")
        @OptionGroup var server: StateOptions
        @Argument var domain: String

        func run() async throws {
            try await server.withAdministration { try await $0.perform(.deleteDomain(domain)) { _ in } }
        }
    }
}

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check everything that is kept against itself.",
        discussion: "Damage is printed on standard output. Exits with 0 when there is none, with 1 when there is.")

    @Option(help: ArgumentHelp("The server's configuration file.", valueName: "file"))
    var config: String?
    @Option(help: ArgumentHelp("The server's state directory.", valueName: "directory"))
    var state: String?
    @Option(help: ArgumentHelp("The store's own directory; no server may run.", valueName: "directory"))
    var store: String?

    func validate() throws {
        guard [config, state, store].compactMap(\.self).count == 1 else {
            throw ValidationError("Say what to check: --config FILE, --state DIRECTORY or --store DIRECTORY.")
        }
    }

    func run() async throws {
        let progress = ProgressLine("checking")
        let damaged = Mutex(false)
        let index = Mutex<String?>(nil)
        let show: @Sendable (ControlReply) -> Void = { reply in
            switch reply {
            case .progress(let checked, let total): progress.show(checked, of: total)
            case .damage(let place, let problem):
                damaged.withLock { $0 = true }
                print("\(place): \(problem)")
            case .textIndex(let indexed, let messages, let octets):
                let text = "index of texts: \(indexed) of \(messages) messages, \((octets + 1023) / 1024) KiB"
                index.withLock { $0 = text }
            case .domains, .users, .aliases, .senders, .transferred, .quota, .queue, .certificate, .done, .failed:
                break
            }
        }
        try await withTarget { try await $0.perform(.verify, reply: show) }
        progress.finish()
        if let index = index.withLock({ $0 }) { FileHandle.standardError.write(Data("\(index)\n".utf8)) }
        if damaged.withLock({ $0 }) { throw ExitCode(1) }
        FileHandle.standardError.write(Data("no damage found\n".utf8))
    }

    private func withTarget(_ body: (any Administering) async throws -> Void) async throws {
        let directory = store.map(absolutePath)
        if let directory {
            try requireStore(directory)
            let store = try await openStore(directory)
            try await body(Administration(store: store))
            return try await store.close()
        }
        let configured = try config.map { try ConfigurationFile.load($0).stateDirectory }
        let stateDirectory = configured ?? absolutePath(state ?? "")
        try requireStore(StateDirectory.store(in: stateDirectory))
        try await ProviderCommands.withAdministration(stateDirectory, body)
    }

    /// Opening would make one: a mistyped path must not be found clean.
    private func requireStore(_ directory: String) throws {
        guard FileManager.default.fileExists(atPath: directory) else {
            throw OperatorError(.noInput, "there is no store at \(directory)")
        }
    }
}

func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
