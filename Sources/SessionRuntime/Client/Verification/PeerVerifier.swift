import Foundation
import SwiftASN1
package import TLSPolicy
import X509

/// Judges the certificates that a server presents. The handshake has proved that it holds the first one's key.
package struct PeerVerifier: Sendable {
    /// Certificates looked at: no authority needs more, and the ways through n that sign each other grow as n!.
    package static let maximumCertificates = 7
    /// RFC 5280's structures of any real certificate are far below.
    package static let maximumOctets = 64 * 1024

    private let trustRoots: TrustRoots

    package init(trustRoots: TrustRoots = .system) { self.trustRoots = trustRoots }

    /// - Parameters:
    ///   - chain: DER, the server's own first, as presented.
    ///   - now: seconds since 1970.
    package func verify(
        chain: [[UInt8]], _ verification: ServerVerification, at now: Int64
    ) async -> PeerVerdict {
        let time = Date(timeIntervalSince1970: TimeInterval(now))
        switch verification {
        case .unverified: return .unverified
        case .authorities(let names):
            do throws(PeerRefusal) {
                let presented = try PresentedChain(chain)
                try await ChainCheck(roots: trustRoots.store, time: time).verify(presented, names: names)
                return .verified(by: .authorities)
            } catch { return .refused(error) }
        case .dane(let records, let names):
            return await DANECheck(records: records, names: names, time: time).verify(chain)
        }
    }
}

/// A presented chain that could be read.
struct PresentedChain {
    var leaf: Certificate
    /// The rest, without what cannot be read, with their DER.
    var others: [(certificate: Certificate, der: [UInt8])]

    init(_ chain: [[UInt8]]) throws(PeerRefusal) {
        guard let first = chain.first else { throw PeerRefusal(.malformed, "no certificate was presented") }
        guard chain.reduce(0, { $0 + $1.count }) <= PeerVerifier.maximumOctets else {
            throw PeerRefusal(.malformed, "the certificates are too large")
        }
        guard let leaf = try? Certificate(derEncoded: first) else {
            throw PeerRefusal(.malformed, "the server's certificate cannot be read")
        }
        self.leaf = leaf
        others = chain.prefix(PeerVerifier.maximumCertificates).dropFirst().compactMap { der in
            (try? Certificate(derEncoded: der)).map { ($0, der) }
        }
    }
}

/// A chain to one of `roots`, and one of the names.
struct ChainCheck {
    var roots: CertificateStore
    var time: Date

    func verify(_ presented: PresentedChain, names: [String]) async throws(PeerRefusal) {
        var verifier = Verifier(rootCertificates: roots) { ChainRules(at: time) }
        let intermediates = CertificateStore(presented.others.map(\.certificate))
        switch await verifier.validate(leaf: presented.leaf, intermediates: intermediates) {
        case .validCertificate: break
        case .couldNotValidate(let failures):
            // What was found wrong with a chain says more than that another one leads nowhere.
            throw failures.first.map { ChainRules.refusal($0.policyFailureReason) }
                ?? PeerRefusal(.untrusted, "no chain leads to a trusted certificate")
        }
        try checkName(presented.leaf, names)
    }

    /// A certificate that a trusted key without a certificate of its own has signed.
    func verifyAlone(_ leaf: Certificate, names: [String]) throws(PeerRefusal) {
        try ChainRules(at: time).checkAlone(leaf)
        try checkName(leaf, names)
    }

    /// DNS-IDs only, and IP-IDs for addresses: a common name is none (RFC 9525 §2, §6.3, §6.4).
    private func checkName(_ leaf: Certificate, _ names: [String]) throws(PeerRefusal) {
        let general = (try? leaf.extensions.subjectAlternativeNames) ?? nil
        var found: [String] = []
        for identity in general ?? SubjectAlternativeNames([]) {
            if case .dnsName(let presented) = identity {
                if names.contains(where: { DNSIdentity.matches(presented, host: $0) }) { return }
                found.append(presented)
            } else if case .ipAddress(let presented) = identity {
                if names.contains(where: { Self.octets($0).map { $0[...] } == presented.bytes }) { return }
            }
        }
        let others = found.isEmpty ? "no host name" : found.prefix(3).joined(separator: ", ")
        throw PeerRefusal(
            .wrongName, "the certificate is for \(Self.printable(others)), not for \(names.joined(separator: " or "))")
    }

    /// Of an address in text, in network order; nil for what is none.
    private static func octets(_ name: String) -> [UInt8]? {
        var short = in_addr()
        if inet_pton(AF_INET, name, &short) == 1 { return withUnsafeBytes(of: &short) { Array($0) } }
        var long = in6_addr()
        if inet_pton(AF_INET6, name, &long) == 1 { return withUnsafeBytes(of: &long) { Array($0) } }
        return nil
    }

    /// What a certificate says goes into logs.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(300).map { (0x20...0x7E).contains($0.value) ? $0 : "?" }))
    }
}
