extension DNSRecordData {
    /// RDATA is at most 65,535 octets by its length field (RFC 1035 §3.2.1).
    static let maximumLength = 65_535

    /// One record's RDATA with uncompressed names; nil when it is malformed.
    package init?(_ octets: [UInt8], _ type: DNSRecordType) {
        guard octets.count <= Self.maximumLength else { return nil }
        switch type {
        case .a, .aaaa:
            guard octets.count == (type == .a ? 4 : 16) else { return nil }
            self = .address(octets)
        case .cname, .ns, .ptr:
            guard let name = Self.wholeName(octets[...]) else { return nil }
            self = .name(name)
        case .mx:
            // PREFERENCE EXCHANGE        RFC 1035 §3.3.9
            guard octets.count > 2, let exchange = Self.wholeName(octets[2...]) else { return nil }
            self = .mx(preference: Self.number(octets, 0), exchange: exchange)
        case .srv:
            // Priority Weight Port Target        RFC 2782
            guard octets.count > 6, let target = Self.wholeName(octets[6...]) else { return nil }
            self = .srv(
                priority: Self.number(octets, 0), weight: Self.number(octets, 2), port: Self.number(octets, 4),
                target: target)
        case .txt:
            guard let text = Self.strings(octets) else { return nil }
            self = .txt(text)
        case .tlsa:
            // Usage Selector MatchingType CertificateAssociationData        RFC 6698 §2.1
            guard octets.count > 3 else { return nil }
            self = .tlsa(usage: octets[0], selector: octets[1], matching: octets[2], data: Array(octets[3...]))
        case .soa, .ds, .dnskey, .caa: self = .other(octets)
        }
    }

    private static func number(_ octets: [UInt8], _ place: Int) -> UInt16 {
        UInt16(octets[place]) << 8 | UInt16(octets[place + 1])
    }

    private static func wholeName(_ octets: ArraySlice<UInt8>) -> String? {
        guard let (name, length) = DNSName.decode(octets), length == octets.count else { return nil }
        return name
    }

    /// One or more <character-string>s: a length octet and so many octets (RFC 1035 §3.3, §3.3.14).
    private static func strings(_ octets: [UInt8]) -> [UInt8]? {
        var text: [UInt8] = []
        var place = 0
        while place < octets.count {
            let end = place + 1 + Int(octets[place])
            guard end <= octets.count else { return nil }
            text += octets[place + 1..<end]
            place = end
        }
        return octets.isEmpty ? nil : text
    }
}
