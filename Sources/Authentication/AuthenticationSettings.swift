import MailStore
package import MailVocabulary
package import SASL
import TLSPolicy

/// What an operator chooses of the ways in.
package struct AuthenticationSettings: Sendable {
    /// What there is unless something else is chosen; each is offered where it can work.
    package static let standardMechanisms: [SASLMechanism] = [
        .external, .scramSHA256Plus, .scramSHA256, .oauthBearer, .xoauth2, .plain, .login,
    ]

    /// In the order in which they are offered.
    package var mechanisms = standardMechanisms
    /// Instead of those, for a `SessionService.name`.
    package var serviceMechanisms: [String: [SASLMechanism]] = [:]
    /// Users who may come in by fewer, by canonical address. Without PLAIN, IMAP's LOGIN and POP3's USER and PASS are
    /// none of a user's ways either.
    package var userMechanisms: [Address: Set<SASLMechanism>] = [:]
    /// False: only mechanisms that do not show the server the password.
    package var acceptsPasswords = true
    /// From which made-up salts are made; the same after a restart, or they would show themselves.
    package var saltKey: Secret
    /// This server's name: in CRAM-MD5's challenges, and what OAUTHBEARER's clients say that they connected to.
    package var hostname: String
    /// Judges bearer tokens; nil: there are none.
    package var tokens: (any TokenVerifying)?

    package init(saltKey: Secret = Secret(randomBytes(32)), hostname: String = "localhost") {
        self.saltKey = saltKey
        self.hostname = hostname
    }

    /// What is offered as things are; whatever else is to be fulfilled is the guard's.
    func offered(_ context: AuthenticationContext) -> [SASLMechanism] {
        guard let tls = context.tls else { return [] }
        return (serviceMechanisms[context.service] ?? mechanisms).filter { mechanism in
            switch mechanism {
            case .scramSHA256Plus, .scramSHA1Plus: !tls.channelBindings.isEmpty
            case .scramSHA256, .scramSHA1, .cramMD5: true
            case .oauthBearer, .xoauth2: tokens != nil
            case .plain: acceptsPasswords
            // IMAP and POP3 have commands for what LOGIN does.
            case .login: acceptsPasswords && context.service == "submission"
            case .external: false
            }
        }
    }

    /// - Parameter mechanism: nil for IMAP's LOGIN and POP3's USER and PASS.
    func permits(_ address: Address, _ mechanism: SASLMechanism?) -> Bool {
        userMechanisms[address]?.contains(mechanism ?? .plain) ?? true
    }
}
