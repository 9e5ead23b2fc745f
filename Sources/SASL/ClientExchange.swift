package import MailVocabulary

/// The client's side of one SASL exchange (RFC 4422 §3), for mechanisms that reveal the password: inside TLS only.
/// Challenges and responses are raw: base64 belongs to the protocols.
package struct SASLClientExchange: Sendable {
    private enum State: Sendable {
        case awaitingPlain
        case awaitingLoginName
        case awaitingLoginPassword
        case finished
    }

    package let mechanism: PasswordMechanism
    private let credentials: PasswordCredentials
    private var state: State

    package init(_ mechanism: PasswordMechanism, _ credentials: PasswordCredentials) {
        self.mechanism = mechanism
        self.credentials = credentials
        switch mechanism {
        case .plain: state = .awaitingPlain
        case .login: state = .awaitingLoginName
        }
    }

    /// Of those that a server offers, the one to use; nil when there is none.
    package static func choose(from offered: [String]) -> PasswordMechanism? {
        let known = Set(offered.compactMap { SASLMechanism(name: $0) })
        return SASLMechanism.allCases.filter { known.contains($0) }.compactMap { PasswordMechanism($0) }.first
    }

    /// What may go with the command that begins the exchange; nil when the server speaks first.
    package mutating func initialResponse() -> Secret? {
        switch state {
        case .awaitingPlain:
            state = .finished
            return plain()
        case .awaitingLoginName, .awaitingLoginPassword, .finished: return nil
        }
    }

    /// The answer to a challenge, nil when there is none to give: the exchange is to be cancelled. What LOGIN's
    /// challenges say is not looked at: servers word them as they like.
    package mutating func respond(to challenge: [UInt8]) -> Secret? {
        switch state {
        case .awaitingPlain:
            state = .finished
            return plain()
        case .awaitingLoginName:
            state = .awaitingLoginPassword
            return Secret(credentials.authenticationIdentity)
        case .awaitingLoginPassword:
            state = .finished
            return credentials.password
        case .finished: return nil
        }
    }

    // message = [authzid] NUL authcid NUL passwd          RFC 4616 §2
    private func plain() -> Secret {
        var message = Array((credentials.authorizationIdentity ?? "").utf8) + [0]
        message += Array(credentials.authenticationIdentity.utf8) + [0]
        credentials.password.withBytes { password in
            for index in password.indices { message.append(password[index]) }
        }
        return Secret(message)
    }
}
