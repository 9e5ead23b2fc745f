package import MailVocabulary

/// What a client says with OAUTHBEARER (RFC 7628 §3.1) or XOAUTH2: a bearer token, and perhaps whose it is.
package struct BearerResponse: Sendable {
    /// Key/value pairs of one response: clients send three.
    static let maximumPairs = 32

    /// The authorization identity; nil when the token alone tells.
    package var user: String?
    /// What the client connected to; nil when it does not say.
    package var host: String?
    /// RFC 6750 §2.1: `b64token`. Nil when there is none: so a client asks what it would need (RFC 7628 §4.3).
    package var token: Secret?

    /// Nil for what is no response, or has a token of another type than Bearer.
    package init?(_ mechanism: Dialect, _ response: Span<UInt8>) {
        var rest = 0
        switch mechanism {
        case .oauthBearer:
            guard let (header, end) = Self.header(response) else { return nil }
            user = header.authorizationIdentity
            rest = end
        case .xoauth2: break
        }
        guard let pairs = Self.pairs(response, from: rest) else { return nil }
        for (key, value) in pairs {
            switch key {
            case "auth" where !value.isEmpty:
                guard token == nil, let found = Self.bearer(response.extracting(value)) else { return nil }
                token = found
            case "host": host = Self.text(response.extracting(value))
            case "user" where mechanism == .xoauth2:
                guard let name = Self.text(response.extracting(value)), !name.isEmpty else { return nil }
                user = name
            // RFC 7628 §3.1: unknown ones are ignored.
            case _: break
            }
        }
    }

    package enum Dialect: Sendable, Hashable {
        case oauthBearer, xoauth2
    }

    // client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep          RFC 7628 §3.1
    private static func header(_ response: Span<UInt8>) -> (GS2Header, end: Int)? {
        guard let end = response.indices.first(where: { response[$0] == 1 }) else { return nil }
        var reader = SCRAMReader(response.extracting(0..<end))
        guard let header = try? GS2Header(&reader), reader.peek == nil else { return nil }
        // There is no channel binding here.
        if case .used = header.flag { return nil }
        return (header, end + 1)
    }

    // kvpair = key "=" value kvsep     key = 1*(ALPHA)     value = *(VCHAR / SP / HTAB / CR / LF)
    private static func pairs(_ response: Span<UInt8>, from start: Int) -> [(key: String, value: Range<Int>)]? {
        var pairs: [(key: String, value: Range<Int>)] = []
        var index = start
        while index < response.count, response[index] != 1 {
            var end = index
            while end < response.count, response[end] != 1 { end += 1 }
            guard end < response.count, pairs.count < maximumPairs,
                let equals = (index..<end).first(where: { response[$0] == UInt8(ascii: "=") }), equals > index
            else { return nil }
            let key = response.extracting(index..<equals)
            guard key.indices.allSatisfy({ isLetter(key[$0]) }) else { return nil }
            pairs.append((text(key) ?? "", equals + 1..<end))
            index = end + 1
        }
        // The second kvsep ends it all.
        return index == response.count - 1 ? pairs : nil
    }

    // credentials = "Bearer" 1*SP b64token     b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
    private static func bearer(_ value: Span<UInt8>) -> Secret? {
        let scheme: InlineArray<6, UInt8> = [0x62, 0x65, 0x61, 0x72, 0x65, 0x72]
        guard value.count > 7, scheme.indices.allSatisfy({ value[$0] | 0x20 == scheme[$0] }), value[6] == 0x20 else {
            return nil
        }
        var start = 7
        while start < value.count, value[start] == 0x20 { start += 1 }
        var end = value.count
        while end > start, value[end - 1] == UInt8(ascii: "=") { end -= 1 }
        guard end > start, (start..<end).allSatisfy({ isTokenOctet(value[$0]) }) else { return nil }
        return Secret((start..<value.count).map { value[$0] })
    }

    private static func isTokenOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        case _: isLetter(octet)
        }
    }

    private static func isLetter(_ octet: UInt8) -> Bool {
        (octet | 0x20) >= UInt8(ascii: "a") && (octet | 0x20) <= UInt8(ascii: "z")
    }

    private static func text(_ bytes: Span<UInt8>) -> String? {
        guard bytes.count <= SASLLimits.field else { return nil }
        return String(validating: bytes.indices.map { bytes[$0] }, as: UTF8.self)
    }
}
