package import MailVocabulary

/// Who wants in, as whom, and the password that proves it (RFC 4616 §2).
package struct PasswordCredentials: Sendable {
    /// Nil when the client left it to be derived from the authentication identity.
    package var authorizationIdentity: String?
    package var authenticationIdentity: String
    package var password: Secret

    package init(authorizationIdentity: String? = nil, authenticationIdentity: String, password: Secret) {
        self.authorizationIdentity = authorizationIdentity
        self.authenticationIdentity = authenticationIdentity
        self.password = password
    }
}
