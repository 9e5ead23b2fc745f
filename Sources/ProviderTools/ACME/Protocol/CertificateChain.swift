import Crypto
import Foundation
import SwiftASN1
import X509

/// A certificate with its intermediates, and what is asked of it here.
struct CertificateChain: Sendable {
    let pem: String
    let certificates: [Certificate]

    /// Nil for what holds no certificate, or one that cannot be read.
    init?(pem: String) {
        let blocks = PEMBlocks(pem).blocks(labelled: "CERTIFICATE")
        let certificates = blocks.compactMap { try? Certificate(pemEncoded: $0) }
        guard !certificates.isEmpty, certificates.count == blocks.count else { return nil }
        (self.pem, self.certificates) = (pem, certificates)
    }

    init?(file: String) {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return nil }
        self.init(pem: text)
    }

    /// The server's own.
    var leaf: Certificate { certificates[0] }

    /// Of all of its certificates, as RFC 4514 writes names.
    var issuerNames: [String] { certificates.map { $0.issuer.description } }

    /// Lower case.
    var names: [String] {
        let alternatives = (try? leaf.extensions.subjectAlternativeNames) ?? SubjectAlternativeNames()
        return alternatives.compactMap { if case .dnsName(let name) = $0 { name.lowercased() } else { nil } }
    }

    /// Seconds since 1970.
    var notBefore: Int64 { Int64(leaf.notValidBefore.timeIntervalSince1970) }
    var notAfter: Int64 { Int64(leaf.notValidAfter.timeIntervalSince1970) }

    /// DER of the server's own.
    var leafOctets: [UInt8] { Self.octets(leaf) }

    static func octets(_ certificate: Certificate) -> [UInt8] {
        var serializer = DER.Serializer()
        // What was read can be written.
        guard (try? serializer.serialize(certificate)) != nil else { return [] }
        return serializer.serializedBytes
    }

    /// As certificates are named to authorities; nil without an authority key identifier.
    var renewalIdentifier: String? {
        guard let identifier = try? leaf.extensions.authorityKeyIdentifier?.keyIdentifier else { return nil }
        return Self.renewalIdentifier(authorityKey: identifier, serialNumber: leaf.serialNumber.bytes)
    }

    /// RFC 9773 §4.1.
    static func renewalIdentifier(
        authorityKey: some Sequence<UInt8>, serialNumber: some Sequence<UInt8>
    ) -> String {
        // As DER has it: a number whose first bit is set has a zero before it.
        let number = Array(serialNumber)
        let sign: [UInt8] = (number.first ?? 0) >= 0x80 ? [0] : []
        return Base64URL.encode(authorityKey) + "." + Base64URL.encode(sign + number)
    }

    /// A number from 0 to 1 that is the certificate's own, so that what is spread by it stays where it is.
    var fraction: Double {
        let octets = SHA256.hash(data: leafOctets).prefix(4)
        return Double(octets.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }) / Double(UInt32.max)
    }

    /// Why it cannot be used for these names with this key; nil when it can.
    func fault(for wanted: [String], key: CertificateKey, now: Int64) -> String? {
        let missing = Set(wanted.map { $0.lowercased() }).subtracting(names)
        if !missing.isEmpty { return "it does not cover \(missing.sorted().joined(separator: ", "))" }
        if !key.belongs(to: leaf) { return "it is for another key" }
        if notAfter <= now { return "it has expired already" }
        return nil
    }
}
