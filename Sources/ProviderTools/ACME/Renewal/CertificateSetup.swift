import Foundation
import Glibc
import Logging
import MailDNS
import MailRelay

/// What the configuration makes of authorities, challenges and files.
struct CertificateSetup: Sendable {
    let acme: ACMEConfiguration
    /// Where everything is kept.
    let folder: String
    /// The authority's directory.
    private let directory: String
    private let externalAccount: (identifier: String, macKey: [UInt8])?
    private let solver: any ChallengeSolver
    private let resolverOptions: ResolverOptions
    /// That clients and other servers connect to.
    let ports: [Int]
    private let logger: Logger

    init(_ configuration: ServerConfiguration, httpSockets: [Int32], logger: Logger) throws(OperatorError) {
        acme = configuration.acme
        folder = configuration.acmeDirectory
        directory = configuration.acme.directory ?? ""
        self.logger = logger
        ports = Set(configuration.listeners.map(\.endpoint.port) + [25]).subtracting([0]).sorted()
        let options = PolicyServices.Options(configuration).resolver
        resolverOptions = options
        externalAccount = try Self.externalAccount(configuration.acme)
        let visibility = DNSVisibility(
            makeResolver: { () throws(ACMEError) in try Self.resolver(options) }, port: acme.dnsPort,
            timeLimit: acme.dnsWait, logger: logger)
        switch acme.challenge {
        case .http:
            let places: [HTTPChallenges.Place] = httpSockets.map { .socket($0) }
            solver = HTTPChallenges(places.isEmpty ? acme.httpListeners.map { .address($0) } : places, logger: logger)
        case .dns:
            solver = UpdateChallenges(
                key: try Self.transactionKey(acme), server: acme.dnsServer, visibility: visibility, logger: logger)
        case .hook:
            solver = HookChallenges(
                command: acme.hook, timeLimit: acme.hookTimeLimit, logger: logger,
                visibility: acme.dnsWait > .zero ? visibility : nil)
        }
        do { try PrivateFile.makeDirectory(folder) } catch {
            throw OperatorError(.cannotCreate, "\(folder) cannot be made: \(error.localizedDescription)")
        }
    }

    func files(_ certificate: ManagedCertificate) -> CertificateFolder {
        CertificateFolder(folder: folder, name: certificate.name)
    }

    func client() -> ACMEClient {
        ACMEClient(
            ACMEClient.Options(
                directory: directory, contact: acme.contact, acceptsTerms: acme.acceptsTerms,
                externalAccount: externalAccount), accounts: AccountFile(folder: folder, directory: directory),
            transport: HTTPSTransport(trustRootsFile: acme.trustRootsFile))
    }

    func renewal(_ certificate: ManagedCertificate) -> CertificateRenewal {
        CertificateRenewal(
            certificate: certificate, files: files(certificate), client: client(), solver: solver,
            keys: keys(certificate), directory: directory, preferredIssuer: acme.preferredChain, logger: logger)
    }

    func keys(_ certificate: ManagedCertificate) -> KeyChoice {
        KeyChoice(
            files: files(certificate), type: acme.keyType, rollsKeys: acme.rollsKeys,
            published: { await published(certificate) }, now: CertificateManager.now())
    }

    /// What the DNS publishes now; asked anew, so that nothing kept from before hides a record.
    func published(_ certificate: ManagedCertificate) async -> PublishedKeys {
        do throws(ACMEError) {
            return await PublishedKeys(
                names: certificate.names, ports: ports, resolver: try Self.resolver(resolverOptions))
        } catch {
            return PublishedKeys(places: [], unknown: ["the DNS (\(error))"])
        }
    }

    // MARK: When

    /// When something is to be done, seconds since 1970.
    func due(_ certificate: ManagedCertificate, afterFailure: Bool = true) -> Int64 {
        let files = files(certificate)
        let state = files.state()
        let earliest = afterFailure ? state.nextAttempt ?? 0 : 0
        guard let current = files.current(), state.isRevoked != true,
            Set(certificate.names) == Set(current.chain.names)
        else { return earliest }
        return max(RenewalSchedule.renewal(of: current.chain, state), earliest)
    }

    func retryDelay(_ failures: Int, asked: Int64?) -> Int64 {
        RenewalSchedule.retryDelay(
            failures: failures, first: acme.firstRetry.components.seconds, asked: asked,
            fraction: Double.random(in: 0...1))
    }

    /// So that two processes do not ask at once. Closing the descriptor ends it.
    func lock() throws(ACMEError) -> Int32 {
        let path = folder + "/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .file("\(path): \(String(cString: strerror(errno)))") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .file("another process of this server is getting a certificate; try again when it is done")
        }
        return descriptor
    }

    // MARK: Files of the operator's

    private static func resolver(_ options: ResolverOptions) throws(ACMEError) -> any DNSResolver {
        do throws(ResolverOptionsError) { return try UnboundResolver(options) } catch {
            throw .configuration("dns: \(error)")
        }
    }

    static func externalAccount(
        _ acme: ACMEConfiguration
    ) throws(OperatorError) -> (identifier: String, macKey: [UInt8])? {
        guard let identifier = acme.externalAccountIdentifier, let file = acme.externalAccountKeyFile else {
            return nil
        }
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw OperatorError(.configuration, "acme.eab-key-file \(file) cannot be read")
        }
        let line = text.prefix { $0 != "\n" && $0 != "\r\n" && $0 != "\r" }
        guard let key = Base64URL.decode(String(line)), !key.isEmpty else {
            throw OperatorError(.configuration, "acme.eab-key-file \(file) holds no base64url key")
        }
        return (identifier, key)
    }

    static func transactionKey(_ acme: ACMEConfiguration) throws(OperatorError) -> TransactionKey {
        guard let file = acme.dnsKeyFile else {
            throw OperatorError(.configuration, "acme.dns-key-file must be set for acme.challenge dns-01")
        }
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw OperatorError(.configuration, "acme.dns-key-file \(file) cannot be read")
        }
        guard let key = TransactionKey(configuration: text) else {
            throw OperatorError(
                .configuration,
                "acme.dns-key-file \(file) holds no hmac-sha256 key; “tsig-keygen -a hmac-sha256” makes one")
        }
        return key
    }
}
