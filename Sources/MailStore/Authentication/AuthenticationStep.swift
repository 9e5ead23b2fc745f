package import SASL

/// What follows a client's response.
package enum AuthenticationStep: Sendable {
    /// The client is to respond to this. The last message of a mechanism that ends with one of the server's is sent so
    /// too; the response to it is empty.
    case challenge([UInt8])
    case success(AuthenticatedUser)
    case failure(AuthenticationRefusal)
    /// Refused, with a message that says why: it is sent as a challenge, and whatever the client responds, even that it
    /// gives up, is answered as `failure` is (RFC 7628 §3.2.3).
    case rejection([UInt8], AuthenticationRefusal)
    /// The question could not be answered now (store down, too many waiting): the client may try again.
    case unavailable(reason: String)
    /// The response does not fit the mechanism; the text may be sent to the client.
    case malformed(String)
}

/// Who has been let in, and how.
package struct AuthenticatedUser: Sendable {
    package var account: Account
    /// As the client gave it, for the record.
    package var loginName: String
    /// Nil for IMAP's LOGIN and POP3's USER and PASS.
    package var mechanism: SASLMechanism?
    /// Which of the user's application passwords it was; nil when it was none.
    package var applicationPassword: String?
    /// The user is to choose another password, and is let in until then.
    package var passwordChangeRequired: Bool

    package init(
        _ account: Account, loginName: String, mechanism: SASLMechanism? = nil, applicationPassword: String? = nil,
        passwordChangeRequired: Bool = false
    ) {
        self.account = account
        self.loginName = loginName
        self.mechanism = mechanism
        self.applicationPassword = applicationPassword
        self.passwordChangeRequired = passwordChangeRequired
    }
}

/// Why somebody is not let in.
package struct AuthenticationRefusal: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// Anything about name, proof or account: one answer for all, so that nothing can be learnt from it.
        case credentials
        /// Before anything was looked at: this way in is closed to whoever comes so (RFC 5530 AUTHORIZATIONFAILED).
        case policy
        /// The connection would have to be protected, or protected better (RFC 5530 PRIVACYREQUIRED).
        case encryptionNeeded
        /// The proof was right, and is not accepted any more (RFC 5530 EXPIRED).
        case expired
    }

    /// As the client gave it, not fit to be printed; empty when it gave none.
    package var login: String
    /// For the log only.
    package var reason: String
    package var kind: Kind

    package init(login: String, reason: String, kind: Kind = .credentials) {
        self.login = login
        self.reason = reason
        self.kind = kind
    }
}
