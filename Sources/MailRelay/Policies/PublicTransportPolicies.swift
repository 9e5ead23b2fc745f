package import MailDNS
import TLSPolicy

/// Plans for mail to any domain on the Internet: from MX, address and TLSA records, and MTA-STS.
package struct PublicTransportPolicies: TransportPolicies {
    /// All of a plan's questions together. A lookup has its own, shorter limit.
    private static let timeout = Duration.seconds(120)

    private let resolver: any DNSResolver
    private let sts: STSPolicies?
    private let recorder: (any TLSResultRecorder)?
    private let ownNames: Set<String>
    private let port: Int
    private let allowsLoopback: Bool

    /// - Parameters:
    ///   - ownNames: this server's host names, lower case: mail whose exchanger it is itself would come back.
    ///   - port: of mail exchangers; other than 25 for tests.
    ///   - allowsLoopback: for tests. A domain on the Internet has no business in leading mail to this machine.
    package init(
        resolver: any DNSResolver, sts: STSPolicies?, recorder: (any TLSResultRecorder)? = nil,
        ownNames: Set<String>, port: Int = 25, allowsLoopback: Bool = false
    ) {
        self.resolver = resolver
        self.sts = sts
        self.recorder = recorder
        self.ownNames = ownNames
        self.port = port
        self.allowsLoopback = allowsLoopback
    }

    package func plan(for destination: String, _ demand: TLSDemand) async -> DeliveryPlan {
        if destination.hasPrefix("[") { return literal(destination, demand) }
        guard let domain = DNSName.ascii(destination) else {
            return .undeliverable(PlanRefusal(status: "5.1.2", text: "\(destination) is no domain"))
        }
        let plan = await withDeadline(Self.timeout) { await self.makePlan(domain, demand) }
        return plan ?? .deferred(PlanRefusal(status: "4.4.3", text: "the DNS takes too long for \(destination)"))
    }

    private func makePlan(_ destination: String, _ demand: TLSDemand) async -> DeliveryPlan {
        async let policy = sts?.policy(for: destination)
        let found: MailExchangers
        do throws(MailExchangerFailure) { found = try await resolver.mailExchangers(of: destination) } catch {
            return Self.refusal(destination, error)
        }
        let exchangers = found.before(ownNames.contains)
        guard !exchangers.isEmpty else {
            return .undeliverable(
                PlanRefusal(status: "5.4.6", text: "mail for \(destination) would come back to this server"))
        }
        let hosts = await facts(exchangers.map(\.name))
        var decision = PlanDecision(
            DomainFacts(
                domain: destination, isSecure: found.isSecure, isImplicit: found.isImplicit, sts: await policy,
                hosts: hosts),
            demand, port: port)
        let plan = decision.plan()
        for result in decision.results { recorder?.record(result) }
        return plan
    }

    private static func refusal(_ domain: String, _ failure: MailExchangerFailure) -> DeliveryPlan {
        switch failure {
        // RFC 7505 §4.2
        case .nullMX: .undeliverable(PlanRefusal(status: "5.1.10", text: "\(domain) takes no mail (null MX)"))
        case .noSuchDomain: .undeliverable(PlanRefusal(status: "5.1.2", text: "\(domain) does not exist"))
        case .noUsableExchanger:
            .undeliverable(PlanRefusal(status: "5.4.4", text: "\(domain) names no host as its exchanger"))
        case .unavailable(let reason, let isBogus):
            .deferred(PlanRefusal(status: isBogus ? "4.7.5" : "4.4.3", text: reason))
        }
    }

    /// Of all hosts at once, in their order.
    private func facts(_ names: [String]) async -> [HostFacts] {
        await withTaskGroup(of: (Int, HostFacts).self) { group in
            for (place, name) in names.enumerated() { group.addTask { (place, await facts(name)) } }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func facts(_ name: String) async -> HostFacts {
        var addresses: HostAddresses
        do throws(HostFailure) { addresses = try await resolver.addresses(of: name) } catch {
            return HostFacts(name: name, addresses: .failure(error))
        }
        addresses.addresses.removeAll { !IPAddress.isUsable($0, allowsLoopback: allowsLoopback) }
        guard !addresses.addresses.isEmpty else { return HostFacts(name: name, addresses: .failure(.noAddress)) }
        var facts = HostFacts(name: name, addresses: .success(addresses))
        do throws(HostFailure) { facts.tlsa = .success(try await resolver.tlsa(of: name, port: port, addresses)) } catch
        {
            facts.tlsa = .failure(error)
        }
        return facts
    }

    /// An address literal: there is no name that anything could vouch for.
    private func literal(_ destination: String, _ demand: TLSDemand) -> DeliveryPlan {
        guard let address = IPAddress.octets(literal: destination),
            IPAddress.isUsable(address, allowsLoopback: allowsLoopback)
        else {
            return .undeliverable(PlanRefusal(status: "5.1.2", text: "\(destination) is no address to send mail to"))
        }
        guard demand != .required else {
            return .undeliverable(
                PlanRefusal(status: "5.7.30", text: "REQUIRETLS: no certificate can vouch for \(destination)"))
        }
        return .hosts([
            PlannedHost(
                name: destination, port: port, addresses: [address], requirement: .opportunistic, basis: .opportunistic,
                serverName: nil)
        ])
    }
}
