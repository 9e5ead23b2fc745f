package import MailVocabulary

/// What a proxy says of a connection that it passes on (HAProxy's PROXY protocol, versions 1 and 2).
package struct ProxyHeader: Sendable, Hashable {
    package struct Place: Sendable, Hashable {
        package var address: NetworkAddress
        package var port: UInt16
    }

    package var version: Int
    /// Who connected to the proxy; nil when the connection is the proxy's own (LOCAL), or by no IP address (UNKNOWN,
    /// UNSPEC, UNIX): then what the socket says holds.
    package var source: Place?
    /// Where they connected to.
    package var destination: Place?

    /// Octets of a version 1 line with its end (§2.1).
    package static let maximumLine = 107
    /// Octets behind version 2's first 16: addresses need at most 216; what else is said, of TLS and names, is not used
    /// here, and 65,535 octets of it would be memory for anybody to take.
    package static let maximumRest = 4096
    private static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]

    package enum Frame: Sendable, Hashable {
        case incomplete
        /// How many octets the header had: what follows is the client's.
        case header(ProxyHeader, length: Int)
        case malformed(String)
    }

    /// Reads the header at the beginning of a connection.
    package static func read(_ input: Span<UInt8>) -> Frame {
        guard !input.isEmpty else { return .incomplete }
        return input[0] == signature[0] ? readBinary(input) : readLine(input)
    }

    // Version 1
    // "PROXY" SP ( ( "TCP4" / "TCP6" ) SP source SP destination SP source-port SP destination-port / "UNKNOWN" *any ) CRLF

    private static func readLine(_ input: Span<UInt8>) -> Frame {
        let word = Array("PROXY ".utf8)
        for index in 0..<min(word.count, input.count) where input[index] != word[index] {
            return .malformed("no PROXY header")
        }
        var end = 0
        while end < min(input.count, maximumLine), input[end] != 0x0A { end += 1 }
        guard end < maximumLine else { return .malformed("PROXY line too long") }
        guard end < input.count else { return .incomplete }
        guard input[end - 1] == 0x0D else { return .malformed("PROXY line without CRLF") }
        let fields = ByteCursor(input).array(word.count..<end - 1)
            .split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map { Array($0) }
        guard let header = header(fields) else { return .malformed("PROXY line malformed") }
        return .header(header, length: end + 1)
    }

    private static func header(_ fields: [[UInt8]]) -> ProxyHeader? {
        guard let family = fields.first else { return nil }
        // Whatever follows is to be ignored.
        if family == Array("UNKNOWN".utf8) { return ProxyHeader(version: 1) }
        let isIPv4 = family == Array("TCP4".utf8)
        guard isIPv4 || family == Array("TCP6".utf8), fields.count == 5,
            fields[1].contains(UInt8(ascii: ":")) != isIPv4, fields[2].contains(UInt8(ascii: ":")) != isIPv4,
            let source = NetworkAddress(text: fields[1]), let destination = NetworkAddress(text: fields[2]),
            let sourcePort = port(fields[3]), let destinationPort = port(fields[4])
        else { return nil }
        return ProxyHeader(
            version: 1, source: Place(address: source, port: sourcePort),
            destination: Place(address: destination, port: destinationPort))
    }

    /// Decimal, without leading zeros.
    private static func port(_ text: [UInt8]) -> UInt16? {
        guard (1...5).contains(text.count), text.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            text.count == 1 || text[0] != 0x30
        else { return nil }
        return UInt16(exactly: text.reduce(0) { $0 * 10 + Int($1 - 0x30) })
    }

    // Version 2
    // 12 octets of signature, version and command, family and transport, length (16 bits), addresses, TLVs

    private static func readBinary(_ input: Span<UInt8>) -> Frame {
        for index in 0..<min(signature.count, input.count) where input[index] != signature[index] {
            return .malformed("no PROXY header")
        }
        guard input.count >= 16 else { return .incomplete }
        guard input[12] >> 4 == 2, input[12] & 0x0F <= 1 else { return .malformed("PROXY version or command unknown") }
        let rest = Int(input[14]) << 8 | Int(input[15])
        guard rest <= maximumRest else { return .malformed("PROXY header too long") }
        guard input.count >= 16 + rest else { return .incomplete }
        // LOCAL: the family is to be ignored.
        guard input[12] & 0x0F == 1 else { return .header(ProxyHeader(version: 2), length: 16 + rest) }
        guard let width = addressWidth(input[13]) else { return .malformed("PROXY family or transport unknown") }
        guard rest >= width, hasWholeValues(input, 16 + width, 16 + rest) else {
            return .malformed("PROXY header cut short")
        }
        return .header(header(input, width), length: 16 + rest)
    }

    /// Octets of the addresses of a family by stream; nil for datagrams, which cannot come here, and unassigned ones.
    private static func addressWidth(_ family: UInt8) -> Int? {
        switch family {
        case 0x00: 0
        case 0x11: 12
        case 0x21: 36
        case 0x31: 216
        case _: nil
        }
    }

    private static func header(_ input: Span<UInt8>, _ width: Int) -> ProxyHeader {
        let size = width == 12 ? 4 : 16
        guard width == 12 || width == 36 else { return ProxyHeader(version: 2) }
        let place = { (start: Int, port: Int, octets: [UInt8]) in
            NetworkAddress(octets: octets[start..<start + size]).map {
                Place(address: $0, port: UInt16(octets[port]) << 8 | UInt16(octets[port + 1]))
            }
        }
        let octets = ByteCursor(input).array(16..<16 + width)
        return ProxyHeader(
            version: 2, source: place(0, 2 * size, octets), destination: place(size, 2 * size + 2, octets))
    }

    /// Type, length (16 bits), value: each must end before the header does. None is used: what a proxy says of TLS that
    /// it ended (PP2_TYPE_SSL) makes no connection here a secure one.
    private static func hasWholeValues(_ input: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        var position = start
        while position < end {
            guard position + 3 <= end else { return false }
            position += 3 + (Int(input[position + 1]) << 8 | Int(input[position + 2]))
        }
        return position == end
    }
}
