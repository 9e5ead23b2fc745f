import CIDN2

extension DNSName {
    /// A domain with its U-labels as A-labels (RFC 5890 §2.3.2.1), lower case: how it is asked for, and how certificates
    /// and policies name it. Nil when it has a label that is none.
    package static func ascii(_ domain: String) -> String? {
        guard !domain.utf8.allSatisfy({ $0 < 0x80 }) else { return normalized(domain) }
        // Octets; no domain is longer in either form, and time is bounded so.
        guard domain.utf8.count <= 4 * maximumWireLength, !domain.utf8.contains(0) else { return nil }
        var output: UnsafeMutablePointer<UInt8>?
        let flags = Int32(IDN2_NFC_INPUT.rawValue | IDN2_NONTRANSITIONAL.rawValue)
        let result = (Array(domain.utf8) + [0]).withUnsafeBufferPointer { input in
            idn2_lookup_u8(input.baseAddress, &output, flags)
        }
        defer { idn2_free(output) }
        guard result == IDN2_OK.rawValue, let output else { return nil }
        let name = normalized(String(cString: output))
        return isAskable(name) ? name : nil
    }
}
