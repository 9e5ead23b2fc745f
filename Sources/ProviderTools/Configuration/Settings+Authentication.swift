import SASL

extension Settings {
    static let authentication: [Setting] = mechanisms + tokens

    private static let mechanisms: [Setting] = [
        Setting(
            "authentication.mechanisms", \.authentication.mechanisms, .mechanisms,
            """
            The SASL mechanisms that are offered, in this order; each only where it can work: EXTERNAL with client \
            certificates, those with -PLUS where the connection can be bound to, OAUTHBEARER and XOAUTH2 with an issuer \
            of tokens, LOGIN for submission. SCRAM-SHA-1 and CRAM-MD5 work for users whose password was set so \
            (latchmaild user passwd --scram-sha-1, --cram-md5).
            """),
        Setting(
            "authentication.mechanisms-imap", \.authentication.imapMechanisms, .mechanisms,
            "Those of IMAP, where they are others. Default: the same."),
        Setting(
            "authentication.mechanisms-pop3", \.authentication.pop3Mechanisms, .mechanisms,
            "Those of POP3, where they are others. Default: the same."),
        Setting(
            "authentication.mechanisms-submission", \.authentication.submissionMechanisms, .mechanisms,
            "Those of submission, where they are others. Default: the same."),
        Setting(
            "authentication.mechanisms-of-users", \.authentication.userMechanisms,
            .texts(#"["ada@example.org: SCRAM-SHA-256-PLUS EXTERNAL"]"#),
            """
            Users who come in by these mechanisms alone, as address: mechanisms. IMAP's LOGIN and POP3's USER and PASS \
            go with PLAIN. By others such a user is refused as if the password were wrong.
            """),
        Setting(
            "authentication.plain-passwords", \.authentication.acceptsPasswords, .flag,
            """
            Whether clients may show the server the password (PLAIN, LOGIN, IMAP's LOGIN, POP3's USER and PASS; always \
            inside TLS). Turned off, only what proves it without is offered.
            """),
    ]

    private static let tokens: [Setting] = [
        Setting(
            "authentication.oauth.issuer", \.authentication.tokens.issuer, .text,
            "Who issues bearer tokens that let in (OAUTHBEARER, XOAUTH2), as their claim iss has it. Default: nobody."),
        Setting(
            "authentication.oauth.keys", \.authentication.tokens.keys, .text,
            """
            The issuer's public keys (a JWK set): an absolute path, or a URL of HTTPS. Needed for tokens that are JWTs.
            """),
        Setting(
            "authentication.oauth.introspection", \.authentication.tokens.introspection, .text,
            "Instead: the URL where the issuer is asked about each token (RFC 7662)."),
        Setting(
            "authentication.oauth.client", \.authentication.tokens.client, .text,
            "This server's client identifier at the issuer, for introspection."),
        Setting(
            "authentication.oauth.client-secret-file", \.authentication.tokens.clientSecretFile, .path,
            "A file whose first line is the secret of that client; readable by the server's user only."),
        Setting(
            "authentication.oauth.audience", \.authentication.tokens.audience, .text,
            "For whom a token must be: one of its claim aud. Needed with an issuer."),
        Setting(
            "authentication.oauth.scope", \.authentication.tokens.scope, .text,
            "A scope that a token must have. Default: none."),
        Setting(
            "authentication.oauth.claim", \.authentication.tokens.claim, .name,
            "The claim that is the login name: email, preferred_username, username, sub."),
        Setting(
            "authentication.oauth.leeway", \.authentication.tokens.leeway, .time(.zero...(.seconds(600))),
            "By how much the issuer's clock and this machine's may differ."),
        Setting(
            "authentication.oauth.algorithms", \.authentication.tokens.algorithms, .texts(#"["RS256", "ES256"]"#),
            "By which a token may be signed: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA."),
        Setting(
            "authentication.oauth.configuration-url", \.authentication.tokens.configurationURL, .text,
            """
            Where clients that were refused learn how to get a token: the URL of the issuer's OpenID configuration. \
            Default: they are not told.
            """),
    ]
}

extension SettingType where Value == [SASLMechanism] {
    static var mechanisms: SettingType {
        SettingType(
            form: "a list of " + SASLMechanism.allCases.map(\.rawValue).joined(separator: ", "),
            read: { input in
                let names = if case .list(let items) = input { items } else { [String]() }
                let found = names.compactMap { SASLMechanism(name: $0) }
                return found.count == names.count && Set(found).count == found.count ? found : nil
            },
            show: { .list($0.map(\.rawValue)) })
    }
}

extension SettingType where Value == String {
    static var name: SettingType { .scalar("a name", { $0.isEmpty ? nil : $0 }, { $0 }) }
}
