import Crypto
import CryptoExtras
import Foundation
import SwiftASN1
import Testing
import X509

/// Certificates as good and as bad as a test wants them.
struct IssuedCertificate {
    var certificate: Certificate
    var key: Certificate.PrivateKey
    var der: [UInt8]

    /// 2026-01-01
    static let now: Int64 = 1_767_225_600

    struct Options {
        var names: [String] = []
        var addresses: [[UInt8]] = []
        var commonName = "test"
        var isAuthority = false
        var days = 0.0...100.0
        var usages: [ExtendedKeyUsage.Usage]? = [.serverAuth]
        var keyUsage: KeyUsage?
        var hasSHA1Signature = false
        var extra: [Certificate.Extension] = []
    }

    /// Signed by `issuer`, or by itself.
    init(
        _ options: Options, issuer: IssuedCertificate? = nil,
        key: Certificate.PrivateKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
    ) throws {
        let start = Date(timeIntervalSince1970: TimeInterval(Self.now))
        let subject = try DistinguishedName { CommonName(options.commonName) }
        var extensions = try Certificate.Extensions {
            if options.isAuthority {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
            } else {
                Critical(BasicConstraints.notCertificateAuthority)
            }
            if let usages = options.usages, !options.isAuthority { try ExtendedKeyUsage(usages) }
            if let usage = options.keyUsage { Critical(usage) }
            if !options.names.isEmpty {
                SubjectAlternativeNames(
                    options.names.map { .dnsName($0) }
                        + options.addresses.map { .ipAddress(ASN1OctetString(contentBytes: $0[...])) })
            }
        }
        for item in options.extra { try extensions.append(item) }
        let signer = issuer?.key ?? key
        certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
            notValidBefore: start.addingTimeInterval((options.days.lowerBound - 1) * 86_400),
            notValidAfter: start.addingTimeInterval(options.days.upperBound * 86_400),
            issuer: issuer?.certificate.subject ?? subject, subject: subject,
            signatureAlgorithm: options.hasSHA1Signature ? .sha1WithRSAEncryption : nil,
            extensions: extensions, issuerPrivateKey: signer)
        self.key = key
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        der = serializer.serializedBytes
    }

    var publicKeyDER: [UInt8] {
        get throws {
            var serializer = DER.Serializer()
            try serializer.serialize(certificate.publicKey)
            return serializer.serializedBytes
        }
    }

    static func authority(
        _ name: String = "authority", issuer: IssuedCertificate? = nil, days: ClosedRange<Double> = 0...1000,
        key: Certificate.PrivateKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
    ) throws -> IssuedCertificate {
        try IssuedCertificate(Options(commonName: name, isAuthority: true, days: days), issuer: issuer, key: key)
    }
}

extension Certificate {
    /// With the signature algorithm left to the key, unless one is given.
    fileprivate init(
        version: Version, serialNumber: SerialNumber, publicKey: PublicKey, notValidBefore: Date, notValidAfter: Date,
        issuer: DistinguishedName, subject: DistinguishedName, signatureAlgorithm: SignatureAlgorithm?,
        extensions: Extensions, issuerPrivateKey: PrivateKey
    ) throws {
        if let signatureAlgorithm {
            try self.init(
                version: version, serialNumber: serialNumber, publicKey: publicKey, notValidBefore: notValidBefore,
                notValidAfter: notValidAfter, issuer: issuer, subject: subject, signatureAlgorithm: signatureAlgorithm,
                extensions: extensions, issuerPrivateKey: issuerPrivateKey)
        } else {
            try self.init(
                version: version, serialNumber: serialNumber, publicKey: publicKey, notValidBefore: notValidBefore,
                notValidAfter: notValidAfter, issuer: issuer, subject: subject, extensions: extensions,
                issuerPrivateKey: issuerPrivateKey)
        }
    }
}
