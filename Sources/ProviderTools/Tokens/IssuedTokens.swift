import Authentication
import Foundation
import MailVocabulary

/// Judges the tokens of the configured issuer.
enum IssuedTokens {
    /// Octets of a client's secret; more is none.
    private static let longestSecret = 1024

    private static let now: @Sendable () -> Double = { Date().timeIntervalSince1970 }

    /// Nil when there is no issuer, or what it needs is not configured.
    static func verifier(_ tokens: TokenConfiguration, trustRootsFile: String?) -> (any TokenVerifying)? {
        guard let issuer = tokens.issuer, let audience = tokens.audience else { return nil }
        let rules = TokenRules(
            issuer: issuer, audience: audience, scope: tokens.scope, claim: tokens.claim,
            leeway: Double(tokens.leeway.components.seconds))
        if let url = tokens.introspection, let client = tokens.client, let file = tokens.clientSecretFile {
            let request = IssuerRequest(url: url, trustRootsFile: trustRootsFile)
            return TokenIntrospection(
                rules, client: client, secret: { try secret(file) }, configurationURL: tokens.configurationURL, now: now
            ) { try await request.post($0, authorization: $1) }
        }
        guard let place = tokens.keys else { return nil }
        let algorithms = Set(tokens.algorithms.compactMap { TokenAlgorithm(rawValue: $0) })
        let keys = IssuerKeys(now: now) {
            if place.hasPrefix("/") { return try file(place) }
            return try await IssuerRequest(url: place, trustRootsFile: trustRootsFile).get()
        }
        return SignedTokens(
            rules, algorithms: algorithms, keys: keys, configurationURL: tokens.configurationURL, now: now)
    }

    private static func file(_ path: String) throws -> [UInt8] {
        guard let octets = FileManager.default.contents(atPath: path) else { throw KeysUnavailable() }
        return Array(octets.prefix(IssuerRequest.maximumOctets))
    }

    /// The first line.
    private static func secret(_ path: String) throws -> Secret {
        let line = (FileManager.default.contents(atPath: path) ?? Data()).prefix { $0 != 0x0A && $0 != 0x0D }
        guard !line.isEmpty, line.count < longestSecret else {
            throw IssuerRequest.Failure(description: "the client's secret cannot be read")
        }
        return Secret(Array(line))
    }
}
