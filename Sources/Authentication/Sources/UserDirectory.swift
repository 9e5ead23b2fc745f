package import MailStore
package import MailVocabulary

/// An account, and what proves that somebody is its user.
package struct KnownUser: Sendable {
    package var account: Account
    package var credentials: UserCredentials
    /// `CredentialSource.name`, for the log.
    package var source: String
}

/// Finds users by what clients call them: sources are asked in order, and the first that knows an address counts.
package struct UserDirectory: Sendable {
    package enum Finding: Sendable {
        case user(KnownUser)
        /// May not come in; nobody is to notice that there is such an account.
        case barred(KnownUser, reason: String)
        case none(reason: String)
    }

    package let names: LoginNames
    private let sources: [any CredentialSource]
    private let accounts: any AccountStore

    package init(_ sources: [any CredentialSource], accounts: any AccountStore, names: LoginNames) {
        self.sources = sources
        self.accounts = accounts
        self.names = names
    }

    /// Throws as the other does.
    /// - Parameter identity: the authorization identity (RFC 4422 §3.4.1): nobody acts for another.
    package func find(_ name: String, as identity: String? = nil) async throws -> Finding {
        guard let address = names.address(name) else { return .none(reason: "not a login name") }
        guard names.isOwn(identity, of: address) else { return .none(reason: "authorization identity of another") }
        return try await find(address)
    }

    /// Whose address it is, for somebody who has proved it otherwise: an account without anything to prove it by counts.
    package func owner(_ address: Address) async throws -> Finding {
        let finding = try await find(address)
        guard case .none = finding, let account = try await accounts.account(address) else { return finding }
        let user = KnownUser(account: account, credentials: UserCredentials(.none), source: "store")
        return account.isDisabled ? .barred(user, reason: "account disabled") : .user(user)
    }

    /// Throws when a source, or the store, cannot be asked: a later source must not answer for an earlier one.
    /// - Parameter address: canonical.
    package func find(_ address: Address) async throws -> Finding {
        for source in sources {
            guard let credentials = try await source.credentials(for: address) else { continue }
            let account: Account
            if let known = credentials.account {
                account = known
            } else if let found = try await accounts.account(address) {
                account = found
            } else {
                return .none(reason: "no account beside what \(source.name) has")
            }
            let user = KnownUser(account: account, credentials: credentials, source: source.name)
            let isDisabled = account.isDisabled || credentials.isDisabled
            return isDisabled ? .barred(user, reason: "account disabled") : .user(user)
        }
        return .none(reason: "no such account")
    }
}
