import MailStore
import MailVocabulary
import SASL
import Synchronization
import TLSPolicy

/// SCRAM (RFC 5802, RFC 7677), with channel binding (RFC 5929, RFC 9266) or without. Whoever has no verifier gets the
/// answers that a wrong password gets.
final class SCRAMExchange: AuthenticationExchange {
    let mechanism: SASLMechanism
    private let hash: SCRAMHash
    private let authenticator: ServerAuthenticator
    private let context: AuthenticationContext
    /// This side's part of the nonce.
    private let serverNonce: [UInt8]
    private let state = Mutex(State.first)

    private enum State: Sendable {
        case first
        case final(Start)
        /// The server's signature is sent, and an empty response ends the exchange.
        case proved(AuthenticatedUser)
        case over
    }

    /// What the first messages settled.
    private struct Start: Sendable {
        var client: SCRAMClientFirst
        var server: [UInt8]
        var nonce: [UInt8]
        /// `cbind-input`.
        var binding: [UInt8]
        var candidate: SCRAMCandidate
        var attempt: LoginAttempt
    }

    init(
        _ mechanism: SASLMechanism, _ hash: SCRAMHash, _ authenticator: ServerAuthenticator,
        _ context: AuthenticationContext, nonce: [UInt8] = Base64.encode(randomBytes(18))
    ) {
        serverNonce = nonce
        self.mechanism = mechanism
        self.hash = hash
        self.authenticator = authenticator
        self.context = context
    }

    func respond(_ response: Secret?) async -> AuthenticationStep {
        switch state.withLock({ exchange(&$0, with: .over) }) {
        case .first:
            guard let response else {
                state.withLock { $0 = .first }
                return .challenge([])
            }
            return await begin(response)
        case .final(let start): return await finish(start, response ?? Secret([]))
        case .proved(let user):
            return response?.count ?? 0 == 0 ? .success(user) : .malformed("The last response is empty")
        case .over: return .malformed("The exchange is over")
        }
    }

    private func begin(_ response: Secret) async -> AuthenticationStep {
        let client: SCRAMClientFirst
        let binding: [UInt8]
        do throws(SCRAMError) {
            client = try response.withBytes { bytes throws(SCRAMError) in try SCRAMClientFirst(parsing: bytes) }
            binding = try client.header + bindingData(client.flag)
        } catch {
            return await reject(error, attempt(login: "", address: nil))
        }
        let names = authenticator.directory.names
        // RFC 5802 §5.1: the name is to be prepared by SASLprep.
        guard let name = PasswordPreparation.prepare(Secret(client.user), for: .verifying)?.revealed() else {
            return await reject(.invalidUsernameEncoding, attempt(login: client.user, address: nil))
        }
        let attempt = attempt(login: client.user, address: names.address(name))
        let candidate: SCRAMCandidate
        do {
            candidate = try await authenticator.scramCandidate(name, hash)
        } catch {
            return await authenticator.conduct(attempt) { .unavailable(reason: "\(error)") }
        }
        let nonce = client.nonce + serverNonce
        let verifier = candidate.verifier
        let server = SCRAMServerMessage.first(nonce: nonce, salt: verifier.salt, iterations: verifier.iterations)
        let start = Start(
            client: client, server: server, nonce: nonce, binding: binding, candidate: candidate, attempt: attempt)
        state.withLock { $0 = .final(start) }
        return .challenge(server)
    }

    /// RFC 5802 §6.
    private func bindingData(_ flag: ChannelBindingFlag) throws(SCRAMError) -> [UInt8] {
        let isPlus = mechanism == hash.plus
        switch flag {
        case .unsupported:
            if isPlus { throw .otherError }
            return []
        case .notOffered:
            // What was offered did not reach the client as it was sent.
            if isPlus || authenticator.mechanisms(for: context).contains(hash.plus) {
                throw .serverDoesSupportChannelBinding
            }
            return []
        case .used(let name):
            guard isPlus else { throw .channelBindingNotSupported }
            guard let data = context.tls?.channelBindings.data(name) else { throw .unsupportedChannelBindingType }
            return data
        }
    }

    private func finish(_ start: Start, _ response: Secret) async -> AuthenticationStep {
        let final: SCRAMClientFinal
        do throws(SCRAMError) {
            final = try response.withBytes { bytes throws(SCRAMError) in try SCRAMClientFinal(parsing: bytes) }
        } catch {
            return await reject(error, start.attempt)
        }
        guard isEqual(final.nonce, start.nonce) else { return await reject(.otherError, start.attempt) }
        guard isEqual(final.channelBinding, start.binding) else {
            return await reject(.channelBindingsDontMatch, start.attempt)
        }
        // AuthMessage := client-first-message-bare + "," + server-first-message + "," +
        //                client-final-message-without-proof          RFC 5802 §3
        let message = start.client.bare + [0x2C] + start.server + [0x2C] + final.withoutProof
        let signature = start.candidate.verifier.signature(message, proof: final.proof, hash)
        let step = await authenticator.conduct(start.attempt) { judge(start, signature) }
        guard case .success(let user) = step, let signature else { return step }
        state.withLock { $0 = .proved(user) }
        return .challenge(SCRAMServerMessage.final(signature: signature))
    }

    private func judge(_ start: Start, _ signature: [UInt8]?) -> AuthenticationStep {
        let attempt = start.attempt
        guard signature != nil, let user = start.candidate.user else {
            return .rejection(
                SCRAMError.invalidProof.message, attempt.refusal(start.candidate.reason ?? "wrong password"))
        }
        guard authenticator.directory.names.isOwn(start.client.authorizationIdentity, of: user.account.address) else {
            return .rejection(SCRAMError.otherError.message, attempt.refusal("authorization identity of another"))
        }
        let step = authenticator.admit(user, attempt)
        guard case .failure(let refusal) = step else { return step }
        return .rejection(SCRAMError.otherError.message, refusal)
    }

    private func attempt(login: String, address: Address?) -> LoginAttempt {
        LoginAttempt(login: login, address: address, mechanism: mechanism, context: context)
    }

    private func reject(_ error: SCRAMError, _ attempt: LoginAttempt) async -> AuthenticationStep {
        await authenticator.conduct(attempt) { .rejection(error.message, attempt.refusal(error.rawValue)) }
    }
}

/// What a proof is compared with.
struct SCRAMCandidate: Sendable {
    var verifier: SCRAMVerifier
    /// Nil: no proof lets in.
    var user: KnownUser?
    /// Why not; for the log.
    var reason: String?
}

extension ServerAuthenticator {
    /// Throws when it cannot be found out.
    fileprivate func scramCandidate(_ name: String, _ hash: SCRAMHash) async throws -> SCRAMCandidate {
        switch try await directory.find(name) {
        case .user(let user):
            guard let verifier = user.credentials.verifier(hash) else {
                return placeholder(name, hash, reason: "no verifier for \(hash.rawValue)")
            }
            return SCRAMCandidate(verifier: verifier, user: user)
        case .barred(let user, let reason):
            guard let verifier = user.credentials.verifier(hash) else { return placeholder(name, hash, reason: reason) }
            return SCRAMCandidate(verifier: verifier, reason: reason)
        case .none(let reason): return placeholder(name, hash, reason: reason)
        }
    }

    /// What a client is told of a user who has no verifier: always the same salt, and as many iterations as others have
    /// (RFC 5802 §9), so that nobody finds out by asking twice.
    private func placeholder(_ name: String, _ hash: SCRAMHash, reason: String) -> SCRAMCandidate {
        let canonical = directory.names.address(name)?.description ?? name
        let salt = MessageAuthentication.code(of: Array("\(hash.rawValue):\(canonical)".utf8), key: settings.saltKey)
        return SCRAMCandidate(
            verifier: SCRAMVerifier(
                salt: Array(salt.prefix(SCRAMKeys.saltLength)), iterations: SCRAMKeys.iterations,
                storedKey: randomBytes(hash.length), serverKey: randomBytes(hash.length)),
            reason: reason)
    }
}

extension UserCredentials {
    fileprivate func verifier(_ hash: SCRAMHash) -> SCRAMVerifier? {
        guard case .verifiers(let stored) = proof else { return nil }
        switch hash {
        case .sha256: return stored.scramSHA256 == .absent ? nil : stored.scramSHA256
        case .sha1: return stored.scramSHA1
        }
    }
}
