package import TLSPolicy

/// What a message asks of TLS on its way.
package enum TLSDemand: Sendable, Hashable {
    /// Nothing: the receiving domain's policies decide.
    case byPolicy
    /// `REQUIRETLS` (RFC 8689 §2).
    case required
    /// `TLS-Required: No` (RFC 8689 §3): it is to arrive even where TLS policies cannot be kept.
    case notRequired
}

/// Where mail for a domain goes, and on which conditions.
package protocol TransportPolicies: Sendable {
    /// The hosts for a destination, from DNS and policies as they are now. Bounded in time.
    ///
    /// - Parameter destination: a domain in A-labels or U-labels, or an address literal with its brackets.
    func plan(for destination: String, _ demand: TLSDemand) async -> DeliveryPlan
}

package enum DeliveryPlan: Sendable, Hashable {
    /// Try them in order. At least one host, each with an address.
    case hosts([PlannedHost])
    /// It will never work: fail the recipients.
    case undeliverable(PlanRefusal)
    /// Not now.
    case deferred(PlanRefusal)
}

/// Why no host can be used.
package struct PlanRefusal: Sendable, Hashable {
    /// X.Y.Z (RFC 3463).
    package var status: String
    /// For the notice and the log.
    package var text: String

    package init(status: String, text: String) {
        self.status = status
        self.text = text
    }
}

package struct PlannedHost: Sendable, Hashable {
    /// Where its requirement comes from.
    package enum Basis: String, Sendable, Hashable {
        case dane
        case stsEnforce = "sts"
        /// MTA-STS in testing mode: opportunistic, and told how it would have been.
        case stsTesting = "sts-testing"
        case opportunistic
    }

    /// To be named in notices and logs: the mail exchanger, or an address literal.
    package var name: String
    package var port: Int
    /// Each 4 or 16 octets in network order; in the order in which to try them.
    package var addresses: [[UInt8]]
    package var requirement: TransportRequirement
    package var basis: Basis
    /// The name for the TLS handshake (RFC 6066 §3): the TLSA base domain (RFC 7672 §8.1), else the exchanger; nil for an
    /// address literal.
    package var serverName: String?
    /// REQUIRETLS: the hop must offer it too, or the message is not given to it (RFC 8689 §4.2.1).
    package var mustOfferRequireTLS: Bool
    /// What a policy in testing mode would demand: to be checked and recorded, never enforced (RFC 8461 §5).
    package var tested: TransportRequirement?
    /// What a `TLSSessionResult` says of the policies in force. Nil: sessions are not reported, as those for mail that may
    /// go without TLS say nothing of policies; reports themselves are such mail, and reports on reports would never end.
    package var reportedPolicy: ReportedPolicy?

    package init(
        name: String, port: Int = 25, addresses: [[UInt8]], requirement: TransportRequirement, basis: Basis,
        serverName: String?, mustOfferRequireTLS: Bool = false, tested: TransportRequirement? = nil,
        reportedPolicy: ReportedPolicy? = nil
    ) {
        self.name = name
        self.port = port
        self.addresses = addresses
        self.requirement = requirement
        self.basis = basis
        self.serverName = serverName
        self.mustOfferRequireTLS = mustOfferRequireTLS
        self.tested = tested
        self.reportedPolicy = reportedPolicy
    }
}
