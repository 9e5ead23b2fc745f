/// Reads attributes from left to right (RFC 5802 §7). The caller bounds a message's length.
struct SCRAMReader {
    private let message: [UInt8]
    private(set) var position = 0

    init(_ message: Span<UInt8>) { self.message = message.indices.map { message[$0] } }

    var peek: UInt8? { position < message.count ? message[position] : nil }

    func octets(_ range: Range<Int>) -> [UInt8] { Array(message[range]) }

    mutating func next() -> UInt8? {
        guard let octet = peek else { return nil }
        position += 1
        return octet
    }

    mutating func comma() throws(SCRAMError) {
        guard next() == UInt8(ascii: ",") else { throw .invalidEncoding }
    }

    /// The attribute's value, up to a comma or the end; at least one octet.
    private mutating func value(_ attribute: Unicode.Scalar) throws(SCRAMError) -> Range<Int> {
        guard next() == UInt8(ascii: attribute), next() == UInt8(ascii: "=") else { throw .invalidEncoding }
        let start = position
        while let octet = peek, octet != UInt8(ascii: ",") {
            guard octet != 0 else { throw .invalidEncoding }
            position += 1
        }
        guard start < position else { throw .invalidEncoding }
        return start..<position
    }

    // saslname = 1*(value-safe-char / "=2C" / "=3D")
    mutating func name(_ attribute: Unicode.Scalar) throws(SCRAMError) -> String {
        var bytes: [UInt8] = []
        let range = try value(attribute)
        var index = range.lowerBound
        while index < range.upperBound {
            guard message[index] == UInt8(ascii: "=") else {
                bytes.append(message[index])
                index += 1
                continue
            }
            guard index + 2 < range.upperBound else { throw .invalidUsernameEncoding }
            switch (message[index + 1], message[index + 2]) {
            case (UInt8(ascii: "2"), UInt8(ascii: "C")): bytes.append(UInt8(ascii: ","))
            case (UInt8(ascii: "3"), UInt8(ascii: "D")): bytes.append(UInt8(ascii: "="))
            case _: throw .invalidUsernameEncoding
            }
            index += 3
        }
        guard bytes.count <= SASLLimits.field, let name = String(validating: bytes, as: UTF8.self) else {
            throw .invalidUsernameEncoding
        }
        return name
    }

    // nonce = "r=" c-nonce [s-nonce]          printable = %x21-2B / %x2D-7E
    mutating func nonce() throws(SCRAMError) -> [UInt8] {
        let range = try value("r")
        guard range.count <= SCRAMClientFirst.maximumNonce,
            range.allSatisfy({ message[$0] > 0x20 && message[$0] < 0x7F })
        else { throw .invalidEncoding }
        return octets(range)
    }

    mutating func base64(_ attribute: Unicode.Scalar, isLast: Bool) throws(SCRAMError) -> [UInt8] {
        let range = try value(attribute)
        guard isLast == (position == message.count), let decoded = Base64.decode(message.span.extracting(range)) else {
            throw .invalidEncoding
        }
        return decoded
    }

    // cb-name = 1*(ALPHA / DIGIT / "." / "-")
    /// Behind the `p`.
    mutating func bindingName() throws(SCRAMError) -> String {
        position -= 1
        let range = try value("p")
        let isName = range.allSatisfy { index in
            switch message[index] {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"):
                true
            case _: false
            }
        }
        guard isName else { throw .invalidEncoding }
        return String(decoding: octets(range), as: UTF8.self)
    }

    // reserved-mext = "m=" 1*(value-char)
    /// What a server does not know of, and must.
    func refuseMandatoryExtension() throws(SCRAMError) {
        if peek == UInt8(ascii: "m") { throw .extensionsNotSupported }
    }

    /// Whether an attribute other than `attribute` comes behind a comma.
    func hasExtension(before attribute: Unicode.Scalar) -> Bool {
        position + 1 < message.count && message[position] == UInt8(ascii: ",")
            && message[position + 1] != UInt8(ascii: attribute)
    }

    // extensions = attr-val *("," attr-val)          attr-val = ALPHA "=" value
    /// To the message's end. Those that nobody knows are ignored.
    mutating func extensions() throws(SCRAMError) {
        while peek != nil { try skipExtension() }
    }

    mutating func skipExtension() throws(SCRAMError) {
        try comma()
        try refuseMandatoryExtension()
        guard let name = peek, (name | 0x20) >= UInt8(ascii: "a"), (name | 0x20) <= UInt8(ascii: "z") else {
            throw .invalidEncoding
        }
        _ = try value(Unicode.Scalar(name))
    }
}
