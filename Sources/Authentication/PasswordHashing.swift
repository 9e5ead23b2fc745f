package import MailStore
package import MailVocabulary

/// Why a password was not taken.
package enum PasswordError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Empty, too long, not UTF-8, or with characters that SASLprep prohibits.
    case unsuitable
    case busy
    case computation(String)

    package var description: String {
        switch self {
        case .unsuitable:
            "a password is 1 to \(PasswordPreparation.maximumLength) octets of UTF-8 without control characters"
        case .busy: "too many passwords are being worked on"
        case .computation(let problem): problem
        }
    }
}

/// Compares passwords with stored verifiers; a seam, so that tests can count.
package protocol PasswordVerifying: Sendable {
    /// Of a prepared password. Blocks for as long as the verifier costs. Throws when it could not be found out.
    func verify(_ password: Secret, against verifier: Argon2Verifier) throws -> Bool
}

package struct Argon2Verifying: PasswordVerifying {
    package init() {}

    package func verify(_ password: Secret, against verifier: Argon2Verifier) throws -> Bool {
        try password.withBytes { try verifier.verifies($0) }
    }
}

/// What is stored of a new password beside the verifiers that everyone gets.
package struct FurtherVerifiers: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// For clients that know SCRAM-SHA-1 only.
    package static let scramSHA1 = FurtherVerifiers(rawValue: 1)
    /// For CRAM-MD5: the password itself.
    package static let sharedSecret = FurtherVerifiers(rawValue: 2)
}

/// Makes what is stored of a new password.
package struct PasswordHashing: Sendable {
    private let pool: WorkerPool
    private let cost: Argon2Cost

    package init(pool: WorkerPool = WorkerPool(), cost: Argon2Cost = .standard) {
        self.pool = pool
        self.cost = cost
    }

    /// Throws `PasswordError`.
    package func credentials(
        for password: Secret, further: FurtherVerifiers = []
    ) async throws -> StoredCredentials {
        let result = await pool.run { [cost] in
            Result { try PasswordHashing.computeCredentials(password, cost: cost, further: further) }
        }
        guard let result else { throw PasswordError.busy }
        return try result.get()
    }

    /// On the calling thread, for some 30 ms. Throws `PasswordError`.
    package static func computeCredentials(
        _ password: Secret, cost: Argon2Cost = .standard, further: FurtherVerifiers = []
    ) throws -> StoredCredentials {
        guard let prepared = PasswordPreparation.prepare(password, for: .setting) else {
            throw PasswordError.unsuitable
        }
        do {
            let argon2id = try prepared.withBytes { try Argon2Verifier.make($0, cost: cost) }
            var credentials = StoredCredentials(
                argon2id: argon2id.phc, scramSHA256: try prepared.withBytes { try SCRAMKeys.verifier($0) })
            if further.contains(.scramSHA1) {
                credentials.scramSHA1 = try prepared.withBytes { try SCRAMKeys.verifier($0, .sha1) }
            }
            if further.contains(.sharedSecret) {
                credentials.sharedSecret = SharedSecret(Array(prepared.revealed().utf8))
            }
            return credentials
        } catch let error as Argon2Error {
            throw PasswordError.computation(error.description)
        }
    }
}
