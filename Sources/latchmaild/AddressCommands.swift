import ArgumentParser
import Foundation
import ProviderTools

struct AliasCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alias", abstract: "Add, list and remove addresses that lead to others.",
        discussion: """
            An alias leads to one address or several, here or elsewhere, and may lead to other aliases. @example.org is the \
            domain's catch-all: it gets what is for nobody else. An alias with a user's address takes the mail in the \
            user's place; if it leads to that address, too, the user gets it as well.
            """,
        subcommands: [Add.self, List.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add an alias, or change where it leads.")
        @OptionGroup var server: StateOptions
        @Argument(help: "Such as sales@example.org, or @example.org.") var name: String
        @Argument(help: "Where it leads.") var targets: [String]

        func run() async throws {
            try await server.withAdministration {
                try await $0.perform(.setAlias(name: name, targets: targets)) { _ in }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the aliases.")
        @OptionGroup var server: StateOptions
        @Flag(help: "As JSON.") var json = false

        func run() async throws {
            let aliases = Gathered<AliasRecord>()
            try await server.withAdministration {
                try await $0.perform(.listAliases) { if case .aliases(let part) = $0 { aliases.append(part) } }
            }
            if json { return try printJSON(aliases.all) }
            for alias in aliases.all { print("\(alias.name): \(alias.targets.joined(separator: ", "))") }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove an alias.")
        @OptionGroup var server: StateOptions
        @Argument var name: String

        func run() async throws {
            try await server.withAdministration { try await $0.perform(.removeAlias(name)) { _ in } }
        }
    }
}

extension UserCommand {
    struct Grants: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what a user may send as, beside the own addresses.")
        @OptionGroup var server: StateOptions
        @Flag(help: "As JSON.") var json = false
        @Argument var address: String

        func run() async throws {
            let senders = Gathered<String>()
            try await server.withAdministration {
                try await $0.perform(.listSenderGrants(address: address)) {
                    if case .senders(let part) = $0 { senders.append(part) }
                }
            }
            if json { try printJSON(senders.all) } else { senders.all.forEach { print($0) } }
        }
    }

    struct Grant: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a user send as another address.",
            discussion: "The user's own address, with details, and aliases that lead to the user alone need no grant.")
        @OptionGroup var server: StateOptions
        @Argument var address: String
        @Argument(help: "Such as sales@example.org, or @example.org for all of a domain.") var sender: String

        func run() async throws {
            try await server.withAdministration {
                try await $0.perform(.grantSender(address: address, sender: sender)) { _ in }
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take back what was granted.")
        @OptionGroup var server: StateOptions
        @Argument var address: String
        @Argument var sender: String

        func run() async throws {
            try await server.withAdministration {
                try await $0.perform(.revokeSender(address: address, sender: sender)) { _ in }
            }
        }
    }
}
