import Foundation
import MailDNS
package import MailRelay
import TLSPolicy

extension PolicyServices.Options {
    /// As an operator has set them. `machineName` is this server's name when none is set.
    package init(_ configuration: ServerConfiguration, machineName: String = ProcessInfo.processInfo.hostName) {
        self.init(ownNames: [(configuration.hostname ?? machineName).lowercased()])
        directory = configuration.stateDirectory + "/policies"
        resolver.trustAnchorFile = configuration.dns.trustAnchorFile
        resolver.forwarders = configuration.dns.forwarders.map { endpoint in
            // An endpoint without an address is no name server: the resolver refuses it.
            .init(address: endpoint.host ?? "*", port: endpoint.port)
        }
        trustRootsFile = configuration.trustRootsFile
        port = configuration.relay.port
        policyPort = configuration.relay.policyPort
        countsResults = configuration.relay.reportsTLS
    }
}

extension DeliveryPlan {
    /// For an operator who wants to know where mail would go, and why: a line for each host.
    package var explanation: [String] {
        switch self {
        case .hosts(let hosts): hosts.flatMap(\.explanation)
        case .undeliverable(let refusal): ["cannot be delivered: \(refusal.status) \(refusal.text)"]
        case .deferred(let refusal): ["waits: \(refusal.status) \(refusal.text)"]
        }
    }
}

extension PlannedHost {
    fileprivate var explanation: [String] {
        var lines = ["\(name) port \(port): \(text(requirement)) (\(basisText))"]
        if let tested { lines.append("  in testing, reported only: \(text(tested))") }
        if mustOfferRequireTLS { lines.append("  must offer REQUIRETLS") }
        return lines + addresses.map { "  " + IPAddress.text($0) }
    }

    private func text(_ requirement: TransportRequirement) -> String {
        guard requirement.mustEncrypt else { return "TLS when it is offered" }
        switch requirement.verification {
        case .unverified: return "TLS, with any certificate"
        case .authorities(let names):
            return "TLS, with a certificate for \(names.joined(separator: " or ")) from an authority"
        case .dane(let records, _):
            return
                "TLS, with a certificate that one of \(records.count) TLSA record\(records.count == 1 ? "" : "s") names"
        }
    }

    private var basisText: String {
        switch basis {
        case .dane: "DANE"
        case .stsEnforce: "MTA-STS, enforced"
        case .stsTesting: "MTA-STS, testing"
        case .opportunistic: requirement.mustEncrypt ? "REQUIRETLS" : "no policy"
        }
    }
}
