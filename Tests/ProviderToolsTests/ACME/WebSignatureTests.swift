import Crypto
import Foundation
import Testing

@testable import ProviderTools

@Suite("JSON Web Signatures")
struct WebSignatureTests {
    /// RFC 7515 §A.3.1.
    private static let privateKey = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"

    private func key() throws -> P256.Signing.PrivateKey {
        try P256.Signing.PrivateKey(rawRepresentation: Data(#require(Base64URL.decode(Self.privateKey))))
    }

    /// RFC 7638 §3.1.
    @Test func thumbprintOfTheStandardsExample() {
        struct Key: Encodable {
            var n =
                "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiF"
                + "V4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb"
                + "9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0L"
                + "s1jF44-csFCur-kEgU8awapJzKnqDKgw"
            var e = "AQAB"
            var kty = "RSA"
        }
        #expect(WebSignature.thumbprint(of: Key()) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
    }

    @Test func thumbprintOfAnEllipticKey() throws {
        let public_ = WebKey(try key().publicKey)
        #expect(public_.x == "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")
        #expect(public_.y == "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
        #expect(public_.thumbprint == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U")
    }

    /// RFC 7515 §A.3: its signature holds for our reading of its key, and ours for the same key.
    @Test func signaturesHold() throws {
        let signed =
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290"
            + "Ijp0cnVlfQ"
        let signature = try #require(
            Base64URL.decode(
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"))
        let parsed = try P256.Signing.ECDSASignature(rawRepresentation: Data(signature))
        #expect(try key().publicKey.isValidSignature(parsed, for: Data(signed.utf8)))

        let own = try WebSignature([1, 2, 3], key: key(), account: "https://ca/1", nonce: "n", url: "https://ca/x")
        let ownSignature = try P256.Signing.ECDSASignature(
            rawRepresentation: Data(#require(Base64URL.decode(own.signature))))
        #expect(try key().publicKey.isValidSignature(ownSignature, for: Data("\(own.protected).\(own.payload)".utf8)))
        let header = String(decoding: try #require(Base64URL.decode(own.protected)), as: UTF8.self)
        #expect(header == #"{"alg":"ES256","kid":"https://ca/1","nonce":"n","url":"https://ca/x"}"#)
        #expect(own.payload == "AQID")
    }

    /// RFC 8555 §6.2: a key without an account comes along.
    @Test func aNewKeyComesAlong() throws {
        let signed = try WebSignature(nil, key: key(), account: nil, nonce: "n", url: "https://ca/x")
        let header = String(decoding: try #require(Base64URL.decode(signed.protected)), as: UTF8.self)
        #expect(header.contains(#""jwk":{"crv":"P-256","kty":"EC","x":"f83O"#))
        #expect(!header.contains("kid"))
        #expect(signed.payload.isEmpty)
    }

    /// RFC 8555 §7.3.4; the code was computed by other means.
    @Test func accountsAreBound() throws {
        let binding = WebSignature(
            binding: try key().publicKey, to: "kid-1", macKey: Array("key of mine".utf8),
            url: "https://ca.example/new-account")
        #expect(binding.signature == "tn1bKL1tmRbdY2TPGUyCDY2rJMhgETrc8JTd6DEJmLs")
    }

    @Test(arguments: [
        ("", [UInt8]()), ("Zg", [0x66]), ("Zg==", [0x66]), ("-_8", [0xFB, 0xFF]), ("Zm9vYmFy", Array("foobar".utf8)),
    ])
    func base64URL(text: String, octets: [UInt8]) {
        #expect(Base64URL.decode(text) == octets)
        #expect(Base64URL.encode(octets) == text.replacing("=", with: ""))
    }

    @Test(arguments: ["+/8", "Zg\n", "Z", "Ä", "a b"])
    func noBase64URL(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }
}
