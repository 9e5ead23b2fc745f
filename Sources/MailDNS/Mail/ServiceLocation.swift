/// A server of a service (RFC 2782).
package struct ServiceTarget: Sendable, Hashable {
    package var host: String
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }
}

package struct ServiceLocation: Sendable, Hashable {
    /// In the order in which to try them. Empty: there is no such record, or `.`, which says that the service is not there.
    package var targets: [ServiceTarget]
    package var isSecure: Bool
}

extension DNSResolver {
    /// Where a service of a domain is: `_submissions._tcp.example.org`. Throws on bogus answers as on none.
    package func locate(
        _ service: String, using generator: inout some RandomNumberGenerator
    ) async throws(DNSFailure) -> ServiceLocation {
        let answer = try await lookUp(service, .srv)
        if case .bogus(let reason) = answer.security { throw .serverFailure(reason: reason) }
        let records = answer.records.compactMap(ServiceRecord.init)
        let targets = ServiceRecord.ordered(records, using: &generator).filter { !$0.host.isEmpty }
        return ServiceLocation(targets: targets, isSecure: answer.security == .secure)
    }

    /// The names of an address, and whether DNSSEC vouches for them. Bogus answers have none.
    package func names(of address: [UInt8]) async throws(DNSFailure) -> (names: [String], isSecure: Bool) {
        guard let name = DNSName.reverse(of: address) else { throw .invalidName }
        let answer = try await lookUp(name, .ptr)
        let names = answer.records.compactMap { if case .name(let name) = $0 { name } else { nil } }
        return (names, answer.security == .secure)
    }
}

struct ServiceRecord {
    var priority: UInt16
    var weight: UInt16
    var target: ServiceTarget

    init?(_ record: DNSRecordData) {
        guard case .srv(let priority, let weight, let port, let host) = record else { return nil }
        (self.priority, self.weight) = (priority, weight)
        target = ServiceTarget(host: host, port: port)
    }

    /// By priority; within one, drawn at random in proportion to their weights (RFC 2782).
    static func ordered(
        _ records: [ServiceRecord], using generator: inout some RandomNumberGenerator
    ) -> [ServiceTarget] {
        Dictionary(grouping: records, by: \.priority).sorted { $0.key < $1.key }.flatMap { _, group in
            // Those of weight 0 first, so that they have a small chance.
            var rest = group.sorted { $0.weight < $1.weight }
            var drawn: [ServiceTarget] = []
            while !rest.isEmpty {
                let mark = Int.random(in: 0...rest.reduce(0) { $0 + Int($1.weight) }, using: &generator)
                var sum = 0
                let place = rest.firstIndex { record in
                    sum += Int(record.weight)
                    return sum >= mark
                }
                drawn.append(rest.remove(at: place ?? 0).target)
            }
            return drawn
        }
    }
}
