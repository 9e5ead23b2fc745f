import Authentication
import Foundation
import MailStore
import MailVocabulary
import SASL

/// Puts together who decides about logins, as it is configured.
enum WaysIn {
    /// Octets of the key that made-up salts are made with.
    private static let keyLength = 32

    /// Throws `OperatorError`.
    static func authenticator(
        _ configuration: ServerConfiguration, hostname: String, store: any MailStore
    ) throws(OperatorError) -> ServerAuthenticator {
        let cache =
            configuration.cachesVerifications ? VerificationCache(lifetime: configuration.verificationExpiry) : nil
        let directory = UserDirectory(
            [StoreSource(store)], accounts: store, names: LoginNames(defaultDomain: configuration.defaultDomain))
        return ServerAuthenticator(
            directory, settings: try settings(configuration, hostname: hostname), cache: cache)
    }

    private static func settings(
        _ configuration: ServerConfiguration, hostname: String
    ) throws(OperatorError) -> AuthenticationSettings {
        let chosen = configuration.authentication
        var settings = AuthenticationSettings(
            saltKey: try saltKey(in: configuration.stateDirectory), hostname: hostname)
        settings.mechanisms = chosen.mechanisms
        let byService = [
            "imap": chosen.imapMechanisms, "pop3": chosen.pop3Mechanisms, "submission": chosen.submissionMechanisms,
        ]
        settings.serviceMechanisms = byService.filter { !$0.value.isEmpty }
        settings.acceptsPasswords = chosen.acceptsPasswords
        settings.tokens = IssuedTokens.verifier(chosen.tokens, trustRootsFile: configuration.trustRootsFile)
        let names = LoginNames(defaultDomain: configuration.defaultDomain)
        for text in chosen.userMechanisms {
            guard let entry = UserMechanisms(text), let address = names.address(entry.login) else {
                throw OperatorError(
                    .configuration, "authentication.mechanisms-of-users: “\(text)” is not address: mechanisms")
            }
            settings.userMechanisms[address] = entry.mechanisms
        }
        return settings
    }

    /// Made at the first start, and the same ever after: a salt that changes shows that it is made up.
    private static func saltKey(in directory: String) throws(OperatorError) -> Secret {
        let path = directory + "/salt.key"
        if let found = FileManager.default.contents(atPath: path), let key = Data(base64Encoded: found),
            key.count == keyLength
        {
            return Secret(Array(key))
        }
        var generator = SystemRandomNumberGenerator()
        let key = (0..<keyLength).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        do {
            try PrivateFile.write(Data(key).base64EncodedString(), to: path)
        } catch {
            throw OperatorError(.cannotCreate, "\(error)")
        }
        return Secret(key)
    }
}
