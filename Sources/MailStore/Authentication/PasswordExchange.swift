package import MailVocabulary
package import SASL
import Synchronization

/// PLAIN or LOGIN: what it comes to is a name and a password, which the authenticator judges.
package final class PasswordExchange: AuthenticationExchange {
    package let mechanism: SASLMechanism
    private let authenticator: any Authenticator
    private let context: AuthenticationContext
    private let exchange: Mutex<SASLServerExchange>

    package init(_ mechanism: PasswordMechanism, _ authenticator: any Authenticator, _ context: AuthenticationContext) {
        self.mechanism = mechanism.mechanism
        self.authenticator = authenticator
        self.context = context
        exchange = Mutex(SASLServerExchange(mechanism))
    }

    package func respond(_ response: Secret?) async -> AuthenticationStep {
        let step = exchange.withLock { exchange in
            response.map { secret in secret.withBytes { exchange.respond($0) } } ?? exchange.start()
        }
        switch step {
        case .challenge(let challenge): return .challenge(challenge)
        case .malformed(let text): return .malformed(text)
        case .verify(let credentials): return await authenticator.authenticate(credentials, by: mechanism, context)
        }
    }
}
