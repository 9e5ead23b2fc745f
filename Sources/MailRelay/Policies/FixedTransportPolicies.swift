package import MailDNS
package import TLSPolicy

/// Plans for mail that all goes to one server, whatever its domain: a smarthost, or a domain's own transport.
package struct FixedTransportPolicies: TransportPolicies {
    private let resolver: any DNSResolver
    private let host: String
    private let port: Int
    private let requirement: TransportRequirement

    /// - Parameters:
    ///   - host: a name, or an address without brackets.
    ///   - requirement: nil is what mail to a server of the operator's choice must have: TLS, and a certificate for its name.
    package init(resolver: any DNSResolver, host: String, port: Int, requirement: TransportRequirement? = nil) {
        self.resolver = resolver
        self.host = host
        self.port = port
        self.requirement =
            requirement ?? TransportRequirement(mustEncrypt: true, verification: .authorities(names: [host]))
    }

    package func plan(for destination: String, _ demand: TLSDemand) async -> DeliveryPlan {
        if let address = IPAddress.octets4(host) ?? IPAddress.octets6(host) { return plan([address], demand, nil) }
        do throws(HostFailure) {
            return plan(try await resolver.addresses(of: host).addresses, demand, host)
        } catch {
            // The operator's mistake, not the sender's: mail waits for its being put right.
            switch error {
            case .noAddress: return .deferred(PlanRefusal(status: "4.4.4", text: "\(host) has no address"))
            case .unavailable(let reason, let isBogus):
                return .deferred(PlanRefusal(status: isBogus ? "4.7.5" : "4.4.3", text: reason))
            }
        }
    }

    private func plan(_ addresses: [[UInt8]], _ demand: TLSDemand, _ serverName: String?) -> DeliveryPlan {
        var requirement = requirement
        if demand == .required, requirement.verification == .unverified {
            requirement = TransportRequirement(mustEncrypt: true, verification: .authorities(names: [host]))
        }
        return .hosts([
            PlannedHost(
                name: host, port: port, addresses: addresses, requirement: requirement, basis: .fixed,
                serverName: serverName, mustOfferRequireTLS: demand == .required,
                reportedPolicy: ReportedPolicy(.none, recipientDomain: host))
        ])
    }
}
