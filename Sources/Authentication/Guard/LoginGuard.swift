package import MailStore
package import MailVocabulary
package import SASL

/// Somebody tries to come in.
package struct LoginAttempt: Sendable {
    /// As the client gave it.
    package var login: String
    /// What the name stands for, whether there is such an account or not; nil when it can stand for nothing.
    package var address: Address?
    /// Nil for IMAP's LOGIN and POP3's USER and PASS.
    package var mechanism: SASLMechanism?
    package var context: AuthenticationContext

    package init(login: String, address: Address?, mechanism: SASLMechanism?, context: AuthenticationContext) {
        self.login = login
        self.address = address
        self.mechanism = mechanism
        self.context = context
    }
}

/// Stands before every decision about a login, and hears of each.
package protocol LoginGuard: Sendable {
    /// Of the mechanisms that are configured, what may be used as things are; in the same order.
    func permitted(_ mechanisms: [SASLMechanism], for context: AuthenticationContext) -> [SASLMechanism]

    /// Why the attempt is not even looked at: a failure, or unavailable; nil when nothing is in its way. Asked before any
    /// proof is checked.
    func objection(to attempt: LoginAttempt) async -> AuthenticationStep?

    /// What came of an attempt, also of one that was objected to: success, failure, rejection or unavailable.
    func concluded(_ attempt: LoginAttempt, _ step: AuthenticationStep) async
}

/// Objects to nothing and keeps no record.
package struct NoLoginGuard: LoginGuard {
    package init() {}

    package func permitted(_ mechanisms: [SASLMechanism], for context: AuthenticationContext) -> [SASLMechanism] {
        mechanisms
    }
    package func objection(to attempt: LoginAttempt) async -> AuthenticationStep? { nil }
    package func concluded(_ attempt: LoginAttempt, _ step: AuthenticationStep) async {}
}
