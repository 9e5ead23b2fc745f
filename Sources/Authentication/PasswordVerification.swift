import MailStore
import MailVocabulary

/// Compares passwords with what is known of users, at the same cost when there is nothing to compare with.
struct PasswordVerification: Sendable {
    let pool: WorkerPool
    let verifying: any PasswordVerifying
    let cache: VerificationCache?
    private let unmatchable = Argon2Verifier.unmatchable()

    init(pool: WorkerPool, verifying: any PasswordVerifying, cache: VerificationCache?) {
        self.pool = pool
        self.verifying = verifying
        self.cache = cache
    }

    enum Verdict: Sendable {
        /// By the application password of that name; nil: by the user's own.
        case match(applicationPassword: String?)
        case mismatch(reason: String)
        case unknown(reason: String)
    }

    /// - Parameter peer: those who wait are served in turn by it.
    func verify(_ password: Secret, of user: KnownUser, from peer: String) async -> Verdict {
        guard let prepared = PasswordPreparation.prepare(password, for: .verifying) else {
            return await refuse(password, from: peer, reason: "password not acceptable to SASLprep")
        }
        let own: Verdict
        switch user.credentials.proof {
        case .verifiers(let stored): own = await compare(prepared, stored, user, from: peer)
        case .check(let check): own = await ask(check, password)
        case .none: own = await refuse(prepared, from: peer, reason: "no password is set")
        }
        guard case .mismatch = own else { return own }
        return await compareApplicationPasswords(prepared, user, from: peer) ?? own
    }

    /// As long as a comparison takes, and never a match.
    func refuse(_ password: Secret, from peer: String, reason: String) async -> Verdict {
        switch await compute(password, unmatchable, from: peer) {
        case .match, .mismatch: .mismatch(reason: reason)
        case .unknown(let problem): .unknown(reason: problem)
        }
    }

    private func compare(
        _ password: Secret, _ stored: StoredCredentials, _ user: KnownUser, from peer: String
    ) async -> Verdict {
        guard let verifier = Argon2Verifier(stored.argon2id) else {
            return await refuse(password, from: peer, reason: "stored verifier unusable")
        }
        if let cache, cache.contains(password, for: user.account.id, verifier.phc) {
            return .match(applicationPassword: nil)
        }
        let verdict = await compute(password, verifier, from: peer)
        if case .match = verdict { cache?.insert(password, for: user.account.id, verifier.phc) }
        return verdict
    }

    private func compareApplicationPasswords(
        _ password: Secret, _ user: KnownUser, from peer: String
    ) async -> Verdict? {
        for candidate in user.credentials.applicationPasswords {
            switch await compare(password, candidate.credentials, user, from: peer) {
            case .match: return .match(applicationPassword: candidate.name)
            case .mismatch: continue
            case .unknown(let reason): return .unknown(reason: reason)
            }
        }
        return nil
    }

    private func ask(_ check: @Sendable (Secret) async throws -> Bool, _ password: Secret) async -> Verdict {
        do {
            return try await check(password) ? .match(applicationPassword: nil) : .mismatch(reason: "wrong password")
        } catch {
            return .unknown(reason: "\(error)")
        }
    }

    private func compute(_ password: Secret, _ verifier: Argon2Verifier, from peer: String) async -> Verdict {
        let verdict: Verdict? = await pool.run(for: peer) { [verifying] in
            do {
                return try verifying.verify(password, against: verifier)
                    ? .match(applicationPassword: nil) : .mismatch(reason: "wrong password")
            } catch {
                return .unknown(reason: "\(error)")
            }
        }
        return verdict ?? .unknown(reason: "too many logins are waiting")
    }
}
