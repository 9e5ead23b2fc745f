import MailVocabulary

/// The mechanisms that show the server a name and a password.
package enum PasswordMechanism: Sendable, Hashable {
    case plain, login

    /// Nil for the others.
    package init?(_ mechanism: SASLMechanism) {
        switch mechanism {
        case .plain: self = .plain
        case .login: self = .login
        case .external, .scramSHA256Plus, .scramSHA1Plus, .scramSHA256, .scramSHA1, .oauthBearer, .xoauth2, .cramMD5:
            return nil
        }
    }

    package var mechanism: SASLMechanism {
        switch self {
        case .plain: .plain
        case .login: .login
        }
    }
}

/// What the server does next in an exchange. Challenges and responses are raw: base64 belongs to the protocols.
package enum SASLServerStep: Sendable {
    case challenge([UInt8])
    case verify(PasswordCredentials)
    /// The response does not fit the mechanism; the text may be sent to the client.
    case malformed(String)
}

/// The server's side of one exchange (RFC 4422 §3) by PLAIN or LOGIN.
package struct SASLServerExchange: Sendable {
    private enum State: Sendable {
        case awaitingPlain
        case awaitingLoginName
        case awaitingLoginPassword(name: String)
        case finished
    }

    package let mechanism: PasswordMechanism
    private var state: State

    package init(_ mechanism: PasswordMechanism) {
        self.mechanism = mechanism
        switch mechanism {
        case .plain: state = .awaitingPlain
        case .login: state = .awaitingLoginName
        }
    }

    /// The first step when the client sent no initial response.
    package mutating func start() -> SASLServerStep {
        switch mechanism {
        case .plain: .challenge([])
        case .login: .challenge(Array("Username:".utf8))
        }
    }

    /// A response, or an initial response.
    package mutating func respond(_ response: Span<UInt8>) -> SASLServerStep {
        switch state {
        case .awaitingPlain:
            state = .finished
            return plain(response)
        case .awaitingLoginName:
            guard let name = text(response, 0..<response.count), !name.isEmpty else { return malformedLogin() }
            state = .awaitingLoginPassword(name: name)
            return .challenge(Array("Password:".utf8))
        case .awaitingLoginPassword(let name):
            state = .finished
            guard text(response, 0..<response.count) != nil, !response.isEmpty else { return malformedLogin() }
            let password = Secret((0..<response.count).map { response[$0] })
            return .verify(PasswordCredentials(authenticationIdentity: name, password: password))
        case .finished:
            return .malformed("The exchange is over")
        }
    }

    private mutating func malformedLogin() -> SASLServerStep {
        state = .finished
        return .malformed("LOGIN needs a name and a password of 1 to 255 octets of UTF-8")
    }

    // message = [authzid] NUL authcid NUL passwd          RFC 4616 §2
    private func plain(_ response: Span<UInt8>) -> SASLServerStep {
        let nuls = (0..<response.count).filter { response[$0] == 0 }
        guard nuls.count == 2,
            let authzid = text(response, 0..<nuls[0]),
            let authcid = text(response, nuls[0] + 1..<nuls[1]), !authcid.isEmpty,
            text(response, nuls[1] + 1..<response.count) != nil, nuls[1] + 1 < response.count
        else { return .malformed("PLAIN needs [authzid] NUL authcid NUL password, each 1 to 255 octets of UTF-8") }
        return .verify(
            PasswordCredentials(
                authorizationIdentity: authzid.isEmpty ? nil : authzid, authenticationIdentity: authcid,
                password: Secret((nuls[1] + 1..<response.count).map { response[$0] })))
    }

    /// Well-formed UTF-8 of a permitted length, without NUL.
    private func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String? {
        guard range.count <= SASLLimits.field, !range.contains(where: { bytes[$0] == 0 }) else { return nil }
        return String(validating: range.map { bytes[$0] }, as: UTF8.self)
    }
}
