package import SASL

/// The answer to a password.
package enum AuthenticationResult: Sendable {
    case success(Account)
    /// One answer for every reason, so that nothing can be learnt from it; the reason is for the log.
    case failure(reason: String)
    /// The question could not be answered now (store down, too many waiting): the client may try again.
    case unavailable(reason: String)
}

/// Decides whether a password lets someone in.
package protocol Authenticator: Sendable {
    /// Takes its time to say anything but success: guessing gets slow, at no cost here.
    /// - Parameter peer: the client's address without port; those who wait are served in turn by it.
    func authenticate(_ credentials: PasswordCredentials, from peer: String) async -> AuthenticationResult
}
