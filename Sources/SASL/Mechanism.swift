import MailVocabulary

/// The mechanisms this server can speak, strongest first (IANA SASL Mechanisms registry).
package enum SASLMechanism: String, Sendable, Hashable, CaseIterable {
    /// TLS has proved the client (RFC 4422 appendix A).
    case external = "EXTERNAL"
    /// RFC 7677: proves both sides, and that nobody stands between them.
    case scramSHA256Plus = "SCRAM-SHA-256-PLUS"
    /// RFC 5802.
    case scramSHA1Plus = "SCRAM-SHA-1-PLUS"
    case scramSHA256 = "SCRAM-SHA-256"
    case scramSHA1 = "SCRAM-SHA-1"
    /// RFC 7628.
    case oauthBearer = "OAUTHBEARER"
    /// What Google made before RFC 7628, and most clients speak.
    case xoauth2 = "XOAUTH2"
    /// RFC 2195: needs a secret that the server can read.
    case cramMD5 = "CRAM-MD5"
    /// RFC 4616.
    case plain = "PLAIN"
    /// Obsolete (draft-murchison-sasl-login), kept for submission clients that know nothing else. Its prompts are free,
    /// but some clients compare them with those that everyone sends.
    case login = "LOGIN"

    /// By name, without regard to ASCII case.
    package init?(name: String) {
        let name = name.asciiLowercased()
        guard let found = Self.allCases.first(where: { $0.rawValue.asciiLowercased() == name }) else { return nil }
        self = found
    }

    /// Whether the server gets to see the password.
    package var revealsPassword: Bool {
        switch self {
        case .plain, .login: true
        case .external, .scramSHA256Plus, .scramSHA1Plus, .scramSHA256, .scramSHA1, .oauthBearer, .xoauth2, .cramMD5:
            false
        }
    }
}

/// How long what a client sends may be.
package enum SASLLimits {
    /// Octets of a response's line in base64, without its end: RFC 4954 §4 has 12,288 for all mechanisms. The longest
    /// are those with tokens.
    package static let encodedResponse = 12_288
    /// Octets of a name or a password: RFC 4616 §2 asks for 255.
    package static let field = 255
}
