import Crypto
import MailStore
import MailVocabulary
import SASL
import Synchronization

/// CRAM-MD5 (RFC 2195), for users who have a secret for it set: the server must be able to read it. Off unless an
/// operator turns it on.
final class CRAMExchange: AuthenticationExchange {
    let mechanism = SASLMechanism.cramMD5
    private let authenticator: ServerAuthenticator
    private let context: AuthenticationContext
    private let state = Mutex(State.first)
    /// Unique and not to be foreseen.
    private let challenge: [UInt8]

    private enum State: Sendable {
        case first, challenged, over
    }

    // challenge = "<" random digits "." time "@" host name ">"          RFC 2195 §2, in the form of RFC 822's msg-id
    init(_ authenticator: ServerAuthenticator, _ context: AuthenticationContext, challenge: [UInt8]? = nil) {
        self.authenticator = authenticator
        self.context = context
        let random = unpaddedBase64(randomBytes(18)).map { $0 == "+" || $0 == "/" ? "-" : $0 }
        self.challenge = challenge ?? Array("<\(String(random))@\(authenticator.settings.hostname)>".utf8)
    }

    func respond(_ response: Secret?) async -> AuthenticationStep {
        switch state.withLock({ exchange(&$0, with: .over) }) {
        case .first:
            // The server speaks first (RFC 4422 §5): a response to nothing is none.
            guard response?.count ?? 0 == 0 else { return .malformed("CRAM-MD5 has no initial response") }
            state.withLock { $0 = .challenged }
            return .challenge(challenge)
        case .challenged:
            guard let parsed = response.flatMap({ secret in secret.withBytes { CRAMResponse($0) } }) else {
                return .malformed("CRAM-MD5 needs a name, a space and 32 hexadecimal digits")
            }
            let attempt = LoginAttempt(
                login: parsed.user, address: authenticator.directory.names.address(parsed.user), mechanism: mechanism,
                context: context)
            return await authenticator.conduct(attempt) { await judge(parsed, attempt) }
        case .over: return .malformed("The exchange is over")
        }
    }

    private func judge(_ response: CRAMResponse, _ attempt: LoginAttempt) async -> AuthenticationStep {
        do {
            switch try await authenticator.directory.find(response.user) {
            case .user(let user):
                guard case .verifiers(let stored) = user.credentials.proof, let secret = stored.sharedSecret else {
                    _ = matches(response.digest, randomBytes(16))
                    return attempt.refused("no shared secret")
                }
                guard matches(response.digest, secret.octets) else { return attempt.refused("wrong password") }
                return authenticator.admit(user, attempt)
            case .barred(_, let reason), .none(let reason):
                _ = matches(response.digest, randomBytes(16))
                return attempt.refused(reason)
            }
        } catch {
            return .unavailable(reason: "\(error)")
        }
    }

    private func matches(_ digest: [UInt8], _ secret: [UInt8]) -> Bool {
        let code = HMAC<Insecure.MD5>.authenticationCode(for: challenge, using: SymmetricKey(data: secret))
        return isEqual(Array(code), digest)
    }
}
