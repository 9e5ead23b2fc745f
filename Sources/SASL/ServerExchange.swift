import MailVocabulary

/// The mechanisms this server can speak. All reveal the password to it, so all need TLS.
package enum SASLMechanism: String, Sendable, Hashable, CaseIterable {
    case plain = "PLAIN"
    /// Obsolete (draft-murchison-sasl-login), kept for submission clients that know nothing else. Its prompts are free,
    /// but some clients compare them with those that everyone sends.
    case login = "LOGIN"

    /// By name, without regard to ASCII case.
    package init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.rawValue.asciiLowercased() == name.asciiLowercased() })
        else { return nil }
        self = found
    }
}

/// What the server does next in an exchange. Challenges and responses are raw: base64 belongs to the protocols.
package enum SASLServerStep: Sendable {
    case challenge([UInt8])
    case verify(PasswordCredentials)
    /// The response does not fit the mechanism; the text may be sent to the client.
    case malformed(String)
}

/// The server's side of one SASL exchange (RFC 4422 §3).
package struct SASLServerExchange: Sendable {
    /// RFC 4616 §2 asks for 255 octets each; a response holds three such fields and two NULs.
    package static let maximumFieldLength = 255
    /// Octets of a base64 response line that can hold any acceptable response.
    package static let maximumEncodedLength = 4 * ((3 * maximumFieldLength + 2 + 2) / 3)

    private enum State: Sendable {
        case awaitingPlain
        case awaitingLoginName
        case awaitingLoginPassword(name: String)
        case finished
    }

    package let mechanism: SASLMechanism
    private var state: State

    package init(_ mechanism: SASLMechanism) {
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
        guard range.count <= Self.maximumFieldLength, !range.contains(where: { bytes[$0] == 0 }) else { return nil }
        return String(validating: range.map { bytes[$0] }, as: UTF8.self)
    }
}
