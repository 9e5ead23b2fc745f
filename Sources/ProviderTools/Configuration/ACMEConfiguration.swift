/// Certificates that the server gets, and renews, from an authority that speaks ACME (RFC 8555).
package struct ACMEConfiguration: Sendable, Equatable {
    package enum Challenge: String, Sendable, CaseIterable {
        /// This server answers on port 80.
        case http = "http-01"
        /// It changes the DNS itself (RFC 2136).
        case dns = "dns-01"
        /// A program of the operator's changes the DNS.
        case hook
    }

    /// An https URL; nil: no certificates are got.
    package var directory: String?
    package var acceptsTerms = false
    /// Mail addresses.
    package var contact: [String] = []
    /// Names with spaces between, for each certificate. Empty: one, for the hostname.
    package var certificates: [String] = []
    package var challenge = Challenge.http
    package var keyType = CertificateKeyType.p256
    package var rollsKeys = false
    package var trustRootsFile: String?
    package var preferredChain: String?
    package var externalAccountIdentifier: String?
    package var externalAccountKeyFile: String?
    package var httpListeners = [Endpoint(host: nil, port: 80)]
    package var dnsServer: Endpoint?
    package var dnsKeyFile: String?
    package var dnsPort = 53
    package var dnsWait = Duration.seconds(180)
    package var hook: [String] = []
    package var hookTimeLimit = Duration.seconds(120)
    package var firstRetry = Duration.seconds(60)

    package init() {}
}

extension ServerConfiguration {
    /// What certificates are kept valid, by ACME; empty without it.
    ///
    /// - Parameter hostname: this server's.
    package func managedCertificates(hostname: String) -> [ManagedCertificate] {
        guard acme.directory != nil else { return [] }
        let texts = acme.certificates.isEmpty ? [hostname] : acme.certificates
        return texts.compactMap { ManagedCertificate($0) }
    }

    /// Where the files of certificates that the server gets itself are.
    package var acmeDirectory: String { stateDirectory + "/acme" }
}
