import ArgumentParser
import MailRelay
import ProviderTools

struct RouteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route", abstract: "Print where mail for a domain would go now, and what TLS it would have.",
        discussion: """
            Asks the DNS and fetches policies as the server would; nothing is sent. Policies that the server keeps from \
            before are not looked at. Only for mail to mail exchangers (relay.mode direct).
            """)

    @Option(help: ArgumentHelp("The server's configuration file.", valueName: "file"))
    var config: String
    @Flag(help: "For a message that asks for REQUIRETLS.") var requireTLS = false
    @Argument(help: "Such as example.org.") var domain: String

    func run() async throws {
        var options = PolicyServices.Options(try ConfigurationFile.load(config))
        // What is kept belongs to the server's own user.
        options.directory = nil
        options.countsResults = false
        let services: PolicyServices
        do { services = try PolicyServices(options) } catch {
            throw OperatorError(.configuration, "\(error)")
        }
        let plan = await services.policies.plan(for: domain, requireTLS ? .required : .byPolicy)
        for line in plan.explanation { print(line) }
        switch plan {
        case .hosts: break
        case .undeliverable: throw ExitCode(OperatorError.Kind.unavailable.exitCode)
        case .deferred: throw ExitCode(OperatorError.Kind.temporaryFailure.exitCode)
        }
    }
}
