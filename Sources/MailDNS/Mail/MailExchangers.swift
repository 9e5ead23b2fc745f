/// Where a domain's mail goes (RFC 5321 §5.1).
package struct MailExchangers: Sendable, Hashable {
    /// In the order in which to try them: by preference, those of one preference in random order.
    package var exchangers: [MailExchanger]
    /// There is no MX record: the domain's own addresses are meant.
    package var isImplicit: Bool
    /// Of the MX records, or of there being none; never bogus.
    package var isSecure: Bool

    package init(exchangers: [MailExchanger], isImplicit: Bool = false, isSecure: Bool) {
        self.exchangers = exchangers
        self.isImplicit = isImplicit
        self.isSecure = isSecure
    }
}

package struct MailExchanger: Sendable, Hashable {
    package var name: String
    package var preference: UInt16

    package init(name: String, preference: UInt16 = 0) {
        self.name = name
        self.preference = preference
    }
}

package enum MailExchangerFailure: Error, Sendable, Hashable {
    /// For good: the domain takes no mail (RFC 7505).
    case nullMX
    /// For good.
    case noSuchDomain
    /// For good: MX records, and none of them names a host.
    case noUsableExchanger
    /// For now: no answer, or one that fails validation; the reason is for the log.
    case unavailable(reason: String, isBogus: Bool = false)
}

extension DNSResolver {
    /// Looks a domain's mail exchangers up.
    package func mailExchangers(of domain: String) async throws(MailExchangerFailure) -> MailExchangers {
        var generator = SystemRandomNumberGenerator()
        return try await mailExchangers(of: domain, using: &generator)
    }

    package func mailExchangers(
        of domain: String, using generator: inout some RandomNumberGenerator
    ) async throws(MailExchangerFailure) -> MailExchangers {
        let answer: DNSAnswer
        do throws(DNSFailure) { answer = try await lookUp(domain, .mx) } catch {
            throw error == .invalidName ? .noSuchDomain : .unavailable(reason: "\(domain) MX: \(error.reason)")
        }
        return try MailExchangers(answer, domain, using: &generator)
    }
}

extension MailExchangers {
    /// Exchangers that are tried: a domain with more has no use of the rest either (RFC 5321 §5.1 asks for two at least).
    package static let maximumExchangers = 20

    init(
        _ answer: DNSAnswer, _ domain: String, using generator: inout some RandomNumberGenerator
    ) throws(MailExchangerFailure) {
        let isSecure: Bool
        switch answer.security {
        case .secure: isSecure = true
        case .insecure: isSecure = false
        case .bogus(let reason): throw .unavailable(reason: "\(domain) MX: \(reason)", isBogus: true)
        }
        switch answer.existence {
        case .noSuchName: throw .noSuchDomain
        case .noData:
            self.init(exchangers: [MailExchanger(name: domain)], isImplicit: true, isSecure: isSecure)
        case .records:
            let all = answer.records.compactMap { record in
                if case .mx(let preference, let exchange) = record {
                    MailExchanger(name: exchange, preference: preference)
                } else {
                    nil
                }
            }
            // "MX 0 ." (RFC 7505 §3); beside others it means nothing.
            guard all.contains(where: { !$0.name.isEmpty }) else { throw .nullMX }
            let hosts = all.filter { DNSName.isAskable($0.name) }
            guard !hosts.isEmpty else { throw .noUsableExchanger }
            self.init(exchangers: Self.ordered(hosts, using: &generator), isSecure: isSecure)
        }
    }

    /// Each name once, at its best preference.
    private static func ordered(
        _ exchangers: [MailExchanger], using generator: inout some RandomNumberGenerator
    ) -> [MailExchanger] {
        var names: Set<String> = []
        // The sort keeps the shuffled order of equals.
        let sorted = exchangers.shuffled(using: &generator).enumerated().sorted {
            ($0.element.preference, $0.offset) < ($1.element.preference, $1.offset)
        }
        return Array(sorted.map(\.element).filter { names.insert($0.name).inserted }.prefix(maximumExchangers))
    }

    /// Leaves only what is better than this server itself, when it is among them: mail must not go to a server that would
    /// send it back here (RFC 5321 §5.1).
    package func before(_ isOwn: (String) -> Bool) -> [MailExchanger] {
        guard let own = exchangers.first(where: { isOwn($0.name) }) else { return exchangers }
        return exchangers.filter { $0.preference < own.preference }
    }
}

extension DNSFailure {
    /// For the log.
    package var reason: String {
        switch self {
        case .serverFailure(let reason): reason
        case .timeout: "no answer in time"
        case .cancelled: "cancelled"
        case .invalidName: "no valid name"
        }
    }
}
