package import MailStore
package import MailVocabulary
package import SASL

/// Decides who comes in, at the same cost and with the same answer whatever is wrong: the guard first, then a mechanism,
/// which asks the directory of users. Everything but success is answered a fixed time after the question, so that
/// verifiers of different costs do not show.
package struct ServerAuthenticator: Authenticator {
    /// Longer than any verifier that is stored here takes on an idle machine.
    package static let standardFailureDelay = Duration.seconds(1)

    let directory: UserDirectory
    let settings: AuthenticationSettings
    let passwords: PasswordVerification
    let loginGuard: any LoginGuard
    private let failureDelay: Duration

    /// Without a `cache`, every login costs argon2id.
    /// - Parameter failureDelay: how long after the question anything but success is answered, or once it is known.
    package init(
        _ directory: UserDirectory, settings: AuthenticationSettings = AuthenticationSettings(),
        guard loginGuard: any LoginGuard = NoLoginGuard(), pool: WorkerPool = WorkerPool(),
        cache: VerificationCache? = VerificationCache(), verifying: any PasswordVerifying = Argon2Verifying(),
        failureDelay: Duration = standardFailureDelay
    ) {
        self.directory = directory
        self.settings = settings
        self.loginGuard = loginGuard
        self.failureDelay = failureDelay
        passwords = PasswordVerification(pool: pool, verifying: verifying, cache: cache)
    }

    /// By the account store's verifiers alone.
    package init(
        accounts: any AccountStore, defaultDomain: Domain?, settings: AuthenticationSettings = AuthenticationSettings(),
        pool: WorkerPool = WorkerPool(),
        cache: VerificationCache? = VerificationCache(), verifying: any PasswordVerifying = Argon2Verifying(),
        failureDelay: Duration = standardFailureDelay
    ) {
        let directory = UserDirectory(
            [StoreSource(accounts)], accounts: accounts, names: LoginNames(defaultDomain: defaultDomain))
        self.init(
            directory, settings: settings, pool: pool, cache: cache, verifying: verifying, failureDelay: failureDelay)
    }

    package func mechanisms(for context: AuthenticationContext) -> [SASLMechanism] {
        loginGuard.permitted(settings.offered(context), for: context)
    }

    package func exchange(
        _ mechanism: SASLMechanism, _ context: AuthenticationContext
    ) -> any AuthenticationExchange {
        switch mechanism {
        case .plain: return PasswordExchange(.plain, self, context)
        case .login: return PasswordExchange(.login, self, context)
        case .scramSHA256, .scramSHA256Plus: return SCRAMExchange(mechanism, .sha256, self, context)
        case .scramSHA1, .scramSHA1Plus: return SCRAMExchange(mechanism, .sha1, self, context)
        case .oauthBearer, .xoauth2:
            guard let tokens = settings.tokens else { return UnofferedExchange(mechanism: mechanism) }
            return BearerExchange(mechanism, tokens, self, context)
        case .cramMD5: return CRAMExchange(self, context)
        case .external: return UnofferedExchange(mechanism: mechanism)
        }
    }

    package func authenticate(
        _ credentials: PasswordCredentials, by mechanism: SASLMechanism?, _ context: AuthenticationContext
    ) async -> AuthenticationStep {
        let login = credentials.authenticationIdentity
        let attempt = LoginAttempt(
            login: login, address: directory.names.address(login), mechanism: mechanism, context: context)
        return await conduct(attempt) { await decide(credentials, attempt) }
    }

    /// Every way in leads through here.
    func conduct(_ attempt: LoginAttempt, _ decide: () async -> AuthenticationStep) async -> AuthenticationStep {
        let asked = ContinuousClock.now
        let objection = await loginGuard.objection(to: attempt)
        let step = if let objection { objection } else { await decide() }
        switch step {
        case .success: break
        case .failure, .rejection, .unavailable, .challenge, .malformed:
            // A cancelled sleep only means that the client is gone.
            try? await Task.sleep(until: asked + failureDelay, clock: .continuous)
        }
        await loginGuard.concluded(attempt, step)
        return step
    }

    private func decide(_ credentials: PasswordCredentials, _ attempt: LoginAttempt) async -> AuthenticationStep {
        do {
            let finding = try await directory.find(
                credentials.authenticationIdentity, as: credentials.authorizationIdentity)
            switch finding {
            case .none(let reason), .barred(_, let reason):
                let password = PasswordPreparation.prepare(credentials.password, for: .verifying)
                let verdict = await passwords.refuse(
                    password ?? credentials.password, from: attempt.context.peer,
                    reason: password == nil ? "password not acceptable to SASLprep" : reason)
                return step(verdict, nil, attempt)
            case .user(let user):
                let verdict = await passwords.verify(credentials.password, of: user, from: attempt.context.peer)
                return step(verdict, user, attempt)
            }
        } catch {
            return .unavailable(reason: "\(error)")
        }
    }

    private func step(
        _ verdict: PasswordVerification.Verdict, _ user: KnownUser?, _ attempt: LoginAttempt
    ) -> AuthenticationStep {
        switch verdict {
        case .match(let applicationPassword):
            guard let user else { return attempt.refused("no such account") }
            return admit(user, attempt, applicationPassword: applicationPassword)
        case .mismatch(let reason): return attempt.refused(reason)
        case .unknown(let reason): return .unavailable(reason: reason)
        }
    }

    /// The user has proved who it is; whether that is enough by this way is what is left.
    func admit(
        _ user: KnownUser, _ attempt: LoginAttempt, applicationPassword: String? = nil
    ) -> AuthenticationStep {
        guard settings.permits(user.account.address, attempt.mechanism) else {
            return attempt.refused("mechanism not permitted to this user")
        }
        return .success(
            AuthenticatedUser(
                user.account, loginName: attempt.login, mechanism: attempt.mechanism,
                applicationPassword: applicationPassword,
                passwordChangeRequired: user.credentials.passwordChangeRequired))
    }
}

extension LoginAttempt {
    /// - Parameter reason: for the log.
    package func refusal(
        _ reason: String, _ kind: AuthenticationRefusal.Kind = .credentials
    ) -> AuthenticationRefusal {
        AuthenticationRefusal(login: login, reason: reason, kind: kind)
    }

    package func refused(_ reason: String, _ kind: AuthenticationRefusal.Kind = .credentials) -> AuthenticationStep {
        .failure(refusal(reason, kind))
    }
}

/// What a mechanism that is not offered comes to; sessions do not ask for one.
private struct UnofferedExchange: AuthenticationExchange {
    let mechanism: SASLMechanism

    func respond(_ response: Secret?) async -> AuthenticationStep { .malformed("The mechanism is not offered") }
}
