package enum DNSRecordType: UInt16, Sendable, Hashable, CaseIterable {
    case a = 1
    case ns = 2
    case cname = 5
    case soa = 6
    case ptr = 12
    case mx = 15
    case txt = 16
    case aaaa = 28
    case srv = 33
    case ds = 43
    case dnskey = 48
    case tlsa = 52
    case caa = 257
}

/// One record's data, decoded. Names are in the presentation form, lower case, without the root's dot.
package enum DNSRecordData: Sendable, Hashable {
    /// Octets in network order: 4, or 16.
    case address([UInt8])
    case name(String)
    case mx(preference: UInt16, exchange: String)
    case srv(priority: UInt16, weight: UInt16, port: UInt16, target: String)
    /// Its character-strings, joined.
    case txt([UInt8])
    case tlsa(usage: UInt8, selector: UInt8, matching: UInt8, data: [UInt8])
    /// Of any other type, as on the wire.
    case other([UInt8])
}

/// What DNSSEC says of an answer, or of there being none (RFC 4035 §4.3).
package enum DNSSecurity: Sendable, Hashable {
    case secure
    /// Provably not signed, or no trust anchor is above it.
    case insecure
    /// Signed, and the signatures do not hold: to be treated as no answer at all.
    case bogus(reason: String)
}

package struct DNSAnswer: Sendable, Hashable {
    package enum Existence: Sendable, Hashable {
        case records
        /// The name has none of the type.
        case noData
        case noSuchName
    }

    package var existence: Existence
    /// Of the type asked for, in the order received.
    package var records: [DNSRecordData]
    package var security: DNSSecurity
    /// What the name is behind CNAMEs; the name itself without any.
    package var canonicalName: String
    /// Seconds for which it may be kept.
    package var timeToLive: Int

    package init(
        existence: Existence, records: [DNSRecordData] = [], security: DNSSecurity, canonicalName: String,
        timeToLive: Int = 0
    ) {
        self.existence = existence
        self.records = records
        self.security = security
        self.canonicalName = canonicalName
        self.timeToLive = timeToLive
    }
}

/// No answer was had: it may be another time.
package enum DNSFailure: Error, Sendable, Hashable {
    /// SERVFAIL, REFUSED and the like; the reason is for the log.
    case serverFailure(reason: String)
    case timeout
    /// Whoever asked wants no answer any more.
    case cancelled
    /// The name cannot be one (a label of more than 63 octets, …).
    case invalidName
}

/// Asks the DNS. Bogus answers are returned as such, with no records.
package protocol DNSResolver: Sendable {
    /// - Parameter name: in the presentation form, ASCII (A-labels).
    func lookUp(_ name: String, _ type: DNSRecordType) async throws(DNSFailure) -> DNSAnswer
}
