/// What came of verifying a peer's certificate chain against a `ServerVerification`.
package enum PeerVerdict: Sendable, Hashable {
    /// How the peer was proved to be who it should be.
    package enum Means: String, Sendable, Hashable {
        case authorities = "pkix"
        case daneEE = "dane-ee"
        case daneTA = "dane-ta"
    }

    case verified(by: Means)
    /// Nothing was asked for, or no TLSA record was usable (RFC 7672 §2.2): the peer may be anyone.
    case unverified
    case refused(PeerRefusal)
}

/// Why a peer's certificates were refused.
package struct PeerRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// No certificate, or one that cannot be read.
        case malformed
        case wrongName
        /// Or not yet valid.
        case expired
        /// No chain to a trust anchor, or one that breaks the rules (RFC 5280 §6, weak keys and signatures, usage).
        case untrusted
        /// TLSA records, and none that matches (RFC 7671 §5).
        case daneMismatch
    }

    package var kind: Kind
    /// For the log; nothing of it is secret, but it may quote the peer.
    package var reason: String

    package init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    package var description: String { reason }
}
