import Foundation
import Glibc

extension ConfigurationCheck {
    /// Certificates that the server gets itself. The authority is not asked.
    mutating func checkACME(_ configuration: ServerConfiguration, _ hostname: String) {
        let acme = configuration.acme
        if configuration.certificateFile != nil || configuration.keyFile != nil {
            problems.append("tls.certificate and tls.key are set beside acme.directory; remove one or the other")
        }
        for text in acme.certificates where ManagedCertificate(text) == nil {
            problems.append(
                "acme.certificates: “\(text)” is not a list of at most \(CertificateOrder.maximumNames) domain names "
                    + "with spaces between, each once")
        }
        let certificates = configuration.managedCertificates(hostname: hostname)
        if certificates.isEmpty {
            problems.append("acme.certificates: there is no name that a certificate could have; set hostname")
        }
        if Set(certificates.map(\.name)).count != certificates.count {
            problems.append("acme.certificates: two certificates have the same first name")
        }
        if let first = certificates.first, !first.covers(hostname) {
            warnings.append(
                "the first of acme.certificates does not cover the hostname \(hostname); clients will refuse it")
        }
        if !acme.acceptsTerms {
            warnings.append("acme.accept-terms is off: most authorities make no account without it")
        }
        if let file = acme.trustRootsFile, (try? String(contentsOfFile: file, encoding: .utf8)) == nil {
            problems.append("acme.trust-roots: \(file) cannot be read")
        }
        checkExternalAccount(acme)
        checkChallenge(acme, certificates)
    }

    private mutating func checkExternalAccount(_ acme: ACMEConfiguration) {
        guard (acme.externalAccountIdentifier == nil) == (acme.externalAccountKeyFile == nil) else {
            return problems.append("acme.eab-key-id and acme.eab-key-file belong together; set both, or none")
        }
        do throws(OperatorError) { _ = try CertificateSetup.externalAccount(acme) } catch {
            problems.append(error.message)
        }
        if let file = acme.externalAccountKeyFile { checkSecret("acme.eab-key-file", file) }
    }

    private mutating func checkChallenge(_ acme: ACMEConfiguration, _ certificates: [ManagedCertificate]) {
        switch acme.challenge {
        case .http:
            for certificate in certificates where certificate.hasWildcard {
                problems.append(
                    "acme.certificates: \(certificate.names.joined(separator: " ")) has a wildcard, which "
                        + "http-01 cannot prove; set acme.challenge to dns-01 or hook")
            }
            if acme.httpListeners.isEmpty { problems.append("acme.http-listen must be set for acme.challenge http-01") }
        case .dns:
            do throws(OperatorError) { _ = try CertificateSetup.transactionKey(acme) } catch {
                problems.append(error.message)
            }
            if let file = acme.dnsKeyFile { checkSecret("acme.dns-key-file", file) }
        case .hook:
            guard let program = acme.hook.first, program.hasPrefix("/") else {
                return problems.append("acme.hook must be set for acme.challenge hook, and begin with an absolute path")
            }
            if access(program, X_OK) != 0 { problems.append("acme.hook: \(program) cannot be run by this user") }
        }
    }

    private mutating func checkSecret(_ key: String, _ file: String) {
        let mode = (try? FileManager.default.attributesOfItem(atPath: file))?[.posixPermissions] as? Int ?? 0
        if mode & 0o007 != 0 {
            warnings.append("\(key) \(file) is open to everyone on this machine; chmod 600 \(file)")
        }
    }
}

extension ManagedCertificate {
    func covers(_ hostname: String) -> Bool {
        names.contains { CertificateInspection.covers($0, hostname.lowercased()) }
    }
}
