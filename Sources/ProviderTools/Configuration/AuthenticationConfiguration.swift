import Authentication
package import SASL

/// How users prove who they are.
package struct AuthenticationConfiguration: Sendable, Equatable {
    package var mechanisms = AuthenticationSettings.standardMechanisms
    /// Empty: the same as everywhere.
    package var imapMechanisms: [SASLMechanism] = []
    package var pop3Mechanisms: [SASLMechanism] = []
    package var submissionMechanisms: [SASLMechanism] = []
    /// `ada@example.org: SCRAM-SHA-256-PLUS EXTERNAL`.
    package var userMechanisms: [String] = []
    package var acceptsPasswords = true
    package var tokens = TokenConfiguration()

    package init() {}
}

/// Whose tokens let in (OAUTHBEARER, XOAUTH2).
package struct TokenConfiguration: Sendable, Equatable {
    /// Nil: nobody's.
    package var issuer: String?
    /// A file's path or a URL.
    package var keys: String?
    package var introspection: String?
    package var client: String?
    package var clientSecretFile: String?
    package var audience: String?
    package var scope: String?
    package var claim = "email"
    package var leeway = Duration.seconds(60)
    package var algorithms = ["RS256", "PS256", "ES256", "EdDSA"]
    package var configurationURL: String?

    package init() {}
}

/// A restriction of one user's ways in.
struct UserMechanisms {
    var login: String
    var mechanisms: Set<SASLMechanism>

    // address ":" 1*(SP mechanism)
    init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let names = text[text.index(after: colon)...].split(separator: " ")
        let found = names.compactMap { SASLMechanism(name: String($0)) }
        guard !found.isEmpty, found.count == names.count else { return nil }
        login = String(text[..<colon])
        mechanisms = Set(found)
    }
}
