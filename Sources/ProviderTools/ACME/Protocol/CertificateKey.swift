import Crypto
import CryptoExtras
import Foundation
import SwiftASN1
import X509

/// What kind of key a certificate gets.
package enum CertificateKeyType: String, Sendable, CaseIterable {
    case p256
    case rsa2048 = "rsa-2048"
    case rsa3072 = "rsa-3072"
    case rsa4096 = "rsa-4096"
}

/// A certificate's private key, and what is derived of it.
struct CertificateKey: Sendable {
    let pem: String
    private let key: Certificate.PrivateKey

    /// Makes one. RSA takes a moment of the processor.
    init(_ type: CertificateKeyType) throws(ACMEError) {
        do {
            switch type {
            case .p256: pem = P256.Signing.PrivateKey().pemRepresentation + "\n"
            case .rsa2048: pem = try _RSA.Signing.PrivateKey(keySize: .bits2048).pemRepresentation + "\n"
            case .rsa3072: pem = try _RSA.Signing.PrivateKey(keySize: .bits3072).pemRepresentation + "\n"
            case .rsa4096: pem = try _RSA.Signing.PrivateKey(keySize: .bits4096).pemRepresentation + "\n"
            }
            key = try Certificate.PrivateKey(pemEncoded: pem)
        } catch {
            throw .internalFailure("no key can be made: \(error)")
        }
    }

    /// Nil for what is no PEM private key.
    init?(pem: String) {
        guard let block = PEMBlocks(pem).all.first(where: { $0.contains("PRIVATE KEY") }),
            let key = try? Certificate.PrivateKey(pemEncoded: block)
        else { return nil }
        (self.pem, self.key) = (pem, key)
    }

    /// Nil when no such file is there, or it holds no key.
    init?(file: String) {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return nil }
        self.init(pem: text)
    }

    /// Nil for a kind that is not made here.
    var type: CertificateKeyType? {
        if P256.Signing.PublicKey(key.publicKey) != nil { return .p256 }
        switch _RSA.Signing.PublicKey(key.publicKey)?.keySizeInBits {
        case 2048: return .rsa2048
        case 3072: return .rsa3072
        case 4096: return .rsa4096
        case _: return nil
        }
    }

    /// DER SubjectPublicKeyInfo, which TLSA records with selector 1 are of (RFC 6698 §2.1.2).
    var publicKeyInfo: [UInt8] { Array(key.publicKey.subjectPublicKeyInfo) }

    func belongs(to certificate: Certificate) -> Bool { key.publicKey == certificate.publicKey }

    /// DER PKCS #10 (RFC 2986) for these names; RFC 8555 §7.4 takes them all from the extension.
    func request(for names: [String]) throws(ACMEError) -> [UInt8] {
        do {
            let alternatives = SubjectAlternativeNames(names.map { .dnsName($0) })
            let extensions = try Certificate.Extensions { alternatives }
            let attributes = try CertificateSigningRequest.Attributes([
                .init(ExtensionRequest(extensions: extensions))
            ])
            let request = try CertificateSigningRequest(
                version: .v1, subject: DistinguishedName(), privateKey: key, attributes: attributes)
            var serializer = DER.Serializer()
            try serializer.serialize(request)
            return serializer.serializedBytes
        } catch {
            throw .internalFailure("no certificate request can be made: \(error)")
        }
    }
}

extension Certificate.PublicKey {
    var subjectPublicKeyInfo: [UInt8] {
        var serializer = DER.Serializer()
        // A key that was read, or made, can be written.
        guard (try? serializer.serialize(self)) != nil else { return [] }
        return serializer.serializedBytes
    }
}
