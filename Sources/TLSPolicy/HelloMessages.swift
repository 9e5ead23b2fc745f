// The plaintext part of a TLS handshake (RFC 8446 §4, RFC 5246 §7.4): what the client offered, and what the server
// chose. Read from copies of the bytes on the wire; nothing here takes part in the handshake.

/// What a ClientHello says that servers judge.
package struct ClientHello: Sendable, Hashable {
    /// RFC 6066 §3.
    package var serverName: String?
    /// RFC 7301 §3.1; empty when the extension is absent.
    package var applicationProtocols: [String]
}

/// What a server's plaintext messages say of the outcome.
package struct ServerChoice: Sendable, Hashable {
    package var version: TLSVersion
    package var cipherSuite: CipherSuite
    /// Nil in TLS 1.2 until the ServerKeyExchange, and always there when a session is resumed.
    package var group: NamedGroup?

    package init(version: TLSVersion, cipherSuite: CipherSuite, group: NamedGroup?) {
        self.version = version
        self.cipherSuite = cipherSuite
        self.group = group
    }
}

/// Gathers the handshake messages of one direction out of TLS records, up to a bound.
package struct HandshakeCollector: Sendable {
    /// Enough for hybrid key shares (1.3 KB) and a server's certificate chain before its ServerKeyExchange.
    package static let maximumOctets = 24 * 1024

    private var unread: [UInt8] = []
    private var messages: [UInt8] = []
    /// True when no more is to be had: too many octets, another content type, or not TLS at all.
    package private(set) var isFinished = false

    package init() {}

    package mutating func add(_ bytes: Span<UInt8>) {
        guard !isFinished else { return }
        guard unread.count + messages.count + bytes.count <= Self.maximumOctets else {
            isFinished = true
            return
        }
        for index in bytes.indices { unread.append(bytes[index]) }
        var taken = 0
        while let record = record(at: taken) {
            taken = record.upperBound
            messages += unread[record]
        }
        unread.removeFirst(taken)
    }

    // struct { ContentType type; ProtocolVersion version; uint16 length; opaque fragment[length]; }   RFC 8446 §5.1
    private mutating func record(at start: Int) -> Range<Int>? {
        guard start + 5 <= unread.count, !isFinished else { return nil }
        switch unread[start] {
        case 22:
            let end = start + 5 + (Int(unread[start + 3]) << 8 | Int(unread[start + 4]))
            return end <= unread.count ? start + 5..<end : nil
        case 20:  // change_cipher_spec: of no meaning in TLS 1.3, and followed only by ciphertext in 1.2
            let end = start + 5 + (Int(unread[start + 3]) << 8 | Int(unread[start + 4]))
            return end <= unread.count ? end..<end : nil
        case _:
            isFinished = true
            return nil
        }
    }

    /// The bodies of complete messages of one type, in order.
    package func bodies(ofType type: UInt8) -> [ArraySlice<UInt8>] {
        var found: [ArraySlice<UInt8>] = []
        var start = 0
        while start + 4 <= messages.count {
            let length = Int(messages[start + 1]) << 16 | Int(messages[start + 2]) << 8 | Int(messages[start + 3])
            guard start + 4 + length <= messages.count else { break }
            if messages[start] == type { found.append(messages[start + 4..<start + 4 + length]) }
            start += 4 + length
        }
        return found
    }
}

extension ClientHello {
    /// Nil until a whole ClientHello is there.
    package init?(_ handshake: HandshakeCollector) {
        guard let body = handshake.bodies(ofType: 1).first else { return nil }
        self.init(serverName: nil, applicationProtocols: [])
        var reader = FieldReader(body)
        guard reader.skip(2 + 32), reader.vector(lengthBytes: 1) != nil, reader.vector(lengthBytes: 2) != nil,
            reader.vector(lengthBytes: 1) != nil, let extensions = reader.vector(lengthBytes: 2)
        else { return }
        forEachExtension(extensions) { type, data in
            var reader = FieldReader(data)
            guard type == 0 || type == 16, let list = reader.vector(lengthBytes: 2) else { return }
            if type == 0 { serverName = ClientHello.serverName(list) } else { readProtocols(list) }
        }
    }

    private static func serverName(_ list: ArraySlice<UInt8>) -> String? {
        var reader = FieldReader(list)
        guard reader.number(1) == 0, let name = reader.vector(lengthBytes: 2) else { return nil }
        return String(decoding: name, as: UTF8.self)
    }

    private mutating func readProtocols(_ list: ArraySlice<UInt8>) {
        var reader = FieldReader(list)
        while let name = reader.vector(lengthBytes: 1) {
            applicationProtocols.append(String(decoding: name, as: UTF8.self))
        }
    }
}

extension ServerChoice {
    /// SHA-256 of "HelloRetryRequest" begins so: a ServerHello with this random chooses nothing yet (RFC 8446 §4.1.3).
    private static let retryRandom: [UInt8] = [0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11]

    /// Nil until a ServerHello that is no HelloRetryRequest is there.
    package init?(_ handshake: HandshakeCollector) {
        let hellos = handshake.bodies(ofType: 2)
        guard let hello = hellos.last(where: { !$0.dropFirst(2).starts(with: Self.retryRandom) }) else { return nil }
        var reader = FieldReader(hello)
        guard reader.skip(2 + 32), reader.vector(lengthBytes: 1) != nil, let suite = reader.number(2), reader.skip(1)
        else { return nil }
        self.init(version: .tls12, cipherSuite: CipherSuite(UInt16(suite)), group: nil)
        if let extensions = reader.vector(lengthBytes: 2) {
            forEachExtension(extensions) { type, data in
                var reader = FieldReader(data)
                guard let value = reader.number(2) else { return }
                if type == 43, value == 0x0304 { version = .tls13 }
                if type == 51 { group = NamedGroup(UInt16(value)) }
            }
        }
        // ServerKeyExchange with curve_type named_curve (RFC 8422 §5.4).
        if version == .tls12, let exchange = handshake.bodies(ofType: 12).first {
            var reader = FieldReader(exchange)
            if reader.number(1) == 3, let curve = reader.number(2) { group = NamedGroup(UInt16(curve)) }
        }
    }
}

/// Extension extensions<0..2^16-1>: type, then data (RFC 8446 §4.2).
private func forEachExtension(
    _ extensions: ArraySlice<UInt8>, _ visit: (_ type: Int, _ data: ArraySlice<UInt8>) -> Void
) {
    var reader = FieldReader(extensions)
    while let type = reader.number(2), let data = reader.vector(lengthBytes: 2) { visit(type, data) }
}

/// Reads TLS presentation language fields; nil at the first that is cut short.
private struct FieldReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func skip(_ count: Int) -> Bool {
        guard rest.count >= count else { return false }
        rest = rest.dropFirst(count)
        return true
    }

    mutating func number(_ bytes: Int) -> Int? {
        guard rest.count >= bytes else { return nil }
        let value = rest.prefix(bytes).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(bytes)
        return value
    }

    mutating func vector(lengthBytes: Int) -> ArraySlice<UInt8>? {
        guard let length = number(lengthBytes), rest.count >= length else { return nil }
        defer { rest = rest.dropFirst(length) }
        return rest.prefix(length)
    }
}
