import Foundation
import TLSPolicy
import X509

extension CertificateManager {
    package func status() -> [CertificateStatus] { certificates.map { setup.status(of: $0) } }

    /// What to publish for each, and what is published.
    package func records(_ name: String?) async throws(OperatorError) -> [CertificateRecords] {
        var all: [CertificateRecords] = []
        for certificate in try selected(name) { all.append(try await setup.records(of: certificate)) }
        return all
    }
}

extension CertificateSetup {
    func status(of certificate: ManagedCertificate) -> CertificateStatus {
        let files = files(certificate)
        let state = files.state()
        let current = files.current()
        let now = CertificateManager.now()
        let renewal = current.map { RenewalSchedule.renewal(of: $0.chain, state) }
        var status = CertificateStatus(
            name: certificate.name, names: certificate.names, state: .missing, failures: state.failures,
            isOrdered: state.order != nil, chainFile: files.chainFile, keyFile: files.keyFile)
        if let current {
            let isDue = (renewal ?? 0) <= now || Set(current.chain.names) != Set(certificate.names)
            status.state = current.chain.notAfter <= now ? .expired : isDue ? .due : .valid
            if state.isRevoked == true { status.state = .revoked }
            status.notBefore = current.chain.notBefore
            status.notAfter = current.chain.notAfter
            status.issuer = current.chain.leaf.issuer.description
            status.keyType = current.key.type?.rawValue
            status.renewal = renewal
        }
        status.lastAttempt = state.lastAttempt
        status.nextAttempt = state.nextAttempt
        status.lastError = state.lastError
        status.recordAdvice = state.recordAdvice
        return status
    }

    func records(of certificate: ManagedCertificate) async throws(OperatorError) -> CertificateRecords {
        let files = files(certificate)
        let current = files.current()
        if acme.rollsKeys, current != nil {
            do throws(ACMEError) { _ = try keys(certificate).prepared() } catch {
                throw OperatorError(.ioError, error.description)
            }
        }
        let hosts = certificate.names.filter { !$0.hasPrefix("*.") }
        let published = await published(certificate)
        var advice = files.state().recordAdvice
        if !published.unknown.isEmpty { advice = "not looked up: " + published.unknown.joined(separator: ", ") }
        return CertificateRecords(
            name: certificate.name, places: hosts.flatMap { host in ports.map { "_\($0)._tcp.\(host)." } },
            current: current.map { TLSARecord.publishing($0.key) },
            next: files.nextKey().map { TLSARecord.publishing($0) },
            published: published.places.map { $0.name + "." },
            mismatched: current.map { published.refusing($0.chain).map { $0.name + "." } } ?? [], advice: advice)
    }
}

/// Times as operators read them.
package enum CertificateText {
    /// Of seconds since 1970, in UTC; “never” for none.
    package static func time(_ seconds: Int64?) -> String {
        guard let seconds else { return "never" }
        return Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    }
}
