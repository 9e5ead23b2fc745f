import Crypto
package import MailVocabulary

/// HMAC-SHA-256, by which this server knows again what it has vouched for.
package enum MessageAuthentication {
    /// 32 octets.
    package static func code(of text: [UInt8], key: Secret) -> [UInt8] {
        let key = key.withBytes { bytes in SymmetricKey(data: bytes.withUnsafeBufferPointer { Array($0) }) }
        return Array(HMAC<SHA256>.authenticationCode(for: text, using: key))
    }
}
