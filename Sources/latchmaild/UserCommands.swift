import ArgumentParser
import Authentication
import Foundation
import ProviderTools

import class MailVocabulary.Secret

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Add, list, change, limit, delete and import users.",
        subcommands: [
            Add.self, List.self, Passwd.self, Quota.self, Grants.self, Grant.self, Revoke.self, Delete.self,
            Import.self,
        ])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a user.", discussion: "The password is asked for, or read from standard input.")
        @OptionGroup var server: StateOptions
        @OptionGroup var password: PasswordOptions
        @Argument(help: "Such as name@example.org.") var address: String

        func run() async throws {
            let new = try await password.credentials(for: address)
            try await server.withAdministration {
                try await $0.perform(.addUsers([NewUser(address: address, credentials: new.record)])) { _ in }
            }
            if let generated = new.generated { print(generated) }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the users.")
        @OptionGroup var server: StateOptions
        @Flag(help: "As JSON.") var json = false

        func run() async throws {
            let users = Gathered<UserRecord>()
            try await server.withAdministration {
                try await $0.perform(.listUsers) { if case .users(let part) = $0 { users.append(part) } }
            }
            if json { return try printJSON(users.all) }
            for user in users.all { print(user.address + (user.disabled ? "  (disabled)" : "")) }
        }
    }

    struct Passwd: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a user's password.", discussion: "It is asked for, or read from standard input.")
        @OptionGroup var server: StateOptions
        @OptionGroup var password: PasswordOptions
        @Argument var address: String

        func run() async throws {
            let new = try await password.credentials(for: address)
            try await server.withAdministration {
                try await $0.perform(.setCredentials(address: address, new.record)) { _ in }
            }
            if let generated = new.generated { print(generated) }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a user with all mail.")
        @OptionGroup var server: StateOptions
        @Argument var address: String

        func run() async throws {
            try await server.withAdministration { try await $0.perform(.deleteUser(address)) { _ in } }
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add the users of a file.",
            discussion: """
                One user per line: address:password, or address:{ARGON2ID}$argon2id$… as in Dovecot's passwd-files. \
                Lines that are empty or begin with # are passed over. The whole file is checked before anything is \
                added.
                """)
        @OptionGroup var server: StateOptions
        @Flag(help: "Pass over users that exist.") var skipExisting = false
        @Argument var file: String

        func run() async throws {
            let progress = ProgressLine("importing")
            let defaultDomain = try server.configuration().defaultDomain
            let count = try await server.withAdministration { administering in
                let hashing = UserImport.hashing(processors: ProcessInfo.processInfo.activeProcessorCount)
                let users = UserImport(
                    file: file, administering: administering, hashing: hashing, defaultDomain: defaultDomain,
                    skipsExisting: skipExisting)
                return try await users.run { progress.show($0.done, of: $0.total) }
            }
            progress.finish()
            print("\(count) users imported")
        }
    }
}

struct PasswordOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Take the password from the first line of a file.", valueName: "file"))
    var passwordFile: String?

    @Flag(help: "Make a password up, and print it.")
    var generate = false

    @Flag(help: "Let the user in by SCRAM-SHA-1 too, for programs that know no better.")
    var scramSHA1 = false

    @Flag(help: "Keep the password as it is, for CRAM-MD5: whoever reads the server's files then has it.")
    var cramMD5 = false

    func validate() throws {
        guard passwordFile == nil || !generate else {
            throw ValidationError("Either --password-file or --generate, not both.")
        }
    }

    struct NewCredentials {
        var record: CredentialsRecord
        var generated: String?
    }

    func credentials(for address: String) async throws -> NewCredentials {
        let generated = generate ? PasswordInput.generated() : nil
        let password: Secret
        if let generated {
            password = Secret(generated)
        } else if let passwordFile {
            password = try PasswordInput.file(passwordFile)
        } else {
            password = try PasswordInput.standardInput(for: address)
        }
        do {
            var further: FurtherVerifiers = scramSHA1 ? .scramSHA1 : []
            if cramMD5 { further.insert(.sharedSecret) }
            let credentials = try await PasswordHashing().credentials(for: password, further: further)
            return NewCredentials(record: CredentialsRecord(credentials), generated: generated)
        } catch let error as PasswordError {
            throw OperatorError(.dataError, "the password was not taken: \(error)")
        }
    }
}
