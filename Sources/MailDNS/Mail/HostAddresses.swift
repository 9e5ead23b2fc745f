package import TLSPolicy

/// A host's addresses.
package struct HostAddresses: Sendable, Hashable {
    /// Addresses of one host that are tried.
    package static let maximumAddresses = 10

    /// 16 or 4 octets in network order, IPv6 first.
    package var addresses: [[UInt8]]
    /// Of the whole way to them, aliases included.
    package var isSecure: Bool
    /// Behind aliases.
    package var canonicalName: String

    package init(addresses: [[UInt8]], isSecure: Bool, canonicalName: String) {
        self.addresses = addresses
        self.isSecure = isSecure
        self.canonicalName = canonicalName
    }
}

/// Why a host cannot be reached by name.
package enum HostFailure: Error, Sendable, Hashable {
    /// It has no address.
    case noAddress
    /// For now; the reason is for the log.
    case unavailable(reason: String, isBogus: Bool = false)
}

extension DNSResolver {
    /// A host's AAAA and A records. A bogus answer to either, and the host is unavailable; so it is when either fails and
    /// the other has none.
    package func addresses(of host: String) async throws(HostFailure) -> HostAddresses {
        async let long = settled(host, .aaaa)
        async let short = settled(host, .a)
        return try HostAddresses.joined(host, await long, await short)
    }

    private func settled(_ host: String, _ type: DNSRecordType) async -> Result<DNSAnswer, DNSFailure> {
        do throws(DNSFailure) { return .success(try await lookUp(host, type)) } catch { return .failure(error) }
    }
}

extension HostAddresses {
    static func joined(
        _ host: String, _ results: Result<DNSAnswer, DNSFailure>...
    ) throws(HostFailure) -> HostAddresses {
        var joined = HostAddresses(addresses: [], isSecure: false, canonicalName: host)
        var failure: DNSFailure?
        for result in results {
            switch result {
            case .failure(let reason): failure = reason
            case .success(let answer):
                if case .bogus(let reason) = answer.security {
                    throw .unavailable(reason: "\(host): \(reason)", isBogus: true)
                }
                joined.add(answer)
            }
        }
        if joined.addresses.isEmpty {
            guard let failure, failure != .invalidName else { throw .noAddress }
            throw .unavailable(reason: "\(host): \(failure.reason)")
        }
        joined.addresses = Array(joined.addresses.prefix(maximumAddresses))
        return joined
    }

    /// What has addresses says whether they are secure.
    private mutating func add(_ answer: DNSAnswer) {
        let found = answer.records.compactMap { record in
            if case .address(let octets) = record { octets } else { nil }
        }
        guard !found.isEmpty else { return }
        addresses += found
        canonicalName = answer.canonicalName
        // Secure in one family is enough to look for TLSA records: those must be secure themselves.
        isSecure = isSecure || answer.security == .secure
    }
}

/// The TLSA records that hold for a host.
package struct HostTLSA: Sendable, Hashable {
    package var records: [TLSARecord]
    /// The TLSA base domain: where they were found, for the TLS handshake and the certificate's name (RFC 7672 §2.2.3).
    package var baseDomain: String

    package init(records: [TLSARecord], baseDomain: String) {
        self.records = records
        self.baseDomain = baseDomain
    }
}

extension DNSResolver {
    /// The secure TLSA records for a host and port, usable or not; nil when there are none (RFC 7672 §2.2).
    ///
    /// Throws `unavailable` when that cannot be known: the host must not be used then, or an attacker could suppress them.
    package func tlsa(
        of host: String, port: Int, _ addresses: HostAddresses
    ) async throws(HostFailure) -> HostTLSA? {
        let isAlias = addresses.canonicalName != host
        if addresses.isSecure {
            if isAlias, let found = try await tlsa(at: addresses.canonicalName, port) { return found }
            return try await tlsa(at: host, port)
        }
        // The addresses are insecure; the alias itself may be secure, and then the records of its own name count.
        guard isAlias, try await answer(host, .cname).security == .secure else { return nil }
        return try await tlsa(at: host, port)
    }

    private func tlsa(at base: String, _ port: Int) async throws(HostFailure) -> HostTLSA? {
        let answer = try await answer("_\(port)._tcp.\(base)", .tlsa)
        guard answer.security == .secure else { return nil }
        let records = answer.records.compactMap { record -> TLSARecord? in
            guard case .tlsa(let usage, let selector, let matching, let data) = record else { return nil }
            return TLSARecord(usage: usage, selector: selector, matching: matching, data: data)
        }
        return records.isEmpty ? nil : HostTLSA(records: records, baseDomain: base)
    }

    /// An answer that is not bogus.
    private func answer(_ name: String, _ type: DNSRecordType) async throws(HostFailure) -> DNSAnswer {
        let answer: DNSAnswer
        do throws(DNSFailure) { answer = try await lookUp(name, type) } catch {
            // A base domain too long to stand behind a prefix has none.
            if error == .invalidName {
                return DNSAnswer(existence: .noSuchName, security: .insecure, canonicalName: name)
            }
            throw .unavailable(reason: "\(name): \(error.reason)")
        }
        if case .bogus(let reason) = answer.security {
            throw .unavailable(reason: "\(name): \(reason)", isBogus: true)
        }
        return answer
    }
}
