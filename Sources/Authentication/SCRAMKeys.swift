import Crypto
package import MailStore

/// SCRAM-SHA-256's keys (RFC 5802 §3, RFC 7677).
package enum SCRAMKeys {
    /// RFC 7677 §4 asks for 4096 at least; this is what current software chooses.
    package static let iterations = 10_000
    static let saltLength = 16

    /// Of a prepared password, with a fresh salt.
    static func verifier(_ password: Span<UInt8>) -> SCRAMVerifier {
        verifier(password, salt: randomBytes(saltLength), iterations: iterations)
    }

    // SaltedPassword := Hi(Normalize(password), salt, i)
    // ClientKey := HMAC(SaltedPassword, "Client Key")   StoredKey := H(ClientKey)
    // ServerKey := HMAC(SaltedPassword, "Server Key")                                 RFC 5802 §3
    package static func verifier(_ password: Span<UInt8>, salt: [UInt8], iterations: Int) -> SCRAMVerifier {
        let salted = SymmetricKey(data: hi(password, salt: salt, iterations: iterations))
        let clientKey = HMAC<SHA256>.authenticationCode(for: Array("Client Key".utf8), using: salted)
        let serverKey = HMAC<SHA256>.authenticationCode(for: Array("Server Key".utf8), using: salted)
        return SCRAMVerifier(
            salt: salt, iterations: iterations, storedKey: Array(SHA256.hash(data: Array(clientKey))),
            serverKey: Array(serverKey))
    }

    // Hi(str, salt, i): U1 := HMAC(str, salt + INT(1)) … Ui := HMAC(str, Ui-1); U1 XOR … XOR Ui     RFC 5802 §2.2
    private static func hi(_ password: Span<UInt8>, salt: [UInt8], iterations: Int) -> [UInt8] {
        let key = password.withUnsafeBufferPointer { SymmetricKey(data: $0) }
        var block = Array(HMAC<SHA256>.authenticationCode(for: salt + [0, 0, 0, 1], using: key))
        var result = block
        for _ in 1..<max(iterations, 1) {
            let code = HMAC<SHA256>.authenticationCode(for: block, using: key)
            code.withUnsafeBytes { code in
                for index in result.indices {
                    block[index] = code[index]
                    result[index] ^= code[index]
                }
            }
        }
        return result
    }
}

extension SCRAMVerifier {
    /// Of an account whose password is known only as an argon2id verifier: SCRAM cannot be used with it.
    package static let absent = SCRAMVerifier(salt: [], iterations: 0, storedKey: [], serverKey: [])
}
