import MailDNS
import TLSPolicy

/// What was found out about a destination; from here on everything is decided without asking anyone.
struct DomainFacts: Sendable {
    /// The recipients' domain.
    var domain: String
    /// MX records, or their proved absence, are secure.
    var isSecure: Bool
    var isImplicit: Bool
    /// In force: enforce or testing.
    var sts: STSPolicy?
    /// In the order in which to try them.
    var hosts: [HostFacts]
}

struct HostFacts: Sendable {
    var name: String
    var addresses: Result<HostAddresses, HostFailure>
    /// Of no meaning without addresses.
    var tlsa: Result<HostTLSA?, HostFailure> = .success(nil)
}

/// Decides about each host, and whether any is left.
///
/// In order: DANE, where the DNS vouches for it (RFC 7672); else MTA-STS (RFC 8461 §2: it never overrides DANE); else
/// encryption where it is offered. REQUIRETLS (RFC 8689 §4.2.1) raises all of these, `TLS-Required: No` (§4.2.2) lets them
/// fail.
struct PlanDecision {
    var facts: DomainFacts
    var demand: TLSDemand
    var port: Int

    /// What can be reported besides what connections show.
    private(set) var results: [TLSSessionResult] = []

    init(_ facts: DomainFacts, _ demand: TLSDemand, port: Int = 25) {
        (self.facts, self.demand, self.port) = (facts, demand, port)
    }

    /// A reason that a host is not used. Among several hosts' the one that may pass counts.
    private struct Exclusion: Error {
        var isPermanent: Bool
        var refusal: PlanRefusal

        init(_ status: String, _ text: String, isPermanent: Bool = false) {
            self.isPermanent = isPermanent
            refusal = PlanRefusal(status: status, text: text)
        }
    }

    mutating func plan() -> DeliveryPlan {
        var planned: [PlannedHost] = []
        var exclusions: [Exclusion] = []
        for host in facts.hosts {
            do throws(Exclusion) { planned.append(try decide(host)) } catch { exclusions.append(error) }
        }
        if !planned.isEmpty { return .hosts(planned) }
        if let passing = exclusions.first(where: { !$0.isPermanent }) { return .deferred(passing.refusal) }
        return .undeliverable(
            exclusions.first?.refusal ?? PlanRefusal(status: "5.4.4", text: "\(facts.domain) has no mail exchanger"))
    }

    private mutating func decide(_ host: HostFacts) throws(Exclusion) -> PlannedHost {
        let addresses = try addresses(of: host)
        if let tlsa = try records(of: host) { return try dane(host, addresses, tlsa) }
        if let sts = facts.sts { return try keep(sts, host, addresses) }
        return try withoutPolicy(host, addresses)
    }

    private mutating func addresses(of host: HostFacts) throws(Exclusion) -> [[UInt8]] {
        switch host.addresses {
        case .success(let found): return found.addresses
        case .failure(.noAddress):
            // A domain without MX and address is no mail domain; an exchanger without is a mistake of the domain's.
            throw Exclusion(facts.isImplicit ? "5.1.2" : "5.4.4", "\(host.name) has no address", isPermanent: true)
        case .failure(.unavailable(let reason, let isBogus)):
            throw Exclusion(isBogus ? "4.7.5" : "4.4.3", reason)
        }
    }

    /// Nil: none. What cannot be known makes the host unusable (RFC 7672 §2.1.2), but to mail that may go without TLS.
    private mutating func records(of host: HostFacts) throws(Exclusion) -> HostTLSA? {
        switch host.tlsa {
        case .success(let found): return found
        case .failure(let failure):
            record(host, ReportedPolicy(.tlsa, recipientDomain: facts.domain, policyDomain: host.name), .dnssecInvalid)
            if demand == .notRequired { return nil }
            guard case .unavailable(let reason, _) = failure else { return nil }
            throw Exclusion("4.7.5", reason)
        }
    }

    private mutating func record(
        _ host: HostFacts, _ policy: ReportedPolicy, _ failure: TLSFailure, _ reason: String? = nil
    ) {
        guard demand != .notRequired else { return }
        results.append(
            TLSSessionResult(policy: policy, failure: failure, receivingHost: host.name, reason: reason))
    }

    // MARK: DANE

    private mutating func dane(
        _ host: HostFacts, _ addresses: [[UInt8]], _ tlsa: HostTLSA
    ) throws(Exclusion) -> PlannedHost {
        let policy = ReportedPolicy(
            .tlsa, recipientDomain: facts.domain, policyDomain: tlsa.baseDomain, lines: tlsa.records.map(\.text))
        let usable = tlsa.records.filter(\.isUsable)
        if usable.isEmpty { record(host, policy, .tlsaInvalid, "no record is usable") }
        if !facts.isSecure { try checkUnsignedName(host, policy) }
        var planned = planned(host, addresses, .dane, policy)
        planned.serverName = tlsa.baseDomain
        if demand == .notRequired { return planned }
        // The domain's own name vouches as well when nobody could have changed where it leads (RFC 7672 §3.2.2).
        let names =
            facts.isSecure && facts.domain != tlsa.baseDomain ? [tlsa.baseDomain, facts.domain] : [tlsa.baseDomain]
        if !usable.isEmpty {
            planned.requirement = TransportRequirement(
                mustEncrypt: true, verification: .dane(records: usable, names: names))
        } else if demand == .required || facts.sts?.mode == .enforce {
            planned.requirement = Self.authorities(host)
        } else {
            // TLS is promised, and nothing to check it by (RFC 7672 §2.2).
            planned.requirement = TransportRequirement(mustEncrypt: true, verification: .unverified)
        }
        return planned
    }

    /// TLSA records say who a host is, not that the domain's mail is for it: that, secure MX records say or MTA-STS.
    private mutating func checkUnsignedName(_ host: HostFacts, _ policy: ReportedPolicy) throws(Exclusion) {
        if let sts = facts.sts, !sts.allows(host.name) {
            record(host, stsPolicy(sts), .validationFailure, "exchanger not in policy")
            guard sts.mode == .enforce, demand != .notRequired else { return try requireVouchedName(host, false) }
            throw mismatch(host)
        }
        try requireVouchedName(host, facts.sts != nil)
    }

    private func requireVouchedName(_ host: HostFacts, _ isVouchedFor: Bool) throws(Exclusion) {
        guard demand == .required, !isVouchedFor else { return }
        throw Exclusion(
            "5.7.30", "REQUIRETLS: neither DNSSEC nor MTA-STS vouches for \(host.name) as exchanger of \(facts.domain)",
            isPermanent: true)
    }

    // MARK: MTA-STS

    private mutating func keep(
        _ sts: STSPolicy, _ host: HostFacts, _ addresses: [[UInt8]]
    ) throws(Exclusion) -> PlannedHost {
        let policy = stsPolicy(sts)
        let isAllowed = sts.allows(host.name)
        if !isAllowed { record(host, policy, .validationFailure, "exchanger not in policy") }
        if sts.mode == .enforce, demand != .notRequired {
            guard isAllowed else { throw mismatch(host) }
            var planned = planned(host, addresses, .stsEnforce, policy)
            planned.requirement = Self.authorities(host)
            return planned
        }
        if demand == .required {
            try requireVouchedName(host, isAllowed || facts.isSecure)
            var planned = planned(host, addresses, .stsTesting, policy)
            planned.requirement = Self.authorities(host)
            return planned
        }
        var planned = planned(host, addresses, .stsTesting, policy)
        // A host that is not allowed has failed already, and is recorded.
        if isAllowed, demand != .notRequired { planned.tested = Self.authorities(host) }
        return planned
    }

    private func mismatch(_ host: HostFacts) -> Exclusion {
        Exclusion("4.7.5", "the MTA-STS policy of \(facts.domain) does not name its exchanger \(host.name)")
    }

    private func stsPolicy(_ sts: STSPolicy) -> ReportedPolicy {
        ReportedPolicy(.sts, recipientDomain: facts.domain, lines: sts.lines, hostPatterns: sts.hosts)
    }

    // MARK: Neither

    private func withoutPolicy(_ host: HostFacts, _ addresses: [[UInt8]]) throws(Exclusion) -> PlannedHost {
        let policy = ReportedPolicy(.none, recipientDomain: facts.domain)
        var planned = planned(host, addresses, .opportunistic, policy)
        if demand == .required {
            try requireVouchedName(host, facts.isSecure)
            planned.requirement = Self.authorities(host)
        }
        return planned
    }

    /// Opportunistic, until something stricter is said.
    private func planned(
        _ host: HostFacts, _ addresses: [[UInt8]], _ basis: PlannedHost.Basis, _ policy: ReportedPolicy
    ) -> PlannedHost {
        PlannedHost(
            name: host.name, port: port, addresses: addresses, requirement: .opportunistic, basis: basis,
            serverName: host.name, mustOfferRequireTLS: demand == .required,
            reportedPolicy: demand == .notRequired ? nil : policy)
    }

    private static func authorities(_ host: HostFacts) -> TransportRequirement {
        TransportRequirement(mustEncrypt: true, verification: .authorities(names: [host.name]))
    }
}

extension TLSARecord {
    /// Its presentation form (RFC 6698 §2.2).
    var text: String {
        let digits = data.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "\(usage) \(selector) \(matching) \(digits)"
    }
}
