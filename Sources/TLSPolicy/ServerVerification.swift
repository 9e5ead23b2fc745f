/// A TLSA record (RFC 6698 §2.1).
package struct TLSARecord: Sendable, Hashable {
    package var usage: UInt8
    package var selector: UInt8
    package var matching: UInt8
    package var data: [UInt8]

    package init(usage: UInt8, selector: UInt8, matching: UInt8, data: [UInt8]) {
        (self.usage, self.selector, self.matching, self.data) = (usage, selector, matching, data)
    }
}

/// How a client makes sure that it talks to the server it means.
package enum ServerVerification: Sendable, Hashable {
    /// Encryption against those who only listen.
    case unverified
    /// A chain to a trusted authority, and one of the names as DNS-ID (RFC 9525).
    case authorities(names: [String])
    /// Secure TLSA records, at least one of them usable (RFC 7672 §3.1); the names are for usage DANE-TA.
    case dane(records: [TLSARecord], names: [String])
}

/// What a connection to a server must be before anything is said on it.
package struct TransportRequirement: Sendable, Hashable {
    /// False: without STARTTLS, or when the handshake fails, mail goes in cleartext (RFC 3207 §1).
    package var mustEncrypt: Bool
    package var verification: ServerVerification

    package init(mustEncrypt: Bool, verification: ServerVerification) {
        self.mustEncrypt = mustEncrypt
        self.verification = verification
    }

    package static let opportunistic = TransportRequirement(mustEncrypt: false, verification: .unverified)
}

extension TLSARecord {
    /// PKIX-TA and PKIX-EE mean nothing for mail between servers (RFC 7672 §3.1.3); of what is left, what can be matched.
    package var isUsable: Bool {
        guard usage == 2 || usage == 3, selector <= 1 else { return false }
        switch matching {
        case 0: return isSequence
        case 1: return data.count == 32
        case 2: return data.count == 64
        case _: return false
        }
    }

    /// A certificate and a key are a DER SEQUENCE each.
    private var isSequence: Bool {
        guard data.count >= 2, data[0] == 0x30 else { return false }
        if data[1] < 0x80 { return data.count == 2 + Int(data[1]) }
        let octets = Int(data[1] & 0x7F)
        guard octets >= 1, octets <= 3, data.count >= 2 + octets else { return false }
        let length = data[2..<2 + octets].reduce(0) { $0 << 8 | Int($1) }
        return data.count == 2 + octets + length
    }
}
