import MailTestSupport
import MailVocabulary
import SASL
import Testing

@Suite("SCRAM's messages")
struct SCRAMMessageTests {
    private func first(_ text: String) throws(SCRAMError) -> SCRAMClientFirst {
        try SCRAMClientFirst(parsing: Array(text.utf8).span)
    }

    private func final(_ text: String) throws(SCRAMError) -> SCRAMClientFinal {
        try SCRAMClientFinal(parsing: Array(text.utf8).span)
    }

    @Test("The examples of RFC 5802 §5 and RFC 7677 §3")
    func examples() throws {
        let sha1 = try first("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL")
        #expect(sha1.user == "user" && sha1.flag == .unsupported && sha1.authorizationIdentity == nil)
        #expect(sha1.header == Array("n,,".utf8))
        #expect(sha1.bare == Array("n=user,r=fyko+d2lbbFgONRv9qkxdawL".utf8))
        let end = try final(
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        )
        #expect(end.channelBinding == Array("n,,".utf8) && end.proof.count == 32)
        #expect(end.withoutProof == Array("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".utf8))
    }

    @Test("Names are written with =2C and =3D; identities, bindings and extensions are read")
    func parts() throws {
        let message = try first(
            "p=tls-exporter,a=x=2Cy=3Dz,n=j=C3=B6rg=2C".replacing("=C3=B6", with: "ö") + ",r=abc,x=1,y=a=b")
        #expect(message.flag == .used("tls-exporter") && message.authorizationIdentity == "x,y=z")
        #expect(message.user == "jörg," && message.nonce == Array("abc".utf8))
        #expect(message.header == Array("p=tls-exporter,a=x=2Cy=3Dz,".utf8))
        #expect(try first("y,,n=u,r=a").flag == .notOffered)
        let end = try final("c=biws,r=abc,x=1,p=AAAA")
        #expect(end.withoutProof == Array("c=biws,r=abc,x=1".utf8) && end.proof == [0, 0, 0])
    }

    @Test(
        "What is no first message",
        arguments: [
            "", "n", "n,", "n,,", "x,,n=u,r=a", "F,n,,n=u,r=a", "n,,n=u", "n,,n=u,", "n,,n=u,r=", "n,,n=,r=a",
            "n,,r=a,n=u",
            "p,,n=u,r=a", "p=,,n=u,r=a", "p=a b,,n=u,r=a", "n,b=x,n=u,r=a", "n,a=,n=u,r=a", "n,,n=u,r=a b",
            "n,,n=u,r=ä",
            "n,,n=u,r=a,", "n,,n=u,r=a,x", "n,,n=u,r=a,1=x", "n,,n=u,r=a,x=", "nn,,n=u,r=a",
        ])
    func malformed(_ text: String) {
        #expect(throws: SCRAMError.invalidEncoding) { try first(text) }
    }

    @Test("Each error has its value of RFC 5802 §7")
    func errors() {
        for name in ["a=b", "a=2", "a=2c", "a=", "=2Ca=zz"] {
            #expect(throws: SCRAMError.invalidUsernameEncoding) { try first("n,,n=\(name),r=a") }
        }
        let long = String(repeating: "x", count: 256)
        #expect(throws: SCRAMError.invalidUsernameEncoding) { try first("n,,n=\(long),r=a") }
        #expect(throws: SCRAMError.invalidEncoding) { try first("n,,n=u,r=\(long)x") }
        #expect(throws: SCRAMError.extensionsNotSupported) { try first("n,,m=x,n=u,r=a") }
        #expect(throws: SCRAMError.extensionsNotSupported) { try first("n,,n=u,r=a,m=x") }
        #expect(throws: SCRAMError.extensionsNotSupported) { try final("c=biws,r=a,m=x,p=AAAA") }
        #expect(SCRAMError.invalidProof.message == Array("e=invalid-proof".utf8))
    }

    @Test(
        "What is no final message",
        arguments: [
            "", "c=", "c=biws", "c=biws,r=a", "c=biws,r=a,p=", "c=biws,r=a,p=AAA", "c=b,r=a,p=AAAA",
            "r=a,c=biws,p=AAAA",
            "c=biws,r=a,p=AAAA,", "c=biws,r=a,p=AAAA,x=1", "c=biws,p=AAAA",
        ])
    func malformedFinal(_ text: String) {
        #expect(throws: SCRAMError.invalidEncoding) { try final(text) }
    }

    @Test("Changed and cut messages are read or refused, and never crash")
    func mutated() {
        var random = SeededGenerator(seed: 7)
        let seeds = ["p=tls-exporter,a=x=2Cy,n=user,r=fyko,x=1", "c=biws,r=abc,x=1,p=AAAA"]
        for _ in 0..<20_000 {
            var bytes = Array((seeds.randomElement(using: &random) ?? "").utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                case _: bytes = Array(bytes[..<index])
                }
            }
            if let message = try? SCRAMClientFirst(parsing: bytes.span) {
                #expect(message.header + message.bare == bytes)
            }
            _ = try? SCRAMClientFinal(parsing: bytes.span)
            _ = BearerResponse(.oauthBearer, bytes.span)
            _ = CRAMResponse(bytes.span)
        }
    }
}

@Suite("Responses of other mechanisms")
struct OtherResponseTests {
    private func bearer(_ text: String, _ dialect: BearerResponse.Dialect = .oauthBearer) -> BearerResponse? {
        BearerResponse(dialect, Array(text.utf8).span)
    }

    @Test("OAUTHBEARER: the response of RFC 7628 §4.1")
    func oauthBearer() throws {
        let text = """
            bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52\
            YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB
            """
        let octets = Base64.decode(Array(text.utf8).span) ?? []
        let decoded = BearerResponse(.oauthBearer, octets.span)
        let response = try #require(decoded)
        #expect(response.user == "user@example.com" && response.host == "server.example.com")
        #expect(response.token?.revealed() == "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==")
        let plain = try #require(bearer("n,,\u{1}foo=x y\u{1}auth=BeArEr  a.b-c_d~e+f/g\u{1}\u{1}"))
        #expect(plain.user == nil && plain.token?.revealed() == "a.b-c_d~e+f/g")
    }

    @Test("Without a token a client asks what it needs (RFC 7628 §4.3)")
    func asking() throws {
        let response = try #require(bearer("n,a=u@x,\u{1}auth=\u{1}\u{1}"))
        #expect(response.token == nil && response.user == "u@x")
    }

    @Test("XOAUTH2")
    func xoauth2() throws {
        let response = try #require(bearer("user=u@x\u{1}auth=Bearer abc\u{1}\u{1}", .xoauth2))
        #expect(response.user == "u@x" && response.token?.revealed() == "abc")
        #expect(bearer("n,,\u{1}user=u@x\u{1}auth=Bearer abc\u{1}\u{1}", .xoauth2) == nil)
        #expect(bearer("user=\u{1}auth=Bearer abc\u{1}\u{1}", .xoauth2) == nil)
    }

    @Test(
        "What is none",
        arguments: [
            "", "\u{1}", "n,,", "n,,\u{1}", "n,,\u{1}auth=Bearer a\u{1}", "n,,\u{1}auth=Bearer a",
            "n,\u{1}auth=Bearer a\u{1}\u{1}",
            "n,,\u{1}auth=Basic abcdefg\u{1}\u{1}", "n,,\u{1}auth=Bearer \u{1}\u{1}",
            "n,,\u{1}auth=Bearer a b\u{1}\u{1}",
            "n,,\u{1}auth=Bearer a=b\u{1}\u{1}", "n,,\u{1}auth=Bearer a\u{1}auth=Bearer b\u{1}\u{1}",
            "p=tls-exporter,,\u{1}auth=Bearer a\u{1}\u{1}", "n,,\u{1}=x\u{1}auth=Bearer a\u{1}\u{1}",
            "n,,\u{1}a1=x\u{1}auth=Bearer a\u{1}\u{1}", "n,,\u{1}auth=Bearer a\u{1}\u{1}x",
            "n,,x\u{1}auth=Bearer a\u{1}\u{1}",
        ])
    func malformed(_ text: String) { #expect(bearer(text) == nil) }

    @Test("CRAM-MD5: the response of RFC 2195 §2, and what is none")
    func cram() throws {
        func cram(_ text: String) -> CRAMResponse? { CRAMResponse(Array(text.utf8).span) }
        let response = try #require(cram("tim b913a602c7eda7a495b4e6e7334d3890"))
        #expect(response.user == "tim" && response.digest.prefix(2) == [0xB9, 0x13] && response.digest.count == 16)
        #expect(cram("a b g913a602c7eda7a495b4e6e7334d3890") == nil)
        #expect(cram("a b b913a602c7eda7a495b4e6e7334d3890")?.user == "a b")
        for text in ["", "tim", "tim B913A602C7EDA7A495B4E6E7334D3890", " b913a602c7eda7a495b4e6e7334d3890"] {
            #expect(cram(text) == nil)
        }
    }

    @Test("EXTERNAL: an identity or none (RFC 4422 appendix A)")
    func external() throws {
        func external(_ bytes: [UInt8]) -> ExternalResponse? { ExternalResponse(bytes.span) }
        #expect(try #require(external([])).authorizationIdentity == nil)
        #expect(try #require(external(Array("fred@x".utf8))).authorizationIdentity == "fred@x")
        #expect(external([0x61, 0]) == nil && external([0xFF]) == nil)
        #expect(external([UInt8](repeating: 0x61, count: 256)) == nil)
    }

    @Test("Names of mechanisms: strongest first, and no two alike")
    func names() {
        #expect(SASLMechanism.allCases.map(\.rawValue).allSatisfy { SASLMechanism(name: $0.lowercased()) != nil })
        #expect(SASLMechanism.allCases.last == .login && SASLMechanism.allCases.first == .external)
        #expect(SASLMechanism.allCases.filter(\.revealsPassword) == [.plain, .login])
    }
}
