import MailTestSupport
import TLSPolicy
import Testing

@Suite struct HelloMessagesTests {
    /// A ClientHello in one record, with SNI `mail.test` and ALPN `imap`, `h2`; built by hand from RFC 8446 §4.1.2.
    static func clientHello(recordSize: Int = 65_535) -> [UInt8] {
        let name = Array("mail.test".utf8)
        let sni = extensionField(0, vector2([0] + vector2(name)))
        let alpn = extensionField(16, vector2([4] + Array("imap".utf8) + [2] + Array("h2".utf8)))
        let padding = extensionField(21, [UInt8](repeating: 0, count: 100))
        let body =
            [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + vector2([0x13, 0x02]) + [1, 0]
            + vector2(padding + sni + alpn)
        return records(message(1, body), size: recordSize)
    }

    static func vector2(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes }
    static func extensionField(_ type: UInt16, _ data: [UInt8]) -> [UInt8] {
        [UInt8(type >> 8), UInt8(type & 255)] + vector2(data)
    }
    static func message(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
        [type, 0, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
    }
    static func records(_ messages: [UInt8], size: Int) -> [UInt8] {
        stride(from: 0, to: messages.count, by: size).flatMap {
            [22, 3, 1] + vector2(Array(messages[$0..<min($0 + size, messages.count)]))
        }
    }

    static func serverHello(random: [UInt8], suite: UInt16, group: UInt16) -> [UInt8] {
        let extensions =
            extensionField(43, [3, 4]) + extensionField(51, [UInt8(group >> 8), UInt8(group & 255)] + vector2([9, 9]))
        let body =
            [3, 3] + random + [0] + [UInt8(suite >> 8), UInt8(suite & 255), 0] + vector2(extensions)
        return message(2, body)
    }

    @Test("Server name and application protocols, in one record or in many, whole or byte by byte")
    func client() {
        for size in [65_535, 50, 1] {
            var whole = HandshakeCollector()
            whole.add(Self.clientHello(recordSize: size).span)
            #expect(ClientHello(whole)?.serverName == "mail.test")
            #expect(ClientHello(whole)?.applicationProtocols == ["imap", "h2"])
            var dripped = HandshakeCollector()
            for byte in Self.clientHello(recordSize: size) {
                #expect(ClientHello(dripped) == nil)
                dripped.add([byte].span)
            }
            #expect(ClientHello(dripped) == ClientHello(whole))
        }
    }

    @Test("A retry request chooses nothing; the hello after it does")
    func retry() {
        let retry: [UInt8] = [0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11] + [UInt8](repeating: 1, count: 24)
        var collector = HandshakeCollector()
        collector.add(Self.records(Self.serverHello(random: retry, suite: 0x1301, group: 24), size: 1000).span)
        #expect(ServerChoice(collector) == nil)
        collector.add([20, 3, 3, 0, 1, 1].span)
        let random = [UInt8](repeating: 1, count: 32)
        collector.add(Self.records(Self.serverHello(random: random, suite: 0x1301, group: 24), size: 1000).span)
        #expect(
            ServerChoice(collector)
                == ServerChoice(version: .tls13, cipherSuite: CipherSuite(0x1301), group: NamedGroup(24)))
    }

    @Test("Plaintext, alerts and endless input end the collection")
    func notTLS() {
        var plain = HandshakeCollector()
        plain.add(Array("EHLO me\r\n".utf8).span)
        #expect(plain.isFinished)
        var endless = HandshakeCollector()
        for _ in 0..<40 { endless.add(([22, 3, 1, 4, 0] + [UInt8](repeating: 0, count: 1024)).span) }
        #expect(endless.isFinished)
        #expect(ClientHello(endless) == nil)
    }

    @Test("Mutated and truncated hellos never trap", arguments: 0..<20)
    func mutations(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<200 {
            var bytes = Self.clientHello(recordSize: Int.random(in: 1...300, using: &random))
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
            if let type = bytes.indices.dropFirst(5).first, Bool.random(using: &random) { bytes[type] = 2 }
            var collector = HandshakeCollector()
            collector.add(bytes.span)
            let hello = ClientHello(collector)
            let choice = ServerChoice(collector)
            #expect(hello == nil || choice == nil || bytes.count > 10)
        }
    }
}

@Suite struct TLSDescriptionTests {
    @Test("Suites by IANA name, others by number [8314-4.3-2] [8314-4.3-3] [8314-4.3-7]")
    func suites() {
        #expect(CipherSuite(0x1301).nameOrNumber == "TLS_AES_128_GCM_SHA256")
        #expect(CipherSuite(0xC030).nameOrNumber == "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
        #expect(CipherSuite(0x00FF).nameOrNumber == "0x00FF")
        #expect(CipherSuite(0xFAFA).nameOrNumber == "0xFAFA")
    }

    @Test("Groups by IANA name [8314-4.3-9]")
    func groups() {
        #expect(NamedGroup(29).name == "x25519")
        #expect(NamedGroup(0x11EC).name == "X25519MLKEM768")
        #expect(NamedGroup(0x0017).name == "secp256r1")
        #expect(NamedGroup(0xFFFF).name == nil)
    }
}
