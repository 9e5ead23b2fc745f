package import TLSPolicy

/// The policy that a connection was made under, as RFC 8460 §4.4 describes it.
package struct ReportedPolicy: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        case tlsa
        case sts
        case none = "no-policy-found"
    }

    package var kind: Kind
    /// Whose TLSRPT record the report goes by: the recipients' domain.
    package var recipientDomain: String
    /// `policy-domain`: the recipients' domain, for DANE the TLSA base domain.
    package var policyDomain: String
    /// `policy-string`: the lines of the MTA-STS policy, or the TLSA records.
    package var lines: [String]
    /// `mx-host`: the patterns of the MTA-STS policy.
    package var hostPatterns: [String]

    package init(
        _ kind: Kind, recipientDomain: String, policyDomain: String? = nil, lines: [String] = [],
        hostPatterns: [String] = []
    ) {
        self.kind = kind
        self.recipientDomain = recipientDomain
        self.policyDomain = policyDomain ?? recipientDomain
        self.lines = lines
        self.hostPatterns = hostPatterns
    }
}

/// Result types of RFC 8460 §4.3.
package enum TLSFailure: String, Sendable, Hashable, CaseIterable, Codable {
    case startTLSNotSupported = "starttls-not-supported"
    case hostMismatch = "certificate-host-mismatch"
    case expired = "certificate-expired"
    case notTrusted = "certificate-not-trusted"
    case validationFailure = "validation-failure"
    case tlsaInvalid = "tlsa-invalid"
    case dnssecInvalid = "dnssec-invalid"
    case daneRequired = "dane-required"
    case stsFetchError = "sts-policy-fetch-error"
    case stsInvalid = "sts-policy-invalid"
    case stsWebPKIInvalid = "sts-webpki-invalid"

    package init(_ refusal: PeerRefusal) {
        self =
            switch refusal.kind {
            case .wrongName: .hostMismatch
            case .expired: .expired
            case .untrusted: .notTrusted
            case .malformed, .daneMismatch: .validationFailure
            }
    }
}

/// How TLS went in one session with a host, as far as the policy is concerned.
package struct TLSSessionResult: Sendable, Hashable {
    package var policy: ReportedPolicy
    /// Nil: TLS came about, and met the policy.
    package var failure: TLSFailure?
    /// This server's address on the connection, in text; nil when there was none.
    package var sendingAddress: String?
    /// The peer's.
    package var receivingAddress: String?
    package var receivingHost: String?
    /// `failure-reason-code`: what helps the receiver, at most a line.
    package var reason: String?

    package init(
        policy: ReportedPolicy, failure: TLSFailure? = nil, sendingAddress: String? = nil,
        receivingAddress: String? = nil, receivingHost: String? = nil, reason: String? = nil
    ) {
        self.policy = policy
        self.failure = failure
        self.sendingAddress = sendingAddress
        self.receivingAddress = receivingAddress
        self.receivingHost = receivingHost
        self.reason = reason
    }
}

/// Is told of each session with a mail exchanger: once for each connection attempt that came as far as EHLO or further.
package protocol TLSResultRecorder: Sendable {
    /// Never waits.
    func record(_ result: TLSSessionResult)
}
