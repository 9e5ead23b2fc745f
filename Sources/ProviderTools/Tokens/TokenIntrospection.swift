package import Authentication
import Foundation
package import MailVocabulary

/// Asks the issuer about each token (RFC 7662): for tokens that say nothing by themselves.
package struct TokenIntrospection: TokenVerifying {
    package let configurationURL: String?
    private let rules: TokenRules
    private let client: String
    private let secret: @Sendable () async throws -> Secret
    private let ask: @Sendable (_ form: String, _ authorization: String) async throws -> [UInt8]
    private let now: @Sendable () -> Double

    package var scope: String? { rules.scope }

    /// - Parameters:
    ///   - client: this server's name at the issuer, with `secret`.
    ///   - ask: posts a form with an Authorization field; gives the answer's content.
    init(
        _ rules: TokenRules, client: String, secret: @escaping @Sendable () async throws -> Secret,
        configurationURL: String?, now: @escaping @Sendable () -> Double,
        ask: @escaping @Sendable (_ form: String, _ authorization: String) async throws -> [UInt8]
    ) {
        self.rules = rules
        self.client = client
        self.secret = secret
        self.configurationURL = configurationURL
        self.now = now
        self.ask = ask
    }

    package func verify(_ token: Secret) async -> TokenVerdict {
        let claims: TokenClaims
        do {
            // RFC 6749 §2.3.1: both are encoded as in a form before they become Basic's.
            let pair = "\(formEncoded(client)):\(formEncoded(try await secret().revealed()))"
            let authorization = "Basic " + Data(pair.utf8).base64EncodedString()
            let form = "token=\(formEncoded(token.revealed()))&token_type_hint=access_token"
            claims = try JSONDecoder().decode(TokenClaims.self, from: Data(try await ask(form, authorization)))
        } catch {
            return .unavailable(reason: "introspection: \(error)")
        }
        guard claims.values["active"] == .flag(true) else { return .invalid(reason: "token not active") }
        return rules.judge(claims, now: now(), needsAll: false)
    }

    // application/x-www-form-urlencoded: all but letters, digits and "*-._" as %XX.
    private func formEncoded(_ text: String) -> String {
        text.utf8.reduce(into: "") { result, octet in
            switch octet {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"):
                result.unicodeScalars.append(Unicode.Scalar(octet))
            case _:
                result += (octet < 16 ? "%0" : "%") + String(octet, radix: 16, uppercase: true)
            }
        }
    }
}
