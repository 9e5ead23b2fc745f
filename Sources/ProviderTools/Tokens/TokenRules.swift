import Authentication

/// What a token must say to be good for mail here.
package struct TokenRules: Sendable, Equatable {
    package var issuer: String
    /// For whom the token must be (RFC 7519 §4.1.3).
    package var audience: String
    /// One that it must have (RFC 6749 §3.3); nil for none.
    package var scope: String?
    /// The claim that is the login name.
    package var claim: String
    /// Seconds by which clocks may differ.
    package var leeway: Double

    package init(issuer: String, audience: String, scope: String? = nil, claim: String = "email", leeway: Double = 60) {
        self.issuer = issuer
        self.audience = audience
        self.scope = scope
        self.claim = claim
        self.leeway = leeway
    }

    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - needsAll: false for the answer of an issuer's own introspection, in which only `active` must be.
    func judge(_ claims: TokenClaims, now: Double, needsAll: Bool = true) -> TokenVerdict {
        let isSaid = { (name: String) in needsAll || claims.values[name] != nil }
        if isSaid("iss"), claims.text("iss") != issuer { return .invalid(reason: "token of another issuer") }
        if isSaid("aud"), !claims.texts("aud").contains(audience) {
            return .invalid(reason: "token for another audience")
        }
        if isSaid("exp") {
            guard let expiry = claims.time("exp") else { return .invalid(reason: "token without expiry") }
            guard now < expiry + leeway else { return .invalid(reason: "token expired") }
        }
        if claims.values["nbf"] != nil {
            guard let start = claims.time("nbf"), now + leeway >= start else {
                return .invalid(reason: "token not valid yet")
            }
        }
        if let scope, !scopes(claims).contains(scope) { return .insufficientScope(reason: "token without the scope") }
        guard let login = claims.text(claim), !login.isEmpty else { return .invalid(reason: "token without \(claim)") }
        // OpenID Connect Core §5.1: anyone may claim an address that is not verified.
        if claim == "email", claims.isFalse("email_verified") { return .invalid(reason: "address not verified") }
        return .valid(login: login)
    }

    // scope = scope-token *( SP scope-token )          RFC 6749 §3.3, RFC 8693 §4.2; `scp` as Microsoft and Okta have it
    private func scopes(_ claims: TokenClaims) -> [String] {
        (claims.texts("scope") + claims.texts("scp")).flatMap { $0.split(separator: " ").map(String.init) }
    }
}
