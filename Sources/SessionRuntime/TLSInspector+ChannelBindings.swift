import CBoringSSLBridge
import Crypto
import TLSPolicy

extension TLSInspector {
    /// RFC 9266 §4: keying material (RFC 5705) of 32 octets. In TLS 1.2 it says nothing about who is at the other end
    /// without the extended master secret (RFC 7627).
    static func exporterBinding(_ ssl: UnsafeRawPointer, _ version: TLSPolicy.TLSVersion) -> [UInt8]? {
        guard version == .tls13 || CNIOBoringSSL_SSL_get_extms_support(ssl) == 1 else { return nil }
        let label = "EXPORTER-Channel-Binding"
        var material = [UInt8](repeating: 0, count: 32)
        // The context is there, and empty: in TLS 1.2 that is not the same as none.
        let done = CNIOBoringSSL_SSL_export_keying_material(
            UnsafeMutableRawPointer(mutating: ssl), &material, material.count, label, label.utf8.count, nil, 0, 1)
        return done == 1 ? material : nil
    }

    /// RFC 5929 §4.1: the hash of our certificate by its signature's hash, or SHA-256 where that is MD5 or SHA-1. Nil for
    /// a signature that names none (RSA-PSS, Ed25519), and at the client's end.
    static func serverEndPointBinding(_ ssl: UnsafeRawPointer) -> [UInt8]? {
        guard let certificate = CNIOBoringSSL_SSL_get_certificate(ssl) else { return nil }
        var digest: Int32 = 0
        let signature = CNIOBoringSSL_X509_get_signature_nid(certificate)
        let length = CNIOBoringSSL_i2d_X509(certificate, nil)
        guard CNIOBoringSSL_OBJ_find_sigid_algs(signature, &digest, nil) == 1, length > 0 else { return nil }
        let octets = [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, count in
            var start = buffer.baseAddress
            count = Int(max(0, CNIOBoringSSL_i2d_X509(certificate, &start)))
        }
        // OpenSSL's numbers: NID_md5, NID_sha1, NID_sha256, NID_sha384, NID_sha512.
        return switch digest {
        case 4, 64, 672: Array(SHA256.hash(data: octets))
        case 673: Array(SHA384.hash(data: octets))
        case 674: Array(SHA512.hash(data: octets))
        case _: nil
        }
    }
}
