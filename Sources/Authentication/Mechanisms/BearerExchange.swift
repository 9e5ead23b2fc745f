import MailStore
import MailVocabulary
import SASL
import Synchronization
import TLSPolicy

/// OAUTHBEARER (RFC 7628) and XOAUTH2: a token of an issuer that the operator trusts.
final class BearerExchange: AuthenticationExchange {
    let mechanism: SASLMechanism
    private let tokens: any TokenVerifying
    private let authenticator: ServerAuthenticator
    private let context: AuthenticationContext
    private let isOver = Mutex(false)

    init(
        _ mechanism: SASLMechanism, _ tokens: any TokenVerifying, _ authenticator: ServerAuthenticator,
        _ context: AuthenticationContext
    ) {
        self.mechanism = mechanism
        self.tokens = tokens
        self.authenticator = authenticator
        self.context = context
    }

    func respond(_ response: Secret?) async -> AuthenticationStep {
        guard !isOver.withLock({ $0 }) else { return .malformed("The exchange is over") }
        guard let response else { return .challenge([]) }
        isOver.withLock { $0 = true }
        let dialect: BearerResponse.Dialect = mechanism == .xoauth2 ? .xoauth2 : .oauthBearer
        guard let parsed = response.withBytes({ BearerResponse(dialect, $0) }) else {
            let attempt = LoginAttempt(login: "", address: nil, mechanism: mechanism, context: context)
            return await authenticator.conduct(attempt) {
                reject(.invalidRequest, "not a response with a token", attempt)
            }
        }
        let login = parsed.user ?? ""
        let attempt = LoginAttempt(
            login: login, address: authenticator.directory.names.address(login), mechanism: mechanism, context: context)
        return await authenticator.conduct(attempt) { await judge(parsed, attempt) }
    }

    private func judge(_ response: BearerResponse, _ attempt: LoginAttempt) async -> AuthenticationStep {
        guard isOurs(response.host) else { return reject(.invalidRequest, "host of another server", attempt) }
        guard let token = response.token else { return reject(.invalidToken, "no token", attempt) }
        switch await tokens.verify(token) {
        case .valid(let login): return await admit(login, response, attempt)
        case .invalid(let reason): return reject(.invalidToken, reason, attempt)
        case .insufficientScope(let reason): return reject(.insufficientScope, reason, attempt)
        case .unavailable(let reason): return .unavailable(reason: reason)
        }
    }

    private func admit(_ login: String, _ response: BearerResponse, _ attempt: LoginAttempt) async -> AuthenticationStep
    {
        let names = authenticator.directory.names
        guard let address = names.address(login) else { return reject(.invalidToken, "names no address", attempt) }
        var attempt = attempt
        (attempt.login, attempt.address) = (login, address)
        guard names.isOwn(response.user, of: address) else {
            return reject(.invalidToken, "token of another user", attempt)
        }
        do {
            switch try await authenticator.directory.owner(address) {
            case .user(let user):
                let step = authenticator.admit(user, attempt)
                guard case .failure(let refusal) = step else { return step }
                return reject(.invalidToken, refusal.reason, attempt)
            case .barred(_, let reason), .none(let reason): return reject(.invalidToken, reason, attempt)
            }
        } catch {
            return .unavailable(reason: "\(error)")
        }
    }

    /// RFC 7628 §3.2: what the client connected to must be this server, as far as it is known what that is: the name
    /// that it asked TLS for, and the server's own. An address is no name.
    private func isOurs(_ host: String?) -> Bool {
        guard let host = host?.asciiLowercased() else { return true }
        if host == authenticator.settings.hostname.asciiLowercased() { return true }
        guard let asked = context.tls?.serverName else { return true }
        return host == asked.asciiLowercased()
    }

    private func reject(_ error: BearerError, _ reason: String, _ attempt: LoginAttempt) -> AuthenticationStep {
        let message =
            mechanism == .xoauth2
            ? error.xoauth2(scope: tokens.scope)
            : error.oauthBearer(scope: tokens.scope, configuration: tokens.configurationURL)
        return .rejection(message, attempt.refusal(reason))
    }
}

/// The codes of RFC 6750 §3.1, and how they are told.
enum BearerError: String, Sendable, CaseIterable {
    case invalidRequest = "invalid_request"
    case invalidToken = "invalid_token"
    case insufficientScope = "insufficient_scope"

    /// RFC 7628 §3.2.2.
    func oauthBearer(scope: String?, configuration: String?) -> [UInt8] {
        json([("status", rawValue), ("scope", scope), ("openid-configuration", configuration)])
    }

    /// As Google has it: HTTP's status, and what HTTP's WWW-Authenticate would say.
    func xoauth2(scope: String?) -> [UInt8] {
        let status =
            switch self {
            case .invalidRequest: "400"
            case .invalidToken: "401"
            case .insufficientScope: "403"
            }
        return json([("status", status), ("schemes", "bearer"), ("scope", scope)])
    }

    private func json(_ members: [(String, String?)]) -> [UInt8] {
        let written = members.compactMap { name, value in value.map { "\"\(name)\":\"\(escaped($0))\"" } }
        return Array("{\(written.joined(separator: ","))}".utf8)
    }

    // RFC 8259 §7. What is written here is the operator's.
    private func escaped(_ text: String) -> String {
        String(
            text.unicodeScalars.flatMap { scalar -> [Character] in
                switch scalar {
                case "\"", "\\": ["\\", Character(scalar)]
                case _ where scalar.value < 0x20: [" "]
                case _: [Character(scalar)]
                }
            })
    }
}
