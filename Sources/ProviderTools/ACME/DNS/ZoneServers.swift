import Glibc
import MailDNS
import MailRelay

/// Who has a name's records.
struct ZoneServers: Sendable {
    struct Server: Sendable {
        var name: String
        var addresses: [[UInt8]]
    }

    /// Of names that lead to names.
    private static let maximumAliases = 8
    private static let maximumServers = 16

    let resolver: any DNSResolver

    /// Where records for a name are: itself, or where aliases lead. Operators lead `_acme-challenge` to a zone of its own.
    func target(of name: String) async throws(ACMEError) -> String {
        var target = DNSName.normalized(name)
        for _ in 0..<Self.maximumAliases {
            let answer = try await answer(target, .cname)
            guard case .name(let next)? = answer.records.first else { return target }
            target = next
        }
        throw .challenge("the aliases of \(name) lead on and on")
    }

    /// The zone that a name is in, and its primary server's name.
    func zone(of name: String) async throws(ACMEError) -> (zone: String, primary: String) {
        var labels = name.split(separator: ".")[...]
        while labels.count > 0 {
            let candidate = labels.joined(separator: ".")
            let answer = try await answer(candidate, .soa)
            if answer.existence == .records, answer.canonicalName == candidate,
                case .other(let data)? = answer.records.first,
                let (primary, _) = DNSReply.name(data, 0)
            {
                return (candidate, primary)
            }
            labels = labels.dropFirst()
        }
        throw .challenge("no zone is found that \(name) would be in")
    }

    func servers(of zone: String) async throws(ACMEError) -> [Server] {
        let answer = try await answer(zone, .ns)
        var servers: [Server] = []
        for record in answer.records.prefix(Self.maximumServers) {
            guard case .name(let name) = record else { continue }
            servers.append(Server(name: name, addresses: try await addresses(of: name)))
        }
        guard !servers.isEmpty else { throw .challenge("the zone \(zone) has no name servers") }
        return servers
    }

    /// Of a name or an address.
    func addresses(of host: String) async throws(ACMEError) -> [[UInt8]] {
        var octets = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, host, &octets) == 1 { return [Array(octets.prefix(4))] }
        if inet_pton(AF_INET6, host, &octets) == 1 { return [octets] }
        do throws(HostFailure) { return try await resolver.addresses(of: host).addresses } catch {
            throw .challenge("the name server \(host) has no address that can be found")
        }
    }

    private func answer(_ name: String, _ type: DNSRecordType) async throws(ACMEError) -> DNSAnswer {
        let answer: DNSAnswer
        do throws(DNSFailure) { answer = try await resolver.lookUp(name, type) } catch {
            throw .challenge("\(name) cannot be looked up in the DNS: \(error)")
        }
        if case .bogus(let reason) = answer.security { throw .challenge("the DNSSEC of \(name) is broken: \(reason)") }
        return answer
    }
}
