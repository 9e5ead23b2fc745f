import Crypto
import CryptoExtras
package import MailStore
import SASL

/// The hash of one mechanism of the SCRAM family.
package enum SCRAMHash: String, Sendable, Hashable, CaseIterable {
    /// RFC 7677.
    case sha256
    /// RFC 5802.
    case sha1

    init?(_ mechanism: SASLMechanism) {
        switch mechanism {
        case .scramSHA256, .scramSHA256Plus: self = .sha256
        case .scramSHA1, .scramSHA1Plus: self = .sha1
        case .external, .oauthBearer, .xoauth2, .cramMD5, .plain, .login: return nil
        }
    }

    /// With channel binding.
    var plus: SASLMechanism {
        switch self {
        case .sha256: .scramSHA256Plus
        case .sha1: .scramSHA1Plus
        }
    }

    /// Octets of keys and proofs.
    var length: Int {
        switch self {
        case .sha256: SHA256.byteCount
        case .sha1: Insecure.SHA1.byteCount
        }
    }

    /// H(str) of RFC 5802 §2.2.
    func hash(_ text: [UInt8]) -> [UInt8] {
        switch self {
        case .sha256: Array(SHA256.hash(data: text))
        case .sha1: Array(Insecure.SHA1.hash(data: text))
        }
    }

    /// HMAC(key, str).
    func code(of text: [UInt8], key: [UInt8]) -> [UInt8] {
        let key = SymmetricKey(data: key)
        return switch self {
        case .sha256: Array(HMAC<SHA256>.authenticationCode(for: text, using: key))
        case .sha1: Array(HMAC<Insecure.SHA1>.authenticationCode(for: text, using: key))
        }
    }

    /// Hi(str, salt, i), which is PBKDF2 with HMAC and one block of output.
    func salted(_ password: Span<UInt8>, salt: [UInt8], iterations: Int) throws(PasswordError) -> [UInt8] {
        do {
            let key = try password.withUnsafeBufferPointer { password in
                try KDF.Insecure.PBKDF2.deriveKey(
                    from: UnsafeRawBufferPointer(password), salt: salt,
                    using: self == .sha256 ? .sha256 : .insecureSHA1, outputByteCount: length,
                    unsafeUncheckedRounds: iterations)
            }
            return key.withUnsafeBytes { Array($0) }
        } catch {
            throw PasswordError.computation("PBKDF2: \(error)")
        }
    }
}

/// SCRAM's keys (RFC 5802 §3).
package enum SCRAMKeys {
    /// RFC 7677 §4 asks for 4096 at least; this is what current software chooses.
    package static let iterations = 10_000
    static let saltLength = 16

    /// Of a prepared password, with a fresh salt.
    static func verifier(_ password: Span<UInt8>, _ hash: SCRAMHash = .sha256) throws(PasswordError) -> SCRAMVerifier {
        try verifier(password, salt: randomBytes(saltLength), iterations: iterations, hash)
    }

    // SaltedPassword := Hi(Normalize(password), salt, i)
    // ClientKey := HMAC(SaltedPassword, "Client Key")   StoredKey := H(ClientKey)
    // ServerKey := HMAC(SaltedPassword, "Server Key")                                 RFC 5802 §3
    package static func verifier(
        _ password: Span<UInt8>, salt: [UInt8], iterations: Int, _ hash: SCRAMHash = .sha256
    ) throws(PasswordError) -> SCRAMVerifier {
        let salted = try hash.salted(password, salt: salt, iterations: iterations)
        let clientKey = hash.code(of: Array("Client Key".utf8), key: salted)
        let serverKey = hash.code(of: Array("Server Key".utf8), key: salted)
        return SCRAMVerifier(
            salt: salt, iterations: iterations, storedKey: hash.hash(clientKey), serverKey: serverKey)
    }
}

extension SCRAMVerifier {
    /// Of an account whose password is known only as an argon2id verifier: SCRAM cannot be used with it.
    package static let absent = SCRAMVerifier(salt: [], iterations: 0, storedKey: [], serverKey: [])

    // ClientSignature := HMAC(StoredKey, AuthMessage)      ClientKey := ClientProof XOR ClientSignature
    /// Whether the client has the password; the server's signature if it has (RFC 5802 §3).
    func signature(_ message: [UInt8], proof: [UInt8], _ hash: SCRAMHash) -> [UInt8]? {
        let clientSignature = hash.code(of: message, key: storedKey)
        guard proof.count == clientSignature.count else { return nil }
        let clientKey = zip(proof, clientSignature).map { $0 ^ $1 }
        guard isEqual(hash.hash(clientKey), storedKey) else { return nil }
        return hash.code(of: message, key: serverKey)
    }
}

/// Takes as long wherever the two differ.
func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    return zip(a, b).reduce(into: UInt8(0)) { $0 |= $1.0 ^ $1.1 } == 0
}
