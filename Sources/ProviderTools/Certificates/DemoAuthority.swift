import Crypto
package import Foundation
import SwiftASN1
import X509

/// A private certificate authority and a server certificate of it, for trying the server out: files in a directory,
/// made when missing and renewed before they expire.
package struct DemoAuthority: Sendable {
    /// Ten years: clients that imported it keep it.
    private static let authorityDays = 3650.0
    /// Apple's clients take 825 days at most from a private authority.
    private static let serverDays = 397.0
    /// Renewed when no more than this is left.
    private static let renewalDays = 30.0

    package let authorityFile: String
    package let certificateFile: String
    package let keyFile: String

    /// Reads or makes the files. `now` is for tests.
    ///
    /// Throws when the directory cannot be written.
    package init(directory: String, hostnames: [String], now: Date = Date()) throws {
        authorityFile = directory + "/ca.pem"
        certificateFile = directory + "/server.pem"
        keyFile = directory + "/server.key"
        try PrivateFile.makeDirectory(directory)
        let (authority, authorityKey, isNew) = try DemoAuthority.authority(directory, authorityFile, now)
        if isNew || !isServerCertificateGood(hostnames, issuer: authority, now) {
            try makeServerCertificate(hostnames, authority, authorityKey, now)
        }
    }

    private static func authority(
        _ directory: String, _ file: String, _ now: Date
    ) throws -> (Certificate, Certificate.PrivateKey, isNew: Bool) {
        let keyFile = directory + "/ca.key"
        if let pem = try? String(contentsOfFile: file, encoding: .utf8),
            let keyPEM = try? String(contentsOfFile: keyFile, encoding: .utf8),
            let certificate = try? Certificate(pemEncoded: pem),
            let key = try? Certificate.PrivateKey(pemEncoded: keyPEM), key.publicKey == certificate.publicKey,
            // A server certificate must not outlive it.
            certificate.notValidAfter > now.addingTimeInterval(days: serverDays + 1)
        {
            return (certificate, key, false)
        }
        let signing = P256.Signing.PrivateKey()
        let key = Certificate.PrivateKey(signing)
        let name = try DistinguishedName { CommonName("Latchmail trial CA") }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: now.addingTimeInterval(-3600), notValidAfter: now.addingTimeInterval(days: authorityDays),
            issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: key.publicKey)
            }, issuerPrivateKey: key)
        try PrivateFile.write(signing.pemRepresentation + "\n", to: keyFile)
        try PrivateFile.write(certificate.serializeAsPEM().pemString + "\n", to: file, mode: 0o644)
        return (certificate, key, true)
    }

    private func isServerCertificateGood(_ hostnames: [String], issuer: Certificate, _ now: Date) -> Bool {
        guard let pem = try? String(contentsOfFile: certificateFile, encoding: .utf8),
            let keyPEM = try? String(contentsOfFile: keyFile, encoding: .utf8),
            let certificate = try? Certificate(pemEncoded: pem),
            let key = try? Certificate.PrivateKey(pemEncoded: keyPEM),
            let names = try? certificate.extensions.subjectAlternativeNames
        else { return false }
        return key.publicKey == certificate.publicKey
            && issuer.publicKey.isValidSignature(certificate.signature, for: certificate)
            && Set(DemoAuthority.names(hostnames)).isSubset(of: Set(names))
            && certificate.notValidAfter > now.addingTimeInterval(days: Self.renewalDays)
    }

    private func makeServerCertificate(
        _ hostnames: [String], _ authority: Certificate, _ authorityKey: Certificate.PrivateKey, _ now: Date
    ) throws {
        let signing = P256.Signing.PrivateKey()
        let key = Certificate.PrivateKey(signing)
        let names = DemoAuthority.names(hostnames)
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: now.addingTimeInterval(-3600), notValidAfter: now.addingTimeInterval(days: Self.serverDays),
            issuer: authority.subject, subject: try DistinguishedName { CommonName("Latchmail trial server") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(names)
                SubjectKeyIdentifier(hash: key.publicKey)
                AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: authority.publicKey).keyIdentifier)
            }, issuerPrivateKey: authorityKey)
        try PrivateFile.write(signing.pemRepresentation + "\n", to: keyFile)
        try PrivateFile.write(certificate.serializeAsPEM().pemString + "\n", to: certificateFile, mode: 0o644)
    }

    private static func names(_ hostnames: [String]) -> [GeneralName] {
        let loopback6 = [UInt8](repeating: 0, count: 15) + [1]
        return Set(["localhost"] + hostnames).sorted().map { .dnsName($0) } + [
            .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
            .ipAddress(ASN1OctetString(contentBytes: loopback6[...])),
        ]
    }
}

extension Date {
    fileprivate func addingTimeInterval(days: Double) -> Date { addingTimeInterval(days * 86_400) }
}
