package import MailStore
package import MailVocabulary

/// The accounts' own verifiers, as `latchmaild user` sets them.
package struct StoreSource: CredentialSource {
    package let name = "store"
    private let accounts: any AccountStore

    package init(_ accounts: any AccountStore) { self.accounts = accounts }

    package func credentials(for address: Address) async throws -> UserCredentials? {
        guard let account = try await accounts.account(address),
            let stored = try await accounts.credentials(of: account.id)
        else { return nil }
        return UserCredentials(.verifiers(stored), account: account)
    }
}
