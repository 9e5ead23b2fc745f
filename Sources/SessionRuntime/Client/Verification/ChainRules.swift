import CryptoExtras
import Foundation
import SwiftASN1
import TLSPolicy
@_spi(FixedExpiryValidationTime) import X509

/// What a chain must be besides leading to a trust anchor: RFC 5280 §6 and the strengths of RFC 9325 §4.
struct ChainRules: VerifierPolicy, Sendable {
    /// RFC 9325 §4.5.
    private static let minimumRSABits = 2048

    private static let expired = "a certificate has expired"
    private static let premature = "a certificate is not valid yet"

    private let time: Date
    private let standard: RFC5280Policy

    init(at time: Date) {
        self.time = time
        standard = RFC5280Policy(fixedExpiryValidationTime: time)
    }

    var verifyingCriticalExtensions: [ASN1ObjectIdentifier] {
        standard.verifyingCriticalExtensions + [
            .X509ExtensionID.extendedKeyUsage, .X509ExtensionID.subjectAlternativeName,
        ]
    }

    mutating func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) -> PolicyEvaluationResult {
        if let reason = violation(Array(chain)) { return .failsToMeetPolicy(reason: reason) }
        return standard.chainMeetsPolicyRequirements(chain: chain)
    }

    static func refusal(_ reason: PolicyFailureReason) -> PeerRefusal {
        let text = reason.description
        return PeerRefusal(text == expired || text == premature ? .expired : .untrusted, text)
    }

    /// A server's certificate that a bare key vouches for: there is no issuer to look at.
    func checkAlone(_ leaf: Certificate) throws(PeerRefusal) {
        for item in leaf.extensions where item.critical && !verifyingCriticalExtensions.contains(item.oid) {
            throw PeerRefusal(.untrusted, "the server's certificate has an unknown critical extension")
        }
        if let reason = weakness([leaf]) ?? signatureWeakness([leaf]) ?? leafViolation(leaf) {
            throw Self.refusal(PolicyFailureReason(reason))
        }
    }

    private func violation(_ chain: [Certificate]) -> String? {
        // The anchor's own signature proves nothing, and is not judged.
        weakness(chain) ?? signatureWeakness(chain.dropLast()) ?? chain.first.flatMap(leafViolation)
            ?? issuerViolation(chain.dropFirst())
    }

    private func weakness(_ chain: [Certificate]) -> String? {
        for certificate in chain where time > certificate.notValidAfter { return Self.expired }
        for certificate in chain where time < certificate.notValidBefore { return Self.premature }
        for certificate in chain {
            if let key = _RSA.Signing.PublicKey(certificate.publicKey), key.keySizeInBits < Self.minimumRSABits {
                return "a certificate's RSA key has only \(key.keySizeInBits) bits"
            }
        }
        return nil
    }

    private func signatureWeakness(_ chain: some Sequence<Certificate>) -> String? {
        chain.contains { $0.signatureAlgorithm == .sha1WithRSAEncryption } ? "a certificate is signed with SHA-1" : nil
    }

    private func leafViolation(_ leaf: Certificate) -> String? {
        do {
            if case .isCertificateAuthority = try leaf.extensions.basicConstraints {
                return "the server's certificate is an authority's"
            }
            if let usage = try leaf.extensions.extendedKeyUsage, !usage.contains(.serverAuth), !usage.contains(.any) {
                return "the server's certificate is not for servers"
            }
        } catch { return "the server's certificate has an extension that cannot be read" }
        return nil
    }

    private func issuerViolation(_ issuers: some Sequence<Certificate>) -> String? {
        for issuer in issuers {
            guard let usage = try? issuer.extensions.keyUsage else { continue }
            if !usage.keyCertSign { return "an issuer's key is not for signing certificates" }
        }
        return nil
    }
}
