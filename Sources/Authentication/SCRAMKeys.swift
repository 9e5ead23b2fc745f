import Crypto
import CryptoExtras
package import MailStore

/// SCRAM-SHA-256's keys (RFC 5802 §3, RFC 7677).
package enum SCRAMKeys {
    /// RFC 7677 §4 asks for 4096 at least; this is what current software chooses.
    package static let iterations = 10_000
    static let saltLength = 16

    /// Of a prepared password, with a fresh salt.
    static func verifier(_ password: Span<UInt8>) throws(PasswordError) -> SCRAMVerifier {
        try verifier(password, salt: randomBytes(saltLength), iterations: iterations)
    }

    // SaltedPassword := Hi(Normalize(password), salt, i)
    // ClientKey := HMAC(SaltedPassword, "Client Key")   StoredKey := H(ClientKey)
    // ServerKey := HMAC(SaltedPassword, "Server Key")                                 RFC 5802 §3
    package static func verifier(
        _ password: Span<UInt8>, salt: [UInt8], iterations: Int
    ) throws(PasswordError) -> SCRAMVerifier {
        let salted = try hi(password, salt: salt, iterations: iterations)
        let clientKey = HMAC<SHA256>.authenticationCode(for: Array("Client Key".utf8), using: salted)
        let serverKey = HMAC<SHA256>.authenticationCode(for: Array("Server Key".utf8), using: salted)
        return SCRAMVerifier(
            salt: salt, iterations: iterations, storedKey: Array(SHA256.hash(data: Array(clientKey))),
            serverKey: Array(serverKey))
    }

    // Hi(str, salt, i), which is PBKDF2 with HMAC-SHA-256 and one block of output     RFC 5802 §2.2
    private static func hi(_ password: Span<UInt8>, salt: [UInt8], iterations: Int) throws(PasswordError)
        -> SymmetricKey
    {
        do {
            return try password.withUnsafeBufferPointer { password in
                try KDF.Insecure.PBKDF2.deriveKey(
                    from: UnsafeRawBufferPointer(password), salt: salt, using: .sha256, outputByteCount: 32,
                    unsafeUncheckedRounds: iterations)
            }
        } catch {
            throw PasswordError.computation("PBKDF2: \(error)")
        }
    }
}

extension SCRAMVerifier {
    /// Of an account whose password is known only as an argon2id verifier: SCRAM cannot be used with it.
    package static let absent = SCRAMVerifier(salt: [], iterations: 0, storedKey: [], serverKey: [])
}
