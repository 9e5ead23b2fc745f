package import MailVocabulary

/// Where what proves a user is kept; several are asked in order.
package protocol CredentialSource: Sendable {
    /// For the log: store, passwd, ldap, pam.
    var name: String { get }

    /// Nil: this source does not know the address. Throws when it cannot be asked now.
    /// - Parameter address: canonical.
    func credentials(for address: Address) async throws -> UserCredentials?
}

/// What a source knows of a user.
package struct UserCredentials: Sendable {
    /// What a password is compared with.
    package enum Proof: Sendable {
        case verifiers(StoredCredentials)
        /// Somebody else compares. Gets the password as it was typed; throws when it cannot be found out now.
        case check(@Sendable (Secret) async throws -> Bool)
        /// No password lets in.
        case none
    }

    package var proof: Proof
    /// When the source has it at hand; nil: it is looked up by address.
    package var account: Account?
    package var isDisabled: Bool
    package var passwordChangeRequired: Bool
    /// Also let in, each by a name of its own.
    package var applicationPasswords: [ApplicationPassword]

    package init(
        _ proof: Proof, account: Account? = nil, isDisabled: Bool = false, passwordChangeRequired: Bool = false,
        applicationPasswords: [ApplicationPassword] = []
    ) {
        self.proof = proof
        self.account = account
        self.isDisabled = isDisabled
        self.passwordChangeRequired = passwordChangeRequired
        self.applicationPasswords = applicationPasswords
    }
}

/// A password for one program or device, which the user can take back by itself.
package struct ApplicationPassword: Sendable, Hashable {
    package var name: String
    package var credentials: StoredCredentials

    package init(name: String, credentials: StoredCredentials) {
        self.name = name
        self.credentials = credentials
    }
}
