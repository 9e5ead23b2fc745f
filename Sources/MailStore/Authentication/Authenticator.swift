package import MailVocabulary
package import SASL

/// Decides who comes in. Sessions only pass on what a client says.
///
/// Whatever refuses takes its time to say so: guessing gets slow, at no cost here.
package protocol Authenticator: Sendable {
    /// What is offered now, strongest first; none where nobody may authenticate as things are. IMAP's LOGIN and POP3's
    /// USER and PASS are there when one of these reveals the password.
    func mechanisms(for context: AuthenticationContext) -> [SASLMechanism]

    /// The server's side of one exchange, by a mechanism that is offered.
    func exchange(_ mechanism: SASLMechanism, _ context: AuthenticationContext) -> any AuthenticationExchange

    /// A name and a password that came by a command of their own (IMAP's LOGIN, POP3's USER and PASS), and by PLAIN and
    /// LOGIN when that is how an authenticator's exchanges end.
    /// - Parameter mechanism: nil for the commands.
    func authenticate(
        _ credentials: PasswordCredentials, by mechanism: SASLMechanism?, _ context: AuthenticationContext
    ) async -> AuthenticationStep
}

extension Authenticator {
    /// Whether a name and a password may come by a command of their own.
    package func acceptsPasswordCommands(_ context: AuthenticationContext) -> Bool {
        mechanisms(for: context).contains { $0.revealsPassword }
    }
}

/// One exchange (RFC 4422 §3). Challenges and responses are raw: base64 belongs to the protocols.
package protocol AuthenticationExchange: Sendable {
    var mechanism: SASLMechanism { get }

    /// A response; nil when the client sent none with the command that began the exchange. One at a time. What is not a
    /// challenge ends the exchange.
    func respond(_ response: Secret?) async -> AuthenticationStep
}
