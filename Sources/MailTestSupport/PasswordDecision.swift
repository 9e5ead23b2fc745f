package import MailStore
import MailVocabulary
package import SASL

/// An authenticator of tests: names and passwords, by PLAIN, for submission LOGIN, and by command; in TLS only.
package protocol PasswordDecision: Authenticator {
    func decide(_ credentials: PasswordCredentials) async -> AuthenticationStep
}

extension PasswordDecision {
    package func mechanisms(for context: AuthenticationContext) -> [SASLMechanism] {
        guard context.tls != nil else { return [] }
        return context.service == "submission" ? [.plain, .login] : [.plain]
    }

    package func exchange(
        _ mechanism: SASLMechanism, _ context: AuthenticationContext
    ) -> any AuthenticationExchange {
        PasswordExchange(PasswordMechanism(mechanism) ?? .plain, self, context)
    }

    package func authenticate(
        _ credentials: PasswordCredentials, by mechanism: SASLMechanism?, _ context: AuthenticationContext
    ) async -> AuthenticationStep {
        switch await decide(credentials) {
        case .success(var user):
            user.mechanism = mechanism
            return .success(user)
        case .failure(var refusal):
            if refusal.login.isEmpty { refusal.login = credentials.authenticationIdentity }
            return .failure(refusal)
        case let step: return step
        }
    }
}

extension AuthenticationStep {
    /// What an authenticator of tests says.
    package static func refused(_ reason: String) -> AuthenticationStep {
        .failure(AuthenticationRefusal(login: "", reason: reason))
    }

    package static func admitted(_ account: Account) -> AuthenticationStep {
        .success(AuthenticatedUser(account, loginName: account.address.description))
    }
}

/// An authenticator of tests that lets nobody in.
package struct ClosedDoor: PasswordDecision {
    package init() {}
    package func decide(_ credentials: PasswordCredentials) async -> AuthenticationStep { .refused("closed") }
}
