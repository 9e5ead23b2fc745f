package import Authentication
import Foundation
import JWTKit
package import MailVocabulary

/// Judges tokens that are JWTs (RFC 7519, RFC 9068), by the issuer's public keys.
package struct SignedTokens: TokenVerifying {
    package let configurationURL: String?
    private let rules: TokenRules
    private let algorithms: Set<TokenAlgorithm>
    private let keys: IssuerKeys
    private let now: @Sendable () -> Double

    package var scope: String? { rules.scope }

    init(
        _ rules: TokenRules, algorithms: Set<TokenAlgorithm>, keys: IssuerKeys, configurationURL: String?,
        now: @escaping @Sendable () -> Double
    ) {
        self.rules = rules
        self.algorithms = algorithms
        self.keys = keys
        self.configurationURL = configurationURL
        self.now = now
    }

    // RFC 7515 §4.1
    private struct Header: Decodable {
        var alg: String
        var kid: String?
        /// What must be understood; nothing is.
        var crit: [String]?
    }

    package func verify(_ token: Secret) async -> TokenVerdict {
        let text = token.revealed()
        guard let header = header(text) else { return .invalid(reason: "token is no JWT") }
        guard header.crit == nil else { return .invalid(reason: "token with a critical extension") }
        guard let algorithm = TokenAlgorithm(rawValue: header.alg), algorithms.contains(algorithm) else {
            return .invalid(reason: "algorithm not permitted")
        }
        let keys: SigningKeys
        do {
            keys = try await self.keys.current(for: header.kid)
        } catch {
            return .unavailable(reason: "issuer's keys: \(error)")
        }
        for candidate in await keys.candidates(header.kid, algorithm) {
            guard let claims = try? await candidate.verify(text, as: TokenClaims.self) else { continue }
            return rules.judge(claims, now: now())
        }
        return .invalid(reason: "signature of no known key")
    }

    private func header(_ token: String) -> Header? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let octets = base64URL(parts[0]) else { return nil }
        return try? JSONDecoder().decode(Header.self, from: octets)
    }

    // RFC 7515 §2: base64 by the alphabet of RFC 4648 §5, without padding.
    private func base64URL(_ text: Substring) -> Data? {
        let standard = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: standard + String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4))
    }
}
