import ArgumentParser
import Foundation
import ProviderTools

@main
struct Latchmaild: AsyncParsableCommand {

    static let configuration = CommandConfiguration(
        commandName: "latchmaild",
        abstract: "A mail server for IMAP, POP3 and submission, over TLS only.",
        version: Release.version,
        subcommands: [
            ServeCommand.self, CheckCommand.self, DemoCommand.self, UserCommand.self, AliasCommand.self,
            DomainCommand.self,
            QueueCommand.self, ImportCommand.self, ExportCommand.self, VerifyCommand.self, RouteCommand.self,
            CertificateCommand.self, ConfigReferenceCommand.self,
        ])

    /// Errors are one sentence on standard error and an exit code of sysexits(3).
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as OperatorError {
            fail(error.message, error.kind.exitCode)
        } catch let error as ConfigurationProblems {
            fail(error.description, OperatorError.Kind.configuration.exitCode)
        } catch {
            exit(withError: error)
        }
    }

    private static func fail(_ message: String, _ code: Int32) -> Never {
        FileHandle.standardError.write(Data("latchmaild: \(message)\n".utf8))
        Foundation.exit(code)
    }
}

struct ConfigReferenceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config-reference", abstract: "Print docs/configuration.md, or the sample file.",
        shouldDisplay: false)

    @Flag(help: "Print the sample file.")
    var sample = false

    func run() {
        print(sample ? ConfigurationReference.sample : ConfigurationReference.markdown, terminator: "")
    }
}
