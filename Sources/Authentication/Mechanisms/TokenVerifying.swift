package import MailVocabulary

/// What is made of a bearer token.
package enum TokenVerdict: Sendable, Hashable {
    /// It is good, and tells this login name.
    case valid(login: String)
    /// Not this service's, not signed by the issuer, over: the reason is for the log.
    case invalid(reason: String)
    /// Good, but not for mail.
    case insufficientScope(reason: String)
    /// It could not be found out.
    case unavailable(reason: String)
}

/// Judges bearer tokens (RFC 6750).
package protocol TokenVerifying: Sendable {
    /// The scope that a token must have, for clients to ask for.
    var scope: String? { get }
    /// Where clients learn how to get one: an OpenID Provider's configuration.
    var configurationURL: String? { get }

    func verify(_ token: Secret) async -> TokenVerdict
}
