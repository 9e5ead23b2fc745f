import MailVocabulary

/// A protocol version of TLS; nothing below 1.2 exists here (RFC 8996, RFC 8997).
package enum TLSVersion: String, Sendable, Hashable, Comparable {
    case tls12 = "TLSv1.2"
    case tls13 = "TLSv1.3"

    package static func < (a: TLSVersion, b: TLSVersion) -> Bool { a == .tls12 && b == .tls13 }
}

/// What a connection's handshake negotiated: what is logged, recorded in Received fields, shown to users and judged
/// by policy.
package struct TLSDescription: Sendable, Hashable {
    package var version: TLSVersion
    /// Nil when it could not be learnt.
    package var cipherSuite: CipherSuite?
    /// Nil when none was used or it could not be learnt.
    package var group: NamedGroup?
    /// A resumed session skips certificate checks; policy on certificates is evaluated anew.
    package var isResumed: Bool
    /// The name the client asked for (RFC 6066 §3).
    package var serverName: String?
    package var applicationProtocol: String?
    package var channelBindings: ChannelBindings

    package init(
        version: TLSVersion, cipherSuite: CipherSuite? = nil, group: NamedGroup? = nil, isResumed: Bool = false,
        serverName: String? = nil, applicationProtocol: String? = nil,
        channelBindings: ChannelBindings = ChannelBindings()
    ) {
        self.version = version
        self.cipherSuite = cipherSuite
        self.group = group
        self.isResumed = isResumed
        self.serverName = serverName
        self.applicationProtocol = applicationProtocol
        self.channelBindings = channelBindings
    }
}

/// A cipher suite by its number in the IANA TLS Cipher Suites registry.
package struct CipherSuite: Sendable, Hashable {
    package let number: UInt16

    package init(_ number: UInt16) { self.number = number }

    /// The registered name, or nil for a suite that this program never negotiates.
    package var name: String? {
        switch number {
        case 0x1301: "TLS_AES_128_GCM_SHA256"
        case 0x1302: "TLS_AES_256_GCM_SHA384"
        case 0x1303: "TLS_CHACHA20_POLY1305_SHA256"
        case 0xC02B: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
        case 0xC02C: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
        case 0xC02F: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        case 0xC030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
        case 0xCCA8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
        case 0xCCA9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
        case _: nil
        }
    }

    /// `tls-cipher` of RFC 8314 §4.3: the name, else `0x` and four hexadecimal digits.
    package var nameOrNumber: String { name ?? hexadecimal(number) }
}

/// A key-exchange group by its number in the IANA TLS Supported Groups registry.
package struct NamedGroup: Sendable, Hashable {
    package let number: UInt16

    package init(_ number: UInt16) { self.number = number }

    package var name: String? {
        switch number {
        case 0x0017: "secp256r1"
        case 0x0018: "secp384r1"
        case 0x0019: "secp521r1"
        case 0x001D: "x25519"
        case 0x001E: "x448"
        case 0x11EB: "SecP256r1MLKEM768"
        case 0x11EC: "X25519MLKEM768"
        case 0x11ED: "SecP384r1MLKEM1024"
        case _: nil
        }
    }
}

private func hexadecimal(_ number: UInt16) -> String {
    let digits = String(number, radix: 16, uppercase: true)
    return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
}
