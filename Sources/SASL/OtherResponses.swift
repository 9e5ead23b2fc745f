/// What a client says with CRAM-MD5 (RFC 2195 §2).
package struct CRAMResponse: Sendable, Hashable {
    package var user: String
    /// 16 octets.
    package var digest: [UInt8]

    // user name SP 32(lower-case hexadecimal digit)
    /// The name may have spaces: the digest is what follows the last.
    package init?(_ response: Span<UInt8>) {
        let start = response.count - 32
        guard start > 1, start - 1 <= SASLLimits.field, response[start - 1] == 0x20,
            let user = String(validating: (0..<start - 1).map { response[$0] }, as: UTF8.self),
            !user.utf8.contains(0)
        else { return nil }
        var digest: [UInt8] = []
        for index in stride(from: start, to: response.count, by: 2) {
            guard let high = Self.value(response[index]), let low = Self.value(response[index + 1]) else { return nil }
            digest.append(high << 4 | low)
        }
        self.user = user
        self.digest = digest
    }

    private static func value(_ octet: UInt8) -> UInt8? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): octet - UInt8(ascii: "a") + 10
        case _: nil
        }
    }
}

/// What a client says with EXTERNAL (RFC 4422 appendix A): as whom it wants to act.
package struct ExternalResponse: Sendable, Hashable {
    /// Nil: as whom TLS has proved.
    package var authorizationIdentity: String?

    // external-initial-response = [utf8-string-no-nul]     (RFC 4422 appendix A.1: extern-resp = *( UTF8-char-no-nul ))
    /// Nil for what is not UTF-8, has NUL, or is longer than a name can be.
    package init?(_ response: Span<UInt8>) {
        guard response.count <= SASLLimits.field, response.indices.allSatisfy({ response[$0] != 0 }),
            let text = String(validating: response.indices.map { response[$0] }, as: UTF8.self)
        else { return nil }
        authorizationIdentity = text.isEmpty ? nil : text
    }
}
