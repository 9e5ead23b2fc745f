package import MailStore
package import MailVocabulary
package import SASL

/// Decides by the account store's verifiers, at the same cost and with the same answer whatever is wrong. Everything but
/// success is answered a fixed time after the question, so that verifiers of different costs do not show.
package struct PasswordAuthenticator: Authenticator {
    private let accounts: any AccountStore
    private let defaultDomain: Domain?
    private let pool: WorkerPool
    private let verifying: any PasswordVerifying
    private let cache: VerificationCache?
    private let unmatchable: Argon2Verifier
    private let failureDelay: Duration

    /// Longer than any verifier that is stored here takes on an idle machine.
    package static let standardFailureDelay = Duration.seconds(1)

    /// Without a `defaultDomain`, only full addresses are login names; without a `cache`, every login costs argon2id.
    /// - Parameter failureDelay: how long after the question anything but success is answered, or once it is known.
    package init(
        accounts: any AccountStore, defaultDomain: Domain?, pool: WorkerPool = WorkerPool(),
        cache: VerificationCache? = VerificationCache(), verifying: any PasswordVerifying = Argon2Verifying(),
        failureDelay: Duration = standardFailureDelay
    ) {
        self.accounts = accounts
        self.defaultDomain = defaultDomain
        self.pool = pool
        self.cache = cache
        self.verifying = verifying
        self.failureDelay = failureDelay
        unmatchable = .unmatchable()
    }

    /// What a password is compared with.
    private enum Candidate {
        case account(Account, Argon2Verifier)
        /// No password lets in; the work is done all the same.
        case none(reason: String)
    }

    package func authenticate(_ credentials: PasswordCredentials, from peer: String) async -> AuthenticationResult {
        let asked = ContinuousClock.now
        let result = await decide(credentials, peer)
        switch result {
        case .success: break
        case .failure, .unavailable:
            // A cancelled sleep only means that the client is gone.
            try? await Task.sleep(until: asked + failureDelay, clock: .continuous)
        }
        return result
    }

    private func decide(_ credentials: PasswordCredentials, _ peer: String) async -> AuthenticationResult {
        let candidate: Candidate
        do {
            candidate = try await self.candidate(credentials)
        } catch {
            return .unavailable(reason: "account store: \(error)")
        }
        guard let password = PasswordPreparation.prepare(credentials.password, for: .verifying) else {
            return await refuse(credentials.password, peer, reason: "password not acceptable to SASLprep")
        }
        switch candidate {
        case .none(let reason): return await refuse(password, peer, reason: reason)
        case .account(let account, let verifier): return await check(password, peer, account, verifier)
        }
    }

    private func candidate(_ credentials: PasswordCredentials) async throws -> Candidate {
        guard let address = address(credentials.authenticationIdentity) else {
            return .none(reason: "not a login name")
        }
        if let identity = credentials.authorizationIdentity, self.address(identity) != address {
            return .none(reason: "authorization identity of another")
        }
        guard let account = try await accounts.account(address),
            let stored = try await accounts.credentials(of: account.id)
        else { return .none(reason: "no such account") }
        guard !account.isDisabled else { return .none(reason: "account disabled") }
        guard let verifier = Argon2Verifier(stored.argon2id) else { return .none(reason: "stored verifier unusable") }
        return .account(account, verifier)
    }

    /// The canonical address that a login name or authorization identity stands for.
    private func address(_ name: String) -> Address? {
        if name.utf8.contains(UInt8(ascii: "@")) { return Address(name)?.canonical }
        guard let defaultDomain, Address.isDotAtom(name) else { return nil }
        return Address(localPart: name, domain: defaultDomain).canonical
    }

    private func check(
        _ password: Secret, _ peer: String, _ account: Account, _ verifier: Argon2Verifier
    ) async -> AuthenticationResult {
        if let cache, cache.contains(password, for: account.id, verifier.phc) { return .success(account) }
        switch await verify(password, peer, against: verifier) {
        case .match:
            cache?.insert(password, for: account.id, verifier.phc)
            return .success(account)
        case .mismatch: return .failure(reason: "wrong password")
        case .unknown(let reason): return .unavailable(reason: reason)
        }
    }

    private func refuse(_ password: Secret, _ peer: String, reason: String) async -> AuthenticationResult {
        switch await verify(password, peer, against: unmatchable) {
        case .match, .mismatch: .failure(reason: reason)
        case .unknown(let problem): .unavailable(reason: problem)
        }
    }

    private enum Verdict: Sendable {
        case match, mismatch
        case unknown(reason: String)
    }

    private func verify(_ password: Secret, _ peer: String, against verifier: Argon2Verifier) async -> Verdict {
        let verdict: Verdict? = await pool.run(for: peer) { [verifying] in
            do {
                return try verifying.verify(password, against: verifier) ? .match : .mismatch
            } catch {
                return .unknown(reason: "\(error)")
            }
        }
        return verdict ?? .unknown(reason: "too many logins are waiting")
    }
}
